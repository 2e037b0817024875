"""A page that is open while what it needs ends, or is killed, and starts again."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import signal
import time
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, WebSocket

from hairpin.aws import ServiceAccess
from signaling import AccessKey
from tests.media.clips import h264_mp4

from .browser import chromium, read, wait_for_frames, wait_for_picture
from .page_host import page_host
from .ports import free_ports
from .process import Command, hairpin
from .reporting import Report

pytestmark = [pytest.mark.interop, pytest.mark.alone, pytest.mark.timeout(150)]

PATIENCE = 10.0
"""Seconds from when it was started again until the page has a picture: two, where nothing else
runs; at least twelve, if the page waited for something that does not come."""

AWAY = 5.0
"""Seconds that a service is away."""

LOOKS_LIKE_AN_END = 2.2
"""Seconds: more than the first pause that a page bears (1.5 s), less than twice that."""

KEY = AccessKey("AKIDRESTART", "secret")
CHANNEL = "porch"
HIDE_PEER = "() => { window.before = window.peer(); window.opened = 'once'; }"
PLAYS_AGAIN = """async () => {
  const decoded = async () => {
    const peer = window.peer();
    if (!peer || peer === window.before) return 0;
    const video = [...(await peer.getStats()).values()].find((r) => r.kind === "video");
    return video?.framesDecoded ?? 0;
  };
  while ((await decoded()) < 3) await new Promise((next) => setTimeout(next, 50));
  return window.opened;
}"""
STOP_CLOCK = """() => {
  window.clock = performance.now();
  performance.now = () => window.clock;
}"""
LET_PASS = """async (milliseconds) => {
  const looks = async () => {  // of which the page has four a second
    for (let look = 0; look < 3; look++) await new Promise((next) => setTimeout(next, 250));
  };
  const received = async () => {
    const all = [...(await window.peer().getStats()).values()];
    return all.find((r) => r.type === "transport").bytesReceived;
  };
  let before;
  do {
    before = await received();
    await looks();
  } while ((await received()) !== before);
  window.clock += milliseconds;
  await looks();
}"""


@pytest.fixture
def clip(tmp_path: pathlib.Path) -> str:
    return str(h264_mp4(tmp_path / "clip.mp4", frames=100, gop=25))


def listen() -> tuple[str, ...]:
    """Ports that stay the same when it starts again."""
    http, relay = free_ports(2)
    return ("--listen", f"127.0.0.1:{http}", "--relay-listen", f"127.0.0.1:{relay}")


class OpenPage:
    """A page, the addresses it was given for viewing, and how soon it plays again."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.invitations: list[str] = []
        self._invited = asyncio.Condition()
        page.on("websocket", self._take)

    async def _take(self, invitation: WebSocket) -> None:
        async with self._invited:
            self.invitations.append(invitation.url)
            self._invited.notify_all()

    async def invited(self, times: int) -> None:
        async with asyncio.timeout(3 * PATIENCE), self._invited:
            await self._invited.wait_for(lambda: len(self.invitations) >= times)

    async def plays(self) -> None:
        await wait_for_picture(self.page)
        await self.page.evaluate(HIDE_PEER)

    async def stop_clock(self) -> None:
        """How long something takes here is nothing to the page from now on."""
        await self.page.evaluate(STOP_CLOCK)

    async def let_pass(self, seconds: float) -> None:
        """When nothing comes any more, put its clock, which stands still, so much on."""
        await self.page.evaluate(LET_PASS, seconds * 1000)

    async def plays_again(self) -> float:
        """When it does, by time.monotonic(); it was not loaded again."""
        again = asyncio.wait_for(self.page.evaluate(PLAYS_AGAIN), 3 * PATIENCE)
        assert await again == "once"
        return time.monotonic()


@contextlib.asynccontextmanager
async def open_page(address: str) -> AsyncIterator[OpenPage]:
    async with chromium() as browser:
        opened = OpenPage(await browser.new_page())
        await opened.page.goto(address)
        await opened.plays()
        yield opened


async def end(command: Command, number: signal.Signals) -> float:
    """When it had ended."""
    command.process.send_signal(number)
    await command.process.wait()
    return time.monotonic()


