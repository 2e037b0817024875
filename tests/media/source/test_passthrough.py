from __future__ import annotations

import dataclasses
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.bitstream import SequenceParameterSet, join_annex_b
from media.source import (
    AudioTrack,
    EncodeSettings,
    H264Passthrough,
    MediaSourceError,
    Origin,
    SourceDescription,
    SourceStream,
    VideoFindings,
    VideoTrack,
    Vp8Passthrough,
    audio_obstacle,
    encode_settings,
    video_obstacle,
)
from media.units import AccessUnit, CodecName

SPS = bytes.fromhex("6742c01fd9005005ba10000003001000000303c8f1832480")
PPS = bytes.fromhex("68cb83cb20")
IDR = b"\x65\xb8\x80"
SLICE = b"\x41\x9a\x80"
AVCC = bytes.fromhex("0142c01fffe1") + b"\x00\x18" + SPS + b"\x01\x00\x05" + PPS


def sample(*nals: bytes) -> bytes:
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)


@pytest.mark.requirement("sdp-media:PAY05")
@pytest.mark.requirement("sdp-media:PAY06")
def test_samples_of_mp4_become_annex_b_with_the_parameter_sets_of_avcc() -> None:
    passthrough = H264Passthrough(AVCC)

    key = passthrough.unit(sample(IDR), 0)
    inter = passthrough.unit(sample(b"\x09\xf0", SLICE), 3000)

    assert key == AccessUnit(CodecName.H264, join_annex_b([SPS, PPS, IDR]), 0, True)
    assert inter == AccessUnit(CodecName.H264, join_annex_b([SLICE]), 3000, False)


@pytest.mark.requirement("sdp-media:PAY06")
def test_byte_streams_are_taken_as_they_are() -> None:
    passthrough = H264Passthrough(join_annex_b([SPS, PPS]))

    unit = passthrough.unit(b"\x00\x00\x01" + IDR + b"\x00\x00", 0)

    assert unit is not None
    assert unit.data == join_annex_b([SPS, PPS, IDR])


def test_parameter_sets_are_found_in_the_first_samples() -> None:
    passthrough = H264Passthrough(b"")
    assert passthrough.parameter_set() is None

    found = passthrough.parameter_set([join_annex_b([SPS, PPS, IDR])])

    assert found == SequenceParameterSet.decode(SPS)


def test_a_damaged_avcc_leaves_the_samples_readable() -> None:
    passthrough = H264Passthrough(AVCC[:20])

    unit = passthrough.unit(sample(SPS, PPS, IDR), 0)

    assert unit is not None
    assert unit.keyframe


@pytest.mark.parametrize("data", [b"", b"\x00\x00\x00\x09\x41", b"\x00\x00\x00\x00"])
def test_damaged_and_empty_samples_give_no_unit(data: bytes) -> None:
    assert H264Passthrough(AVCC).unit(data, 0) is None


def test_vp8_frames_are_passed_on() -> None:
    passthrough = Vp8Passthrough()

    assert passthrough.unit(b"\x10key", 5) == AccessUnit(CodecName.VP8, b"\x10key", 5, True)
    assert passthrough.unit(b"", 5) is None


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_no_extradata_and_no_sample_raise(extradata: bytes, data: bytes) -> None:
    for head in (b"", b"\x01"):
        passthrough = H264Passthrough(head + extradata)
        passthrough.unit(data, 0)
        passthrough.parameter_set()


BASELINE = SequenceParameterSet.decode(SPS)
FINE = VideoFindings("h264", True, 2.0, BASELINE)


