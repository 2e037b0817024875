"""A channel that is full: ten viewers play, one more is refused, and who goes makes room."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import pathlib
import re
import resource
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

import aiohttp
import pytest
from playwright.async_api import Browser, Page

from signaling import MAX_VIEWERS, Role
from signaling.aio import ConnectRefused, viewer_url
from tests.media.clips import FRAME_RATE, h264_mp4
from transport import TransportAddress
from transport.aio import DatagramSocket, KernelSockets, SocketFactory

from .browser import Reading, chromium, frame_rate, read, wait_for_frames, wait_for_picture
from .process import Command, hairpin
from .service import Service, serving
from .viewers import CountingViewer, Received, ViewerProcess, by_service, viewer_process

pytestmark = [pytest.mark.interop, pytest.mark.alone, pytest.mark.timeout(300)]

CHANNEL = "demo"
LISTEN = ("--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0")
TABS = 3
SOUND_RATE = 50
SECONDS = 10
AT_MOST_SECONDS = 40
STALLS = 20.0
"""Seconds more than something takes, on a machine that stalls."""

RETRY = 0.5
"""Seconds between a viewer's tries: the service takes three connections a second."""

SECONDS_UNTIL_MISSED = 5.0 + 2.5
"""The service pings a silent viewer after five seconds, and waits half as long for the pong."""

CONSENT_EXPIRY = 30.0
"""RFC 7675 section 5.1: without consent, a connection is over."""

MORE_THREADS = 5
"""Those that resolve names, when some viewers come at once; each is one viewer of two."""

MAX_GROWTH = 8.0
"""Megabytes between half of the viewers and all: what arenas vary by. A session left behind
for each of a hundred viewers would be 20."""

