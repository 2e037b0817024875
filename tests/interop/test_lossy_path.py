"""Chromium behind a path that loses packets both ways, between the page and our relay.

The page uses its relay alone, and finds a lossy proxy where the relay is said to be.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import pathlib
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from math import inf

import pytest
from playwright.async_api import Browser

from .browser import chromium
from .film import FRAME_RATE, H264, MPEG4, VP8, FilmFormat, numbered_film
from .joining import Joined, join, pictures_shown, read_stats, relay_of
from .lossy_proxy import Impairment, LossyProxy, lossy_proxy
from .process import hairpin
from .reporting import Report

pytestmark = [pytest.mark.interop, pytest.mark.alone, pytest.mark.timeout(180)]

LISTEN = ("--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0")
SECONDS = 20
SHORT = 10
DELAY = 0.01
FIVE_PERCENT = Impairment(loss=0.05, delay=DELAY)
BURSTS = Impairment(loss=0.05, burst=8, delay=DELAY)
BLACKOUT = Impairment(loss=1.0, spares=400)
"""Sound gets through, or the page would begin anew."""
TRIES = 10
AT_MOST_HEALING = 2000
AT_MOST_STALLED = 3500
"""Milliseconds without and with a stall of the machine; the next keyframe is up to 11,000 away."""

COUNTERS = ("framesDecoded", "freezeCount", "nackCount", "pliCount", "packetsLost")


@dataclasses.dataclass(frozen=True)
class Stage:
    """A demo that streams, a browser, and the proxy in front of the relay."""

    address: str
    browser: Browser
    proxy: LossyProxy

    async def join(self, codec: str = "") -> Joined:
        return await join(
            self.browser, self.address, codec=codec, relay=self.proxy.address, within=30
        )


@contextlib.asynccontextmanager
async def stage(
    folder: pathlib.Path, film: FilmFormat, impairment: Impairment, *, keyframes: float = 5
) -> AsyncIterator[Stage]:
    """A film with a keyframe every so many seconds, which nobody can ask for."""
    source = numbered_film(folder / "film", film, seconds=4 * keyframes, keyframes=keyframes)
    async with hairpin("demo", *LISTEN, "--source", str(source)) as demo, chromium() as browser:
        relay = await relay_of(demo.address)
        async with lossy_proxy(relay, impairment) as proxy:
            yield Stage(demo.address, browser, proxy)


@pytest.mark.parametrize(
    ("film", "offered", "impairment", "seconds"),
    [
        pytest.param(H264, "", FIVE_PERCENT, SECONDS, id="h264"),
        pytest.param(VP8, "", BURSTS, SECONDS, id="vp8-bursts"),
        pytest.param(MPEG4, "VP8", FIVE_PERCENT, SHORT, id="vp8-encoded"),
    ],
)
async def test_a_picture_moves_at_5_percent_loss(
    film: FilmFormat,
    offered: str,
    impairment: Impairment,
    seconds: int,
    tmp_path: pathlib.Path,
    report: Report,
) -> None:
    async with stage(tmp_path, film, impairment) as on:
        viewer = await on.join(offered)
        await asyncio.sleep(1)  # the group of pictures that was cached plays fast
        first = await read_stats(viewer)
        shown = await pictures_shown(viewer, seconds)
        last = await read_stats(viewer)

    grown = _grown(first["video"], last["video"])
    elapsed = (last["video"]["timestamp"] - first["video"]["timestamp"]) / 1000
    rate = grown["framesDecoded"] / elapsed
    stall = max(b - a for a, b in itertools.pairwise(at for at, _ in shown))
    report(
        f"{rate:.1f} frames a second, at most {stall:.0f} ms without a new one; "
        f"{grown['freezeCount']:.0f} freezes, {grown['nackCount']:.0f} NACKs, "
        f"{grown['pliCount']:.0f} PLIs, {grown['packetsLost']:.0f} packets lost"
    )
    assert on.proxy.lost > 0
    assert rate == pytest.approx(FRAME_RATE, rel=0.2)
    assert stall < AT_MOST_STALLED


@pytest.mark.parametrize("film", [pytest.param(H264, id="h264"), pytest.param(VP8, id="vp8")])
async def test_a_viewer_that_lost_too_much_gets_the_group_of_pictures_again(
    film: FilmFormat, tmp_path: pathlib.Path, report: Report
) -> None:
    healed = []
    async with stage(tmp_path, film, Impairment(delay=DELAY), keyframes=11) as on:
        viewer = await on.join()
        await asyncio.sleep(1)
        for _ in range(2):
            usual, on.proxy.impairment = on.proxy.impairment, BLACKOUT
            await asyncio.sleep(2.5)  # no packet is kept for longer than two seconds
            on.proxy.impairment = usual
            restored = time.time() * 1000
            shown = await pictures_shown(viewer, 2 * AT_MOST_STALLED / 1000)
            healed.append(next((at for at, _ in shown if at > restored), inf) - restored)
        stats = await read_stats(viewer)

    requests = stats["video"]["pliCount"]
    report(f"a picture {_summary(healed)} after a blackout; {requests:.0f} PLIs")
    assert requests > 0
    assert min(healed) < AT_MOST_HEALING
    assert max(healed) < AT_MOST_STALLED


async def test_a_page_connects_at_5_percent_loss(tmp_path: pathlib.Path, report: Report) -> None:
    joined = []
    async with stage(tmp_path, H264, FIVE_PERCENT) as on:
        for _ in range(TRIES):
            joined.append(await on.join())
            await joined[-1].context.close()

    connected = [one.connected for one in joined]
    first = [one.first_picture for one in joined]
    report(
        f"connected in {_summary(connected)}; the first picture in {_summary(first)}, {TRIES} tries"
    )
    assert statistics.median(first) < 3000


def _summary(times: Sequence[float]) -> str:
    return f"{statistics.median(times):.0f} ms, at most {max(times):.0f}"


def _grown(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - before.get(name, 0) for name in COUNTERS}
