"""Films of all kinds in a real browser: each plays, whatever has to be done to it."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable

import pytest

from tests.media import clips

from .browser import chromium, frame_rate, paced, wait_for_frames
from .process import hairpin
from .receive_buffers import dropped_datagrams

pytestmark = [pytest.mark.interop, pytest.mark.alone, pytest.mark.timeout(120)]

LISTEN = ("--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0")
FAST = {"preset": "ultrafast", "tune": "zerolatency", "g": "25"}
MAIN = {**FAST, "profile": "main", "x264-params": "cabac=1"}
HIGH = {**FAST, "profile": "high", "x264-params": "cabac=1:8x8dct=1"}

Make = Callable[[pathlib.Path], pathlib.Path]


def film(suffix: str, codec: str, **details: object) -> Make:
    def make(folder: pathlib.Path) -> pathlib.Path:
        return clips.coded(folder / f"film.{suffix}", codec, **details)  # type: ignore[arg-type]

    return make


@dataclasses.dataclass(frozen=True)
class Kind:
    """A film, and what a browser and the page's line of it show."""

    make: Make
    codec: str
    size: str
    line: str
    rate: int = 25
    has_audio: bool = False


KINDS = {
    "h264-main": Kind(
        film("mp4", "libx264", size=(640, 360), frames=50, options=MAIN, audio="aac"),
        "video/H264",
        "640x360",
        "h264 passed through · aac encoded once to Opus",
        has_audio=True,
    ),
    # Some builds of Chromium take High, and some get an encode.
    "h264-high": Kind(
        film("mp4", "libx264", size=(640, 360), frames=50, options=HIGH),
        "video/H264",
        "640x360",
        "640x360 h264 passed through",
    ),
    "h264-b-frames": Kind(
        film("mp4", "libx264", size=(640, 360), frames=50, options={"bf": "2", "b_strategy": "0"}),
        "video/H264",
        "640x360",
        "h264 encoded once to H.264 (its frames are not in display order (B frames))",
    ),
    "vp8-webm": Kind(
        film(
            "webm",
            "libvpx",
            size=(640, 360),
            frames=50,
            audio="libopus",
            options={"deadline": "realtime", "cpu-used": "-8", "g": "25"},
        ),
        "video/VP8",
        "640x360",
        "vp8 passed through · opus passed through",
        has_audio=True,
    ),
    "vp9-webm": Kind(
        film("webm", "libvpx-vp9", frames=25, options={"deadline": "realtime", "cpu-used": "8"}),
        "video/H264",
        "64x48",
        "vp9 encoded once to H.264 (browsers take no vp9 over WebRTC)",
    ),
    "mpeg4-with-pcm": Kind(
        film("avi", "mpeg4", size=(640, 480), frames=50, audio="pcm_s16le"),
        "video/H264",
        "640x480",
        "mpeg4 encoded once to H.264 (browsers take no mpeg4 over WebRTC) · sound encoded once",
        has_audio=True,
    ),
    "h265": Kind(
        film("mkv", "libx265", size=(640, 360), frames=25, options={"preset": "ultrafast"}),
        "video/H264",
        "640x360",
        "hevc encoded once to H.264",
    ),
    "odd-size": Kind(
        film("avi", "mpeg4", size=(641, 359), frames=50),
        "video/H264",
        "640x358",
        "641x359 mpeg4 encoded once",
    ),
    "portrait": Kind(
        film("mp4", "libx264", size=(360, 640), frames=50, options=FAST),
        "video/H264",
        "360x640",
        "360x640 h264 passed through",
    ),
    "phone": Kind(
        lambda folder: clips.phone_mp4(folder / "film.mp4", degrees=90, frames=50),
        "video/H264",
        "48x64",
        "48x64 h264 encoded once to H.264 (it is to be turned by 90 degrees)",
    ),
    "4k": Kind(
        film("avi", "mpeg4", size=(3840, 2160), frames=20, rate=10),
        "video/H264",
        "1280x720",
        "3840x2160 mpeg4 encoded once",
        rate=10,
    ),
    "10-a-second": Kind(
        film("mp4", "libx264", size=(640, 360), frames=30, rate=10, options=FAST),
        "video/H264",
        "640x360",
        "h264 passed through",
        rate=10,
    ),
    "60-a-second": Kind(
        film("mp4", "libx264", size=(640, 360), frames=120, rate=60, options=FAST),
        "video/H264",
        "640x360",
        "h264 passed through",
        rate=60,
    ),
    "60-a-second-encoded": Kind(
        film("avi", "mpeg4", size=(640, 360), frames=120, rate=60),
        "video/H264",
        "640x360",
        "mpeg4 encoded once",
        rate=30,
    ),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_a_film_plays_at_its_rate(kind: Kind, tmp_path: pathlib.Path) -> None:
    source = kind.make(tmp_path)
    dropped = dropped_datagrams()
    async with hairpin("demo", *LISTEN, "--source", str(source)) as demo, chromium() as browser:
        page = await browser.new_page()
        await page.goto(demo.address)
        await wait_for_frames(page, kind.rate)
        first, last = await paced(page, kind.rate, seconds=3, tolerance=0.15)
        video = "document.getElementById('video')"
        size = await page.evaluate(f"{video}.videoWidth + 'x' + {video}.videoHeight")
        line = await page.inner_text("#source")

    assert (last.codec, size) == (kind.codec, kind.size)
    assert kind.line in line
    assert any(kind.line in said for said in demo.log)
    assert (last.audio_packets > first.audio_packets) == kind.has_audio
    assert frame_rate(first, last) == pytest.approx(kind.rate, rel=0.15)
    assert last.lost <= dropped_datagrams() - dropped


async def test_sound_alone_is_heard(tmp_path: pathlib.Path) -> None:
    source = clips.wav(tmp_path / "tone.wav", seconds=2.0)
    async with hairpin("demo", *LISTEN, "--source", str(source)) as demo, chromium() as browser:
        page = await browser.new_page()
        await page.goto(demo.address)
        await page.wait_for_function(
            "async () => [...(await window.peer?.()?.getStats() ?? new Map()).values()]"
            ".some((r) => r.type === 'inbound-rtp' && r.packetsReceived > 50)",
        )
        line = await page.inner_text("#source")

    assert line == "tone.wav · sound encoded once to Opus"


async def test_without_a_source_the_test_card_is_shown() -> None:
    dropped = dropped_datagrams()
    async with hairpin("demo", *LISTEN) as demo, chromium() as browser:
        page = await browser.new_page()
        await page.goto(demo.address)
        await wait_for_frames(page, 25)
        first, last = await paced(page, 25, seconds=3, tolerance=0.1)
        line = await page.inner_text("#source")

    assert line.startswith("test card · 640x360 encoded once to H.264")
    assert frame_rate(first, last) == pytest.approx(25, rel=0.1)
    assert last.audio_packets > first.audio_packets
    assert last.lost <= dropped_datagrams() - dropped
