from __future__ import annotations

import pytest

from media.aio.tracks import MAX_QUEUED_UNITS, RemoteTrack, codec_of, codecs_for
from media.fanout import Rendition
from media.session import UnitReceived
from media.units import AccessUnit, CodecName, MediaKind
from tests.media.session.material import opus_unit, vp8_unit


def received(unit: AccessUnit) -> UnitReceived:
    return UnitReceived("0", unit)


async def drain(track: RemoteTrack) -> list[AccessUnit]:
    track.end()
    return [event.unit async for event in track]


async def test_what_waits_is_read_before_the_end() -> None:
    track = RemoteTrack("0", MediaKind.VIDEO, ())
    units = [vp8_unit(0, keyframe=True), vp8_unit(1)]
    for unit in units:
        assert track.push(received(unit))

    assert await drain(track) == units


async def test_a_reader_that_is_too_slow_goes_on_with_a_keyframe() -> None:
    track = RemoteTrack("0", MediaKind.VIDEO, ())
    for index in range(MAX_QUEUED_UNITS):
        track.push(received(vp8_unit(index, keyframe=index == 0)))

    assert not track.push(received(vp8_unit(300)))
    assert track.push(received(vp8_unit(301)))
    assert track.push(received(vp8_unit(302, keyframe=True)))
    assert track.push(received(vp8_unit(303)))
    assert track.units_dropped == MAX_QUEUED_UNITS + 2
    assert await drain(track) == [vp8_unit(302, keyframe=True), vp8_unit(303)]


async def test_audio_goes_on_at_once() -> None:
    track = RemoteTrack("0", MediaKind.AUDIO, ())
    for index in range(MAX_QUEUED_UNITS + 1):
        assert track.push(received(opus_unit(index)))

    assert await drain(track) == [opus_unit(MAX_QUEUED_UNITS)]


def test_a_rendition_is_offered_as_its_profile() -> None:
    assert (
        codec_of(Rendition(CodecName.H264, profile="64001F")).parameter("profile-level-id")
        == "64001f"
    )
    assert codec_of(Rendition(CodecName.H264)).parameter("profile-level-id") == "42e01f"


def test_video_is_offered_with_retransmission_and_audio_without() -> None:
    video = codecs_for([Rendition(CodecName.H264), Rendition(CodecName.VP8)])

    assert [codec.name for codec in video] == ["H264", "VP8", "rtx"]
    assert [codec.name for codec in codecs_for([Rendition(CodecName.OPUS)])] == ["opus"]


@pytest.mark.parametrize(
    "codecs",
    [pytest.param([], id="none"), pytest.param([CodecName.VP8, CodecName.OPUS], id="two-kinds")],
)
def test_a_track_has_renditions_of_one_kind(codecs: list[CodecName]) -> None:
    with pytest.raises(ValueError, match="one kind"):
        codecs_for([Rendition(codec) for codec in codecs])