Report = Callable[[str], None]


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Say a figure to whoever runs the tests."""

    def say(text: str) -> None:
        with capsys.disabled():
            print(f"\n  {text}", end="")  # noqa: T201

    return say


@pytest.fixture
def clip(tmp_path: pathlib.Path) -> str:
    return str(h264_mp4(tmp_path / "clip.mp4", frames=100, gop=25))


@contextlib.asynccontextmanager
async def streaming(folder: pathlib.Path, clip: str) -> AsyncIterator[tuple[Service, Command]]:
    """A service, and a master that tells what becomes of its viewers."""
    async with serving(folder, "http") as service:
        async with service.access.client() as client:
            await client.create_channel(CHANNEL)
        arguments = ("master", "--channel", CHANNEL, "--source", clip, "--loopback")
        async with hairpin("-v", *arguments, environment=service.environment) as master:
            yield service, master


async def open_tab(browser: Browser, address: str) -> Page:
    page = await browser.new_page(viewport={"width": 480, "height": 480})
    await page.goto(address)
    return page


async def seconds_until(condition: Callable[[], Awaitable[bool]], *, within: float) -> float:
    """How long it took until a condition held.

    Raises:
        TimeoutError: it did not.
    """
    begun = time.monotonic()
    async with asyncio.timeout(within):
        while not await condition():  # noqa: ASYNC110 - another process sets no event of ours
            await asyncio.sleep(0.05)
    return time.monotonic() - begun


async def wait_for_words(page: Page, words: str, *, within: float) -> str:
    """What the page says above its picture, once that has these words in it."""
    notice = page.locator("#notice", has_text=words)
    await notice.wait_for(state="visible", timeout=within * 1000)
    return await notice.inner_text()


async def test_ten_play_at_once_and_the_page_that_finds_no_place_says_so_and_gets_the_next(
    clip: str, report: Report
) -> None:
    names = [f"viewer-{number}" for number in range(MAX_VIEWERS - TABS)]
    async with (
        hairpin("demo", *LISTEN, "--source", clip) as demo,
        chromium() as browser,
        viewer_process(demo.address, *names) as others,
    ):
        await asyncio.wait_for(others.playing(), 60)
        tabs = [await open_tab(browser, demo.address) for _ in range(TABS)]
        for tab in tabs:
            await wait_for_picture(tab)
        await asyncio.sleep(2)  # the group of pictures that was cached plays fast

        first = await read_all(others, tabs)
        while True:  # the longer it is, the less a stall of the machine weighs
            await asyncio.sleep(SECONDS)
            last = await read_all(others, tabs)
            if last.is_at_rate_since(first) or last.at - first.at > AT_MOST_SECONDS:
                break

        refused = await open_tab(browser, demo.address)
        words = await wait_for_words(refused, "channel is full", within=40)
        begun = time.monotonic()
        await tabs[0].close()
        await wait_for_frames(refused, 1)
        taken_over = time.monotonic() - begun

    pictures, sounds = last.rates_since(first)
    lost = last.lost_since(first)
    report(
        f"ten viewers, {TABS} of them pages: {min(pictures):.1f} to {max(pictures):.1f} frames "
        f"a second of {FRAME_RATE}, {lost} packets lost"
    )
    report(f"the eleventh page: {words!r}; {taken_over:.1f} s after a tab closed it plays")
    assert pictures == pytest.approx([FRAME_RATE] * MAX_VIEWERS, rel=0.1)
    assert sounds == pytest.approx([SOUND_RATE] * len(names), rel=0.1)
    assert lost == 0
    assert words == "The channel is full: 10 of 10 viewers are here. Trying again."
    assert taken_over < SECONDS_UNTIL_MISSED


@dataclasses.dataclass(frozen=True)
class Everybody:
    """What a process of viewers, and pages, have received."""

    at: float
    counted: Mapping[str, Received]
    shown: Sequence[Reading]

    def rates_since(self, earlier: Everybody) -> tuple[list[float], list[float]]:
        """Pictures of each a second, and units of sound of those in the process."""
        elapsed = self.at - earlier.at
        counted = [each.since(earlier.counted[name]) for name, each in self.counted.items()]
        pages = zip(earlier.shown, self.shown, strict=True)
        pictures = [each.video / elapsed for each in counted]
        return (
            pictures + [frame_rate(before, after) for before, after in pages],
            [each.audio / elapsed for each in counted],
        )

    def is_at_rate_since(self, earlier: Everybody) -> bool:
        pictures, sounds = self.rates_since(earlier)
        return all(abs(each / FRAME_RATE - 1) <= 0.1 for each in pictures) and all(
            abs(each / SOUND_RATE - 1) <= 0.1 for each in sounds
        )

    def lost_since(self, earlier: Everybody) -> int:
        """Of pages, from their beginning."""
        counted = [each.since(earlier.counted[name]) for name, each in self.counted.items()]
        return sum(each.lost for each in counted) + sum(each.lost for each in self.shown)


async def read_all(others: ViewerProcess, tabs: Sequence[Page]) -> Everybody:
    shown = [await read(tab) for tab in tabs]
    counted = await others.next_report()
    return Everybody(others.at, counted, shown)


async def test_the_eleventh_handshake_is_refused_as_kvs_does(
    clip: str, tmp_path: pathlib.Path
) -> None:
    names = [f"viewer-{number}" for number in range(MAX_VIEWERS)]
    async with (
        streaming(tmp_path, clip) as (service, _),
        viewer_process(CHANNEL, *names, environment=service.environment) as viewers,
        service.access.client() as client,
    ):
        await asyncio.wait_for(viewers.playing(), 60)
        arn = (await client.describe_channel(CHANNEL)).arn
        endpoints = await client.get_endpoints(arn, Role.VIEWER)
        key, region = service.access.key, service.access.region
        url = viewer_url(endpoints.wss, str(arn), "one-too-many", key=key, region=region)
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await session.ws_connect(url)

    assert refusal.value.status == 400
    assert refusal.value.headers is not None
    assert refusal.value.headers["x-amzn-ErrorType"] == "ClientLimitExceededException"


async def join_when_there_is_a_place(
    stack: contextlib.AsyncExitStack,
    service: Service,
    name: str,
    *,
    within: float,
    sockets: SocketFactory | None = None,
) -> tuple[CountingViewer, float]:
    """A viewer that is refused tries again; with how many seconds it took to join."""
    viewer = CountingViewer(by_service(service.access, CHANNEL), name, sockets=sockets)
    begun = time.monotonic()
    async with asyncio.timeout(within):
        while True:
            try:
                joined = await stack.enter_async_context(viewer)
            except ConnectRefused as error:
                if error.code != "ClientLimitExceededException":
                    raise
                await asyncio.sleep(RETRY)
            else:
                return joined, time.monotonic() - begun


def complaints(command: Command) -> list[str]:
    return [line for line in command.log if "Traceback" in line or " ERROR " in line]


def open_descriptors(command: Command) -> int:
    return len(list(pathlib.Path(f"/proc/{command.process.pid}/fd").iterdir()))


async def seconds_until_said(master: Command, pattern: str, *, within: float) -> float:
    """Until the master's log has a line with this in it."""

    async def said() -> bool:
        return any(re.search(pattern, line) for line in master.log)

    return await seconds_until(said, within=within)


@contextlib.asynccontextmanager
async def ten_viewers(service: Service, *alone: str) -> AsyncIterator[tuple[ViewerProcess, ...]]:
    """Ten that play; those named have a process for themselves, and come first."""
    together = [f"viewer-{number}" for number in range(MAX_VIEWERS - len(alone))]
    groups = [[name] for name in alone] + [together]
    async with contextlib.AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(
                viewer_process(CHANNEL, *names, environment=service.environment)
            )
            for names in groups
        ]
        for process in processes:
            await asyncio.wait_for(process.playing(), 60)
        yield tuple(processes)


