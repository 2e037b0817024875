"""The page of ``hairpin demo`` in a real browser."""

from __future__ import annotations

import asyncio
import os
import pathlib

import pytest

from .browser import chromium, read, wait_for_picture
from .process import hairpin

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]

SECONDS = 20
RATE = 25.0


@pytest.fixture
def clip(tmp_path: pathlib.Path) -> pathlib.Path:
    from tests.media.clips import h264_mp4

    return h264_mp4(tmp_path / "clip.mp4", frames=100, gop=25)


async def test_the_page_plays_a_clip_at_its_rate_without_loss(
    clip: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    source = os.environ.get("HAIRPIN_FILM", str(clip))
    picture = pathlib.Path(os.environ.get("HAIRPIN_SCREENSHOT", tmp_path / "page.png"))
    async with (
        hairpin("demo", "--listen", "127.0.0.1:0", "--source", source) as demo,
        chromium() as browser,
    ):
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        await page.goto(demo.address)
        await wait_for_picture(page)
        await asyncio.sleep(1)  # the group of pictures that was cached plays fast
        await page.click("#sound")
        first = await read(page)
        await asyncio.sleep(SECONDS)
        last = await read(page)
        await page.screenshot(path=picture)
        status = await demo.stop()

    rate = (last.frames - first.frames) / (last.time - first.time)
    assert rate == pytest.approx(RATE, rel=0.1)
    assert last.audio_packets - first.audio_packets == pytest.approx(SECONDS * 50, rel=0.1)
    assert last.audio_energy > first.audio_energy
    assert last.lost == 0
    assert status == 0
