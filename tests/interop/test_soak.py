"""What only shows after a while: run by hand with ``make slow``."""

from __future__ import annotations

import asyncio
import pathlib

import pytest

from tests.media.clips import h264_mp4

from .browser import chromium, read, wait_for_picture
from .process import hairpin

pytestmark = [pytest.mark.slow]

MINUTES = 20
RATE = 25.0


async def test_a_relay_only_page_keeps_playing(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Longer than the credentials' life (5 minutes), permissions (5), and allocations (10)."""
    clip = str(h264_mp4(tmp_path / "clip.mp4", frames=100, gop=25))
    listen = ("--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0")
    async with (
        hairpin("demo", *listen, "--source", clip, "--policy", "relay") as demo,
        chromium() as browser,
    ):
        page = await browser.new_page()
        await page.goto(f"{demo.address}?policy=relay")
        await wait_for_picture(page)
        await asyncio.sleep(1)
        first = last = await read(page)
        for minute in range(1, MINUTES + 1):
            await asyncio.sleep(60)
            before, last = last, await read(page)
            rate = (last.frames - before.frames) / (last.time - before.time)
            with capsys.disabled():
                print(f"minute {minute}: {rate:.1f} frames a second, {last.lost} packets lost")  # noqa: T201
            assert rate == pytest.approx(RATE, rel=0.1)
            assert (last.local_type, last.remote_type) == ("relay", "relay")

    assert last.lost == 0
    assert last.frames - first.frames == pytest.approx(RATE * 60 * MINUTES, rel=0.02)