async def test_a_viewer_that_is_killed_or_falls_silent_makes_room_and_its_connection_ends(
    clip: str, tmp_path: pathlib.Path, report: Report
) -> None:
    async with (
        streaming(tmp_path, clip) as (service, master),
        contextlib.AsyncExitStack() as stack,
    ):
        with_nobody = open_descriptors(master)
        async with ten_viewers(service, "killed", "stopped") as (killed, stopped, _):
            with_ten = open_descriptors(master)
            killed.signal(signal.SIGKILL)
            when_killed = time.monotonic()
            _, place = await join_when_there_is_a_place(stack, service, "first", within=30)
            assert place < SECONDS_UNTIL_MISSED
            report(f"killed: its place is taken {place:.1f} s later")
            stopped.signal(signal.SIGSTOP)
            when_stopped = time.monotonic()
            last, place = await join_when_there_is_a_place(stack, service, "second", within=30)
            report(f"stopped: its place is taken {place:.1f} s later")
            assert place < CONSENT_EXPIRY / 2
            for name, since in (("killed", when_killed), ("stopped", when_stopped)):
                await seconds_until_said(
                    master, f"viewer {name}: failed", within=CONSENT_EXPIRY + STALLS
                )
                gone = time.monotonic() - since
                report(f"{name}: the master lets its connection go {gone:.1f} s later")

            async def are_back() -> bool:
                return open_descriptors(master) <= with_ten

            await seconds_until(are_back, within=STALLS)
            report(f"descriptors of the master: {with_nobody} alone, {with_ten} with ten viewers")
            assert (await last.received()).lost == 0
        await stack.aclose()

        async def is_alone() -> bool:
            return open_descriptors(master) <= with_nobody

        await seconds_until(is_alone, within=STALLS)
        assert not complaints(master)


@dataclasses.dataclass(frozen=True)
class Holdings:
    """What a process holds."""

    descriptors: int
    threads: int
    megabytes: float

    @classmethod
    def of(cls, command: Command) -> Holdings:
        folder = pathlib.Path(f"/proc/{command.process.pid}")
        resident = int((folder / "statm").read_text().split()[1]) * resource.getpagesize()
        threads = len(list((folder / "task").iterdir()))
        return cls(open_descriptors(command), threads, resident / 1e6)

    def __str__(self) -> str:
        return f"{self.descriptors} descriptors, {self.threads} threads, {self.megabytes:.1f} MB"


class MutedSocket:
    """Whose owner's last words are not heard, as those of a machine that lost its network."""

    def __init__(self, socket: DatagramSocket, is_muted: Callable[[], bool]) -> None:
        self._socket = socket
        self._is_muted = is_muted
        self.local = socket.local
        self.start, self.receive = socket.start, socket.receive
        self.stats, self.close = socket.stats, socket.close

    def send(self, segments: Sequence[bytes], remote: TransportAddress, dscp: int | None) -> None:
        if not self._is_muted():
            self._socket.send(segments, remote, dscp)


class MutableSockets:
    """Sockets that a viewer can be cut off from."""

    def __init__(self) -> None:
        self.is_muted = False

    async def open(self, local: TransportAddress) -> DatagramSocket:
        return MutedSocket(await KernelSockets().open(local), lambda: self.is_muted)


async def come_and_go(service: Service, name: str, *, stay: float, politely: bool) -> None:
    """Watch for some seconds; who leaves impolitely says no goodbye to the master."""
    sockets = MutableSockets()
    async with contextlib.AsyncExitStack() as stack:
        # Where joining takes long there may be more than ten at once.
        viewer, _ = await join_when_there_is_a_place(
            stack, service, name, within=2 * STALLS, sockets=sockets
        )
        await asyncio.wait_for(viewer.first_unit.wait(), STALLS)
        await asyncio.sleep(stay)
        assert (await viewer.received()).video > FRAME_RATE * stay / 2
        sockets.is_muted = not politely


SOAK = [pytest.mark.slow, pytest.mark.timeout(0)]

STAY = 7.0
"""Seconds that a viewer watches: with one that joins every second, eight are there."""


@pytest.mark.parametrize(
    ("seconds", "silent_one_in"),
    [
        pytest.param(30, 4, id="half-a-minute"),
        pytest.param(120, 4, id="two-minutes", marks=SOAK),
        # More connections than a master holds, were those that are cut off not let go first.
        pytest.param(90, 1, id="none-with-a-word", marks=SOAK),
    ],
)
async def test_a_viewer_coming_and_one_going_every_second_leave_nothing_behind(
    clip: str, tmp_path: pathlib.Path, report: Report, seconds: int, silent_one_in: int
) -> None:
    async with streaming(tmp_path, clip) as (service, master):
        alone = Holdings.of(master)
        held: list[Holdings] = []
        async with asyncio.TaskGroup() as group:
            for number in range(seconds):
                # Who goes without a word leaves a connection that is there for 30 s more.
                politely = number % silent_one_in > 0
                watching = come_and_go(service, f"guest-{number}", stay=STAY, politely=politely)
                group.create_task(watching)
                await asyncio.sleep(1)
                if number % 10 == 9:
                    held.append(Holdings.of(master))
                    report(f"after {number + 1} viewers: {held[-1]}")

        async def is_alone() -> bool:
            return open_descriptors(master) <= alone.descriptors

        await seconds_until(is_alone, within=CONSENT_EXPIRY + STALLS)
        report(f"alone: {alone}; all {seconds} gone: {Holdings.of(master)}")
        half, last = held[len(held) // 2], held[-1]
        assert last.threads - half.threads <= MORE_THREADS
        assert last.megabytes - half.megabytes < MAX_GROWTH
        assert not complaints(master)