@pytest.mark.parametrize(
    ("findings", "obstacle"),
    [
        pytest.param(FINE, None, id="baseline"),
        pytest.param(VideoFindings("vp8", True, None), None, id="vp8"),
        pytest.param(
            VideoFindings("hevc", True), "browsers take no hevc over WebRTC", id="another-codec"
        ),
        pytest.param(
            dataclasses.replace(FINE, in_display_order=False),
            "its frames are not in display order (B frames)",
            id="b-frames",
        ),
        pytest.param(
            dataclasses.replace(FINE, rotation=-90),
            "it is to be turned by 90 degrees",
            id="phone",
        ),
        pytest.param(
            dataclasses.replace(FINE, pixel_aspect=Fraction(16, 11)),
            "its pixels are not square",
            id="anamorphic",
        ),
        pytest.param(
            dataclasses.replace(FINE, group_bytes=16 * 1024 * 1024 + 1),
            "its key frames are more than 16 MB apart",
            id="large-groups",
        ),
        pytest.param(
            dataclasses.replace(FINE, keyframe_interval=12.1),
            "its key frames are more than 12 seconds apart",
            id="long-groups",
        ),
        pytest.param(
            dataclasses.replace(FINE, parameter_set=None),
            "it has no sequence parameter set",
            id="no-parameter-set",
        ),
        pytest.param(
            dataclasses.replace(FINE, parameter_set=dataclasses.replace(BASELINE, profile_idc=244)),
            "browsers take no H.264 profile 244",
            id="profile",
        ),
        pytest.param(
            dataclasses.replace(FINE, parameter_set=dataclasses.replace(BASELINE, interlaced=True)),
            "it is interlaced",
            id="interlaced",
        ),
    ],
)
def test_why_video_cannot_be_passed_through(findings: VideoFindings, obstacle: str | None) -> None:
    assert video_obstacle(findings) == obstacle


@pytest.mark.parametrize(
    ("codec", "channels", "obstacle"),
    [
        ("opus", 2, None),
        ("aac", 2, "WebRTC carries Opus, not aac"),
        ("opus", 6, "it has 6 channels, and Opus in WebRTC has two (RFC 7587 section 4.3)"),
    ],
)
def test_why_audio_cannot_be_passed_through(
    codec: str, channels: int, obstacle: str | None
) -> None:
    assert audio_obstacle(codec, channels) == obstacle


def test_the_cheapest_stream_is_offered_first() -> None:
    video = VideoTrack("h264", 640, 360, None, True, 2.0, "42c01f")
    audio = AudioTrack("opus", 48_000, 2)

    streams = SourceDescription("clip", video, audio).streams

    assert streams == (
        SourceStream(CodecName.H264, Origin.PASSTHROUGH, "42c01f"),
        SourceStream(CodecName.H264, Origin.ENCODED, "42e01f"),
        SourceStream(CodecName.VP8, Origin.ENCODED),
        SourceStream(CodecName.OPUS, Origin.PASSTHROUGH),
    )


def test_what_has_an_obstacle_is_offered_encoded_only() -> None:
    video = VideoTrack("vp9", 640, 360, None, True, obstacle="no")
    audio = AudioTrack("aac", 44_100, 2, "no")

    streams = SourceDescription("clip", video, audio).streams

    assert {stream.origin for stream in streams} == {Origin.ENCODED}
    assert SourceDescription("nothing", None, None).streams == ()


@pytest.mark.parametrize(
    ("size", "rate", "expected"),
    [
        ((1920, 1080), Fraction(60), EncodeSettings(1280, 720, Fraction(30), 2_500_000)),
        ((640, 361), None, EncodeSettings(640, 360, Fraction(30), 883_883)),
        ((1080, 1920), Fraction(25), EncodeSettings(720, 1280, Fraction(25), 2_180_489)),
        ((2, 2), Fraction(1), EncodeSettings(2, 2, Fraction(1), 150_000)),
    ],
)
def test_pictures_are_encoded_in_what_level_3_1_allows(
    size: tuple[int, int], rate: Fraction | None, expected: EncodeSettings
) -> None:
    settings = encode_settings(*size, rate)

    assert settings == dataclasses.replace(expected, bitrate=settings.bitrate)
    assert abs(settings.bitrate - expected.bitrate) <= 1


def test_an_error_is_one_line_that_names_the_source() -> None:
    error = MediaSourceError("clip.mp4", "there is no such file")

    assert str(error) == "clip.mp4: there is no such file"
