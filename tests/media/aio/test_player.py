from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from media.aio.player import open_source, play_into
from media.fanout import KeyframeSource, PacketizedUnit, Rendition
from media.payload import packetizer_for
from media.source import MediaSourceError, Origin, SourceStream
from media.units import AccessUnit, CodecName, MediaKind
from tests.media import clips


class Sink:
    """What one viewer gets."""

    def __init__(self) -> None:
        self.units: list[PacketizedUnit] = []

    def discard_waiting(self) -> None: ...

    def send_unit(self, unit: PacketizedUnit, timestamp: int, now: float) -> None:
        self.units.append(unit)


NewThreads = Callable[[], set[threading.Thread]]


@pytest.fixture
def new_threads(monkeypatch: pytest.MonkeyPatch) -> NewThreads:
    """Those since the test began; a source has time to end its own, however slow it is."""
    monkeypatch.setattr("media.aio.player.CLOSE_TIMEOUT", 50.0)
    before = set(threading.enumerate())
    return lambda: set(threading.enumerate()) - before


async def first_of(
    units: AsyncIterator[tuple[SourceStream, AccessUnit]], count: int
) -> AsyncIterator[tuple[SourceStream, AccessUnit]]:
    async for item in units:
        yield item
        count -= 1
        if not count:
            return


async def test_a_clip_plays_to_its_end_by_the_loops_clock(tmp_path: Path) -> None:
    clip = clips.h264_mp4(tmp_path / "clip.mp4", frames=4, gop=4, audio=False)
    clock = asyncio.get_running_loop().time
    dues = []

    async with open_source(clip, loop=False) as source:
        start = clock()
        async for _, unit in source.units():
            dues.append(clock() - start - unit.timestamp / 90_000)

    assert len(dues) == 4
    assert min(dues) >= -0.001  # never early; how late depends on the machine


async def test_a_looped_clip_goes_on_until_it_is_closed_and_leaves_no_thread(
    tmp_path: Path, new_threads: NewThreads
) -> None:
    clip = clips.h264_mp4(tmp_path / "clip.mp4", frames=2, gop=2, audio=False)
    timestamps = []

    async with open_source(clip) as source:
        async for _, unit in source.units():
            timestamps.append(unit.timestamp)
            if len(timestamps) == 5:
                break

    assert [after - before for before, after in itertools.pairwise(timestamps)] == [3600] * 4
    assert not new_threads()


async def test_streams_can_be_used_and_released_while_playing(tmp_path: Path) -> None:
    clip = clips.mpeg4_avi(tmp_path / "clip.avi", frames=4)
    seen: list[SourceStream] = []

    async with open_source(clip) as source:
        h264, vp8, _ = source.description.streams
        source.use(h264)
        async for stream, _ in source.units():
            seen.append(stream)
            if len(seen) == 2:
                source.request_keyframe(h264)
                source.set_bitrate(h264, 100_000)
                source.use(vp8)
                source.release(h264)
            if stream == vp8:
                break

    assert seen[0] == h264
    assert seen[-1] == vp8


async def test_a_source_that_was_opened_and_never_read_is_closed(
    tmp_path: Path, new_threads: NewThreads
) -> None:
    clip = clips.wav(tmp_path / "tone.wav")

    async with open_source(clip) as source:
        description = source.description

    assert description.video is None
    assert not new_threads()


async def test_opening_what_does_not_exist_raises_and_leaves_no_thread(
    tmp_path: Path, new_threads: NewThreads
) -> None:
    path = tmp_path / "missing.mp4"

    with pytest.raises(MediaSourceError, match="there is no such file"):
        async with open_source(path):
            pass

    assert not new_threads()


async def test_what_goes_wrong_while_playing_reaches_the_reader(tmp_path: Path) -> None:
    clip = clips.vp8_webm(tmp_path / "clip.webm", frames=1)
    units = []

    async with open_source(clip) as source:
        clip.unlink()  # Matroska is opened anew for the second pass
        playing = source.units()
        units.append(await anext(playing))
        with pytest.raises(MediaSourceError, match="there is no such file"):
            units.append(await anext(playing))

    assert len(units) == 1


async def test_the_test_card_plays_at_once_and_leaves_no_thread(
    new_threads: NewThreads,
) -> None:
    async with open_source("test-card") as source:
        h264 = source.description.streams[0]
        source.use(h264)
        found = [unit async for _, unit in first_of(source.units(), 3)]

    assert source.description.name == "test card"
    assert [unit.keyframe for unit in found] == [True, False, False]
    assert not new_threads()


async def test_a_stream_that_is_not_offered_cannot_be_used(tmp_path: Path) -> None:
    clip = clips.wav(tmp_path / "tone.wav")

    async with open_source(clip) as source:
        with pytest.raises(ValueError, match="offers no"):
            source.use(SourceStream(CodecName.VP8, Origin.ENCODED))


@pytest.mark.requirement("sdp-media:SYS01")
async def test_a_source_plays_into_renditions_and_makes_the_keyframes_they_ask_for(
    tmp_path: Path,
) -> None:
    clip = clips.mpeg4_avi(tmp_path / "clip.avi", frames=5)
    clock = asyncio.get_running_loop().time

    async with open_source(clip, loop=False) as source:
        (vp8,) = (one for one in source.description.streams if one.codec is CodecName.VP8)
        rendition = Rendition(
            vp8.codec, packetizer_for(vp8.codec, 1100), keyframes=KeyframeSource.ENCODER
        )
        viewers = [Sink() for _ in range(10)]
        for viewer in viewers:
            rendition.attach(viewer, clock())
        source.use(vp8)
        await play_into(source, {vp8: rendition})

    assert rendition.units_packetized == 5
    assert [len(viewer.units) for viewer in viewers] == [5] * 10
    assert viewers[0].units[0].keyframe
    assert viewers[0].units[0].codec.kind is MediaKind.VIDEO