@contextlib.asynccontextmanager
async def paused(command: Command) -> AsyncIterator[None]:
    command.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        command.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("policy", ["all", "relay"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
async def test_a_page_plays_again_when_the_demo_is_started_again(
    clip: str, report: Report, *, policy: str, number: signal.Signals
) -> None:
    demo = ("demo", *listen(), "--source", clip, "--policy", policy)
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(hairpin(*demo))
        opened = await stack.enter_async_context(open_page(f"{first.address}?policy={policy}"))
        ended = await end(first, number)
        second = await stack.enter_async_context(hairpin(*demo))
        ready = time.monotonic()
        again = await opened.plays_again()
        reading = await read(opened.page)

    report(
        f"demo, {number.name}, policy {policy}: ready after {ready - ended:.1f} s, "
        f"the page plays {again - ready:.1f} s later"
    )
    assert second.address == first.address
    assert again - ready < PATIENCE
    assert len(set(opened.invitations)) == len(opened.invitations) >= 2
    assert reading.local_type == "relay" or policy == "all"


class Parts:
    """A service and a master as processes of their own, and an open page of a third party."""

    def __init__(self, stack: contextlib.AsyncExitStack, folder: pathlib.Path, clip: str) -> None:
        self._stack = stack
        self.access = ServiceAccess("", "us-west-2", KEY)
        self._serve = (
            *("serve", *listen(), "--data", str(folder / "data")),
            *("--access-key", f"{KEY.id}:{KEY.secret}", "--allow-peer", "127.0.0.0/8"),
        )
        self._master = ("master", "--channel", CHANNEL, "--source", clip)
        self._environment: dict[str, str] = {}

    async def start_serve(self) -> Command:
        serve = await self._stack.enter_async_context(hairpin(*self._serve))
        self.access = ServiceAccess(serve.address, "us-west-2", KEY)
        self._environment = {
            "AWS_ENDPOINT_URL": serve.address,
            "AWS_ACCESS_KEY_ID": KEY.id,
            "AWS_SECRET_ACCESS_KEY": KEY.secret,
        }
        return serve

    async def start_master(self) -> Command:
        return await self._stack.enter_async_context(
            hairpin(*self._master, environment=self._environment)
        )

    async def open_page(self, policy: str) -> OpenPage:
        address = await self._stack.enter_async_context(page_host(self.access, CHANNEL))
        return await self._stack.enter_async_context(open_page(f"{address}?policy={policy}"))


@contextlib.asynccontextmanager
async def parts(folder: pathlib.Path, clip: str) -> AsyncIterator[Parts]:
    async with contextlib.AsyncExitStack() as stack:
        yield Parts(stack, folder, clip)


@pytest.mark.parametrize("policy", ["all", "relay"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_page_plays_again_when_the_master_is_started_again(
    clip: str, tmp_path: pathlib.Path, report: Report, *, policy: str, number: signal.Signals
) -> None:
    async with parts(tmp_path, clip) as running:
        await running.start_serve()
        async with running.access.client() as client:
            await client.create_channel(CHANNEL)
        master = await running.start_master()
        opened = await running.open_page(policy)
        ended = await end(master, number)
        await running.start_master()
        ready = time.monotonic()
        again = await opened.plays_again()

    report(
        f"master, {number.name}, policy {policy}: ready after {ready - ended:.1f} s, "
        f"the page plays {again - ready:.1f} s later"
    )
    assert again - ready < PATIENCE
    assert len(set(opened.invitations)) == len(opened.invitations) >= 2


async def test_a_page_is_patient_with_a_master_that_has_paused(
    clip: str, tmp_path: pathlib.Path
) -> None:
    """The first pause looks like an end; a second one as long as that takes does not."""
    async with parts(tmp_path, clip) as running:
        await running.start_serve()
        async with running.access.client() as client:
            await client.create_channel(CHANNEL)
        master = await running.start_master()
        opened = await running.open_page("all")
        async with paused(master):
            await opened.invited(2)
        await opened.plays_again()
        before = await read(opened.page)
        await opened.stop_clock()
        async with paused(master):
            await opened.let_pass(LOOKS_LIKE_AN_END)
        await wait_for_frames(opened.page, before.frames + 25)

    assert len(opened.invitations) == 2


@pytest.mark.parametrize(
    ("number", "away"),
    [
        pytest.param(signal.SIGKILL, 0.0, id="killed"),
        pytest.param(signal.SIGTERM, 0.0, id="stopped"),
        pytest.param(signal.SIGKILL, 12.0, id="away-for-longer"),
    ],
)
async def test_a_relayed_page_plays_again_when_the_service_is_started_again(
    clip: str, tmp_path: pathlib.Path, report: Report, *, number: signal.Signals, away: float
) -> None:
    async with parts(tmp_path, clip) as running:
        serve = await running.start_serve()
        async with running.access.client() as client:
            await client.create_channel(CHANNEL)
        await running.start_master()
        opened = await running.open_page("relay")
        ended = await end(serve, number)
        await asyncio.sleep(away)
        await running.start_serve()
        ready = time.monotonic()
        again = await opened.plays_again()

    report(
        f"service, {number.name}, policy relay: ready after {ready - ended:.1f} s, "
        f"the page plays {again - ready:.1f} s later"
    )
    assert again - ready < PATIENCE


async def test_a_page_that_needs_no_relay_goes_on_while_the_service_is_away(
    clip: str, tmp_path: pathlib.Path
) -> None:
    async with parts(tmp_path, clip) as running:
        serve = await running.start_serve()
        async with running.access.client() as client:
            await client.create_channel(CHANNEL)
        await running.start_master()
        opened = await running.open_page("all")
        before = await read(opened.page)
        await end(serve, signal.SIGKILL)
        await asyncio.sleep(AWAY)
        await wait_for_frames(opened.page, before.frames + round(25 * AWAY))

        assert len(opened.invitations) == 1


async def test_two_tabs_are_two_viewers_and_every_load_is_invited_anew(clip: str) -> None:
    async with hairpin("demo", *listen(), "--source", clip) as demo, chromium() as browser:
        tabs = [OpenPage(await browser.new_page()) for _ in range(2)]
        for tab in tabs:
            await tab.page.goto(demo.address)
            await wait_for_picture(tab.page)
        status = await tabs[0].page.evaluate("() => fetch('api/status').then((r) => r.json())")
        await tabs[1].page.reload()
        await wait_for_picture(tabs[1].page)

    urls = [url for tab in tabs for url in tab.invitations]
    assert status["viewers"] == {"connected": 2, "limit": 10}
    assert len(set(urls)) == len(urls) == 3
