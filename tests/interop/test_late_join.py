"""A viewer that joins in mid-stream sees a picture at once, and is soon where the others are.

The figures are printed: on a quiet machine the first picture comes a third to two thirds
of a second after the page was opened.
"""

from __future__ import annotations

import asyncio
import dataclasses
import pathlib
import random
import statistics

import pytest

from .browser import chromium
from .film import H264, MPEG4, VP8, FilmFormat, numbered_film
from .joining import Buffered, Joined, behind, buffered, join, pictures_shown, read_stats
from .process import hairpin
from .reporting import Report

pytestmark = [pytest.mark.interop, pytest.mark.alone, pytest.mark.timeout(150)]

LISTEN = ("--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0")
JOINS = 2
SETTLED = 3.0
"""Seconds after which a viewer has caught up."""

LOOKS = 5
"""Of two seconds each, until one shows that it has: a machine may stall in some. Who has not
caught up does not do so later."""

AT_MOST_BEHIND = 1000
AT_MOST_APART = 500
"""Milliseconds, for a busy machine: a group that was not caught up with is 5,000 or more."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A film, how long it and its groups of pictures are, and what the page offers."""

    film: FilmFormat
    seconds: float
    keyframes: float
    offered: str = ""
    log: str = "passed through"


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Case(H264, 10, 5), id="h264-a-keyframe-in-5-s"),
        pytest.param(Case(H264, 22, 11), id="h264-a-keyframe-in-11-s"),
        pytest.param(
            Case(H264, 26, 13, log="encoded once to H.264 (its key frames are more than 12"),
            id="h264-beyond-the-cache",
        ),
        pytest.param(Case(VP8, 10, 5), id="vp8-a-keyframe-in-5-s"),
        pytest.param(Case(MPEG4, 10, 1, log="encoded once to H.264"), id="h264-encoded"),
        pytest.param(Case(MPEG4, 10, 1, "VP8", log="encoded once to H.264"), id="vp8-encoded"),
        pytest.param(Case(H264, 22, 11, "VP8"), id="h264-encoded-as-vp8"),
    ],
)
async def test_a_late_viewer_gets_a_picture_and_is_soon_with_the_others(
    case: Case, tmp_path: pathlib.Path, report: Report
) -> None:
    film = numbered_film(
        tmp_path / "film", case.film, seconds=case.seconds, keyframes=case.keyframes
    )
    moments = random.Random(case.keyframes)
    async with hairpin("demo", *LISTEN, "--source", str(film)) as demo, chromium() as browser:
        await asyncio.sleep(moments.uniform(0.5, min(case.keyframes, 6)))  # anywhere in a group
        live = await join(browser, demo.address, codec=case.offered)
        joined = [live]
        for _ in range(JOINS):
            await asyncio.sleep(moments.uniform(0.2, 1.2))
            joined.append(await join(browser, demo.address, codec=case.offered))
            if len(joined) <= JOINS:
                await joined[-1].context.close()

        await asyncio.sleep(SETTLED)
        for _ in range(LOOKS):
            seen = await _compare(joined[-1], live)
            if seen.is_together:
                break

    report(
        f"{_first_pictures(joined)}; after {SETTLED:.0f} s {seen.lag:.0f} ms behind the first"
        f" viewer, {seen.buffered.jitter_buffer:.0f} ms buffered,"
        f" {-seen.buffered.playout_apart:.0f} ms ahead of sound"
    )
    assert case.log in demo.log[0]
    assert seen.is_together, seen


@dataclasses.dataclass(frozen=True)
class Compared:
    """How two seconds of a late viewer were, beside those of the first one."""

    pictures: int
    lag: float
    buffered: Buffered

    @property
    def is_together(self) -> bool:
        return (
            self.pictures > 25
            and self.lag < AT_MOST_BEHIND
            and abs(self.buffered.playout_apart) < AT_MOST_APART
        )


async def _compare(late: Joined, live: Joined) -> Compared:
    before = await read_stats(late)
    shown, shown_live = await asyncio.gather(pictures_shown(late, 2.0), pictures_shown(live, 2.0))
    figures = buffered(before, await read_stats(late))
    return Compared(len(shown), behind(shown, shown_live), figures)


def _first_pictures(joined: list[Joined]) -> str:
    whole = [one.first_picture for one in joined]
    connected = [one.first_picture - one.connected for one in joined]
    return (
        f"first picture {statistics.median(whole):.0f} ms, at most {max(whole):.0f} "
        f"(from connected {statistics.median(connected):.0f}, at most {max(connected):.0f})"
    )
