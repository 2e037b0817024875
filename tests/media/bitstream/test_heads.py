"""avcC, slices, parameter sets, Opus and VP8: the small readers."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.bitstream import (
    AvcDecoderConfiguration,
    OpusPacketHead,
    ParameterSets,
    SliceHeader,
    SliceType,
    Vp8FrameHeader,
    is_vp8_keyframe,
)
from transport import DecodeError

from .bit_writer import BitWriter

SPS = bytes.fromhex("6742c01fd9005005ba10000003001000000303c8f1832480")
OTHER_SPS = bytes.fromhex("674d401ed900a02ff9610000030001000003003c0f162e48")
PPS = bytes.fromhex("68cb83cb20")
IDR = b"\x65\xb8\x80"
DELIMITER = b"\x09\x10"

AVCC = bytes.fromhex("0142c01fff e1") + b"\x00\x18" + SPS + b"\x01\x00\x05" + PPS


@pytest.mark.requirement("sdp-media:PAY05")
def test_avcc_holds_parameter_sets_and_the_size_of_lengths() -> None:
    found = AvcDecoderConfiguration.decode(AVCC + b"high profile extension")

    assert found == AvcDecoderConfiguration(4, (SPS,), (PPS,))
    assert found.parameter_sets == (SPS, PPS)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x02" + AVCC[1:], id="version-2"),
        pytest.param(AVCC[:4] + b"\xfe" + AVCC[5:], id="lengths-of-three-bytes"),
        pytest.param(AVCC[:-1], id="cut-off"),
        pytest.param(AVCC[:5] + b"\xe2" + AVCC[6:], id="more-sets-announced"),
    ],
)
def test_malformed_avcc_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        AvcDecoderConfiguration.decode(data)


@pytest.mark.parametrize(
    ("slice_type", "expected"),
    [(0, SliceType.P), (5, SliceType.P), (1, SliceType.B), (6, SliceType.B), (7, SliceType.I)],
)
def test_slice_types_come_in_two_ranges(slice_type: int, expected: SliceType) -> None:
    nal = BitWriter().unsigned(12).unsigned(slice_type).bits(0, 8).nal(0x41)

    assert SliceHeader.decode(nal) == SliceHeader(12, expected)


@pytest.mark.parametrize(
    "nal",
    [b"", SPS, b"\x41", BitWriter().unsigned(0).unsigned(10).nal(0x41)],
    ids=["empty", "no-slice", "cut-off", "type-10"],
)
def test_malformed_slices_are_refused(nal: bytes) -> None:
    with pytest.raises(DecodeError):
        SliceHeader.decode(nal)


@pytest.mark.requirement("sdp-media:PAY05")
@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        pytest.param([IDR], [SPS, PPS, IDR], id="none-in-band"),
        pytest.param([PPS, IDR], [SPS, PPS, IDR], id="sps-missing"),
        pytest.param([SPS, IDR], [SPS, PPS, IDR], id="pps-missing"),
        pytest.param([SPS, PPS, IDR], [SPS, PPS, IDR], id="complete"),
        pytest.param([OTHER_SPS, IDR], [OTHER_SPS, PPS, IDR], id="a-new-sps"),
        pytest.param([b"\x41\x9a\x80"], [b"\x41\x9a\x80"], id="no-idr"),
    ],
)
def test_kept_parameter_sets_complete_an_idr(unit: list[bytes], expected: list[bytes]) -> None:
    assert ParameterSets([SPS, PPS]).before_idr(unit) == expected


def test_a_damaged_parameter_set_is_not_kept_but_stays_in_its_unit() -> None:
    sets = ParameterSets([PPS])

    assert sets.before_idr([b"\x67\x42", IDR]) == [PPS, b"\x67\x42", IDR]
    assert sets.nals == (PPS,)


def test_parameter_sets_beyond_the_bound_are_not_kept() -> None:
    big = BitWriter().unsigned(1).unsigned(0).nal(0x68) + b"\x80" * 70_000

    assert ParameterSets([SPS, big, PPS]).nals == (SPS, PPS)


@pytest.mark.requirement("sdp-media:PAY07")
@pytest.mark.parametrize(
    ("packet", "frames", "samples"),
    [
        pytest.param("fc", 1, 960, id="celt-20-ms"),
        pytest.param("e0", 1, 120, id="celt-2.5-ms"),
        pytest.param("18", 1, 2880, id="silk-60-ms"),
        pytest.param("79", 2, 1920, id="hybrid-2x20-ms"),
        pytest.param("fb06", 6, 5760, id="120-ms"),
    ],
)
def test_the_duration_of_opus_packets(packet: str, frames: int, samples: int) -> None:
    head = OpusPacketHead.decode(bytes.fromhex(packet))

    assert (head.frames, head.samples) == (frames, samples)


@pytest.mark.requirement("sdp-media:PAY07")
@pytest.mark.parametrize("packet", ["", "fb", "fb00", "fb07", "1b03"])
def test_malformed_opus_packets_are_refused(packet: str) -> None:
    with pytest.raises(DecodeError):
        OpusPacketHead.decode(bytes.fromhex(packet))


@pytest.mark.requirement("sdp-media:PAY02")
def test_a_vp8_key_frame_has_a_size_and_an_inter_frame_has_none() -> None:
    key = Vp8FrameHeader.decode(bytes.fromhex("50 01 00 9d 01 2a 40 01 f0 80"))
    inter = Vp8FrameHeader.decode(bytes.fromhex("31 02 00"))

    assert key == Vp8FrameHeader(True, 0, True, 10, 320, 240)
    assert inter == Vp8FrameHeader(False, 0, True, 17)


@pytest.mark.parametrize("frame", ["", "5001", "500100", "500100 9d012b 4001f000"])
def test_malformed_vp8_frames_are_refused(frame: str) -> None:
    with pytest.raises(DecodeError):
        Vp8FrameHeader.decode(bytes.fromhex(frame))


def test_an_empty_frame_is_no_key_frame() -> None:
    assert [is_vp8_keyframe(frame) for frame in (b"", b"\x01", b"\x10")] == [False, False, True]


@given(st.binary(max_size=40))
def test_no_bytes_raise_anything_but_decode_error(data: bytes) -> None:
    for kind in (AvcDecoderConfiguration, SliceHeader, OpusPacketHead, Vp8FrameHeader):
        with contextlib.suppress(DecodeError):
            kind.decode(data)
    with contextlib.suppress(DecodeError):
        AvcDecoderConfiguration.decode(b"\x01" + data)
