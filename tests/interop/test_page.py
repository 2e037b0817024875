"""The page of ``hairpin demo`` in a real browser.

HAIRPIN_FILM names another file to stream, HAIRPIN_SCREENSHOT where to leave a picture
of the page.
"""

from __future__ import annotations

import asyncio
import os
import pathlib

import aiohttp
import pytest

from tests.media.clips import h264_mp4

from .browser import chromium, frame_rate, paced, read, wait_for_frames, wait_for_picture
from .process import hairpin
from .reporting import Report

pytestmark = [pytest.mark.interop, pytest.mark.alone, pytest.mark.timeout(150)]

LISTEN = ("--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0")
SECONDS = 20
RATE = 25.0


@pytest.fixture
def source(tmp_path: pathlib.Path) -> str:
    film = os.environ.get("HAIRPIN_FILM")
    return film or str(h264_mp4(tmp_path / "clip.mp4", frames=100, gop=25))


async def test_the_page_plays_a_clip_at_its_rate_without_loss(
    source: str, tmp_path: pathlib.Path, report: Report
) -> None:
    picture = pathlib.Path(os.environ.get("HAIRPIN_SCREENSHOT", tmp_path / "page.png"))
    async with hairpin("demo", *LISTEN, "--source", source) as demo, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        await page.goto(demo.address)
        await wait_for_picture(page)
        await asyncio.sleep(1)  # the group of pictures that was cached plays fast
        await page.click("#sound")
        first, last = await paced(page, RATE, seconds=SECONDS, tolerance=0.1)
        await page.screenshot(path=picture)
        status = await demo.stop()

    seconds = last.time - first.time
    rate = frame_rate(first, last)
    report(
        f"{last.frames - first.frames} frames in {seconds:.2f} s, {rate:.1f} a second; "
        f"{last.audio_packets - first.audio_packets} audio packets; {last.lost} packets lost"
    )
    assert rate == pytest.approx(RATE, rel=0.1)
    assert last.audio_packets - first.audio_packets == pytest.approx(seconds * 50, rel=0.1)
    assert last.audio_energy > first.audio_energy
    assert last.lost == 0
    assert status == 0


@pytest.mark.parametrize(
    ("master_policy", "remote_type"),
    [pytest.param("all", "host", id="page-relay-only"), pytest.param("relay", "relay", id="both")],
)
async def test_relay_only_goes_through_the_relay_and_its_counters_say_so(
    source: str, master_policy: str, remote_type: str
) -> None:
    async with (
        hairpin("demo", *LISTEN, "--source", source, "--policy", master_policy) as demo,
        chromium() as browser,
        aiohttp.ClientSession() as client,
    ):
        page = await browser.new_page()
        await page.goto(f"{demo.address}?policy=relay")
        await wait_for_picture(page)
        first = await read(page)
        last = await wait_for_frames(page, first.frames + 75)
        async with client.get(f"{demo.address}api/status") as response:
            relay = (await response.json())["relay"]

    assert (last.local_type, last.remote_type) == ("relay", remote_type)
    assert last.lost == 0
    assert relay["packets"] > last.audio_packets
