"""Debian's Chromium, headless, driven by Playwright."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator

from playwright.async_api import Browser, Page, async_playwright

from .conftest import need

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--allow-loopback-in-peer-connection",
]
FAKE_DEVICES = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
"""A camera and a microphone that need no permission."""
START_PATIENCE = 60.0
"""Seconds: on a machine that does nothing else it takes one."""


@contextlib.asynccontextmanager
async def chromium(*more: str, executable: str | None = None) -> AsyncIterator[Browser]:
    """A browser with an empty profile, closed at the end."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable or need("chromium"),
            args=[*ARGUMENTS, *more],
            timeout=START_PATIENCE * 1000,
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclasses.dataclass(frozen=True)
class Reading:
    """What a page's peer connection has received so far."""

    time: float
    frames: int
    audio_packets: int
    audio_energy: float
    lost: int
    local_type: str
    remote_type: str
    codec: str


READ = """async () => {
  const peer = window.peer();
  if (!peer) return null;
  const stats = await peer.getStats();
  const all = [...stats.values()];
  const inbound = (kind) => all.find((r) => r.type === "inbound-rtp" && r.kind === kind) ?? {};
  const video = inbound("video"), audio = inbound("audio");
  const transport = all.find((r) => r.type === "transport") ?? {};
  const pair = stats.get(transport.selectedCandidatePairId) ?? {};
  const type = (id) => stats.get(id)?.candidateType ?? "";
  return {
    time: performance.now() / 1000,
    frames: video.framesDecoded ?? 0,
    audio_packets: audio.packetsReceived ?? 0,
    audio_energy: audio.totalAudioEnergy ?? 0,
    lost: (video.packetsLost ?? 0) + (audio.packetsLost ?? 0),
    local_type: type(pair.localCandidateId),
    remote_type: type(pair.remoteCandidateId),
    codec: stats.get(video.codecId)?.mimeType ?? "",
  };
}"""


async def read(page: Page) -> Reading:
    """What the page's viewer has received so far."""
    return Reading(**await page.evaluate(READ))


async def wait_for_picture(page: Page, *, within: float = 40.0) -> None:
    """Until the page's video element shows frames.

    Raises:
        TimeoutError: none came.
    """
    await page.wait_for_function(
        "() => document.getElementById('video').videoWidth > 0 && window.peer?.()",
        timeout=within * 1000,
    )


async def wait_for_frames(page: Page, frames: int, *, within: float = 40.0) -> Reading:
    """What the page has received, once it has decoded so many pictures.

    Raises:
        TimeoutError: it decoded fewer.
    """
    # wait_for_function takes the promise of an asynchronous predicate for a yes.
    waiting = f"""async (frames) => {{
      const read = {READ};
      while (((await read())?.frames ?? 0) < frames) await new Promise((r) => setTimeout(r, 100));
    }}"""
    await asyncio.wait_for(page.evaluate(waiting, frames), within)
    return await read(page)


async def paced(
    page: Page, rate: float, *, seconds: float, tolerance: float, within: float = 30.0
) -> tuple[Reading, Reading]:
    """What the page has received at the begin and at the end of so many seconds, or more.

    Who stops for a moment makes up for it afterwards, or it weighs less the longer it is ago:
    there are more of them until the page has decoded ``rate`` pictures a second, give or take
    a share of ``tolerance``, or ``within`` has passed besides.
    """
    first = await read(page)
    deadline = first.time + seconds + within
    while True:
        await asyncio.sleep(seconds)
        last = await read(page)
        is_off = abs(frame_rate(first, last) / rate - 1) > tolerance
        if not is_off or last.time > deadline:
            return first, last
        seconds = 1.0


def frame_rate(first: Reading, last: Reading) -> float:
    """Pictures decoded a second, from one reading to the other."""
    return (last.frames - first.frames) / (last.time - first.time)
