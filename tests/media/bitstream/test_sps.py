from __future__ import annotations

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.bitstream import PictureParameterSet, SequenceParameterSet
from transport import DecodeError

from .bit_writer import BitWriter

HIGH_1080 = "67640028acd940780227e584000003000400000300f03c60c658"

FROM_X264 = [
    pytest.param(HIGH_1080, "640028", (1920, 1080), 2, id="high-cropped-b-frames"),
    pytest.param(
        "6742c01fd9005005ba10000003001000000303c8f1832480",
        "42c01f",
        (1280, 720),
        0,
        id="constrained-baseline",
    ),
    pytest.param(
        "674d401ed900a02ff9610000030001000003003c0f162e48", "4d401e", (640, 360), 0, id="main"
    ),
    pytest.param(
        "6764000bacd942c4e840000003004000000f181000c3500186b930c01e28532c",
        "64000b",
        (176, 144),
        2,
        id="with-hrd",
    ),
    pytest.param(
        "67640028acd9405a0227e5c3bd40404050000003001000000303c0f1831960",
        "640028",
        (1440, 1080),
        2,
        id="with-aspect-ratio-and-colours",
    ),
]


@pytest.mark.requirement("sdp-media:PAY05")
@pytest.mark.parametrize(("nal", "profile_level_id", "size", "reorder"), FROM_X264)
def test_sequence_parameter_sets_of_x264(
    nal: str, profile_level_id: str, size: tuple[int, int], reorder: int
) -> None:
    found = SequenceParameterSet.decode(bytes.fromhex(nal))

    assert found.profile_level_id == profile_level_id
    assert (found.width, found.height) == size
    assert found.max_reorder_frames == reorder
    assert found.frame_rate == Fraction(30)
    assert not found.interlaced


def test_an_interlaced_set_counts_both_fields() -> None:
    found = SequenceParameterSet.decode(
        bytes.fromhex("67640015ace4113f2c20000003002000000783e28549")
    )

    assert (found.width, found.height, found.interlaced) == (64, 48, True)


def minimal(**fields: int) -> BitWriter:
    """A Main profile set of one macroblock, without VUI parameters unless more is written."""
    writer = BitWriter().bits(77, 8).bits(0, 8).bits(30, 8)
    writer.unsigned(fields.get("set_id", 0)).unsigned(0)
    writer.unsigned(fields.get("count_type", 2))
    return writer


def tail(writer: BitWriter, *, columns: int = 1, rows: int = 1) -> BitWriter:
    writer.unsigned(1).bits(0, 1).unsigned(columns - 1).unsigned(rows - 1)
    return writer.bits(1, 1).bits(1, 1).bits(0, 1)


def test_without_vui_parameters_rate_and_reordering_are_unknown() -> None:
    writer = tail(minimal(count_type=0).unsigned(4)).bits(0, 1)

    found = SequenceParameterSet.decode(writer.nal(0x67))

    assert (found.frame_rate, found.max_reorder_frames) == (None, None)


def test_picture_order_count_type_2_is_display_order() -> None:
    found = SequenceParameterSet.decode(tail(minimal(count_type=2)).bits(0, 1).nal(0x67))

    assert found.max_reorder_frames == 0


def test_picture_order_count_type_1_is_read_over() -> None:
    writer = minimal(count_type=1).bits(0, 1).unsigned(0).unsigned(3).unsigned(2)
    tail(writer.unsigned(1).unsigned(2), columns=2, rows=3).bits(0, 1)

    found = SequenceParameterSet.decode(writer.nal(0x67))

    assert (found.width, found.height) == (32, 48)


def test_scaling_lists_of_4_4_4_are_read_over() -> None:
    writer = BitWriter().bits(244, 8).bits(0, 8).bits(30, 8).unsigned(0)
    writer.unsigned(3).bits(0, 1).unsigned(0).unsigned(0).bits(0, 1).bits(1, 1)
    writer.bits(1, 1).unsigned(16)  # a delta of -8: the list is the default one
    for _ in range(11):
        writer.bits(0, 1)
    tail(writer.unsigned(0).unsigned(2)).bits(0, 1)

    assert SequenceParameterSet.decode(writer.nal(0x67)).width == 16


def test_a_clock_of_no_ticks_gives_no_rate() -> None:
    writer = tail(minimal()).bits(1, 1)  # with VUI parameters
    writer.bits(0, 1).bits(0, 1).bits(0, 1).bits(0, 1)
    writer.bits(1, 1).bits(0, 32).bits(60, 32).bits(0, 1)
    writer.bits(0, 1).bits(0, 1).bits(0, 1).bits(0, 1)

    assert SequenceParameterSet.decode(writer.nal(0x67)).frame_rate is None


def test_an_extended_aspect_ratio_is_read_over() -> None:
    writer = tail(minimal()).bits(1, 1).bits(1, 1).bits(255, 8).bits(0x00010001, 32)
    writer.bits(0, 1).bits(0, 1).bits(0, 1)
    writer.bits(1, 1).bits(1, 32).bits(50, 32).bits(0, 1)
    writer.bits(0, 1).bits(0, 1).bits(0, 1).bits(0, 1)

    assert SequenceParameterSet.decode(writer.nal(0x67)).frame_rate == 25


MALFORMED = [
    pytest.param(b"", id="empty"),
    pytest.param(bytes.fromhex("68ebe3cb22c0"), id="a-picture-parameter-set"),
    pytest.param(bytes.fromhex("674200"), id="three-bytes"),
    pytest.param(bytes.fromhex(HIGH_1080)[:8], id="cut-off"),
    pytest.param(minimal(set_id=32).nal(0x67), id="id-32"),
    pytest.param(tail(minimal(count_type=3)).nal(0x67), id="picture-order-count-type-3"),
    pytest.param(tail(minimal(), columns=5000).nal(0x67), id="too-wide"),
    pytest.param(bytes.fromhex("674d001e00000000ff"), id="a-code-over-32-bits"),
    pytest.param(
        BitWriter().bits(100, 8).bits(0, 16).unsigned(0).unsigned(4).nal(0x67), id="chroma-4"
    ),
    pytest.param(
        minimal(count_type=1).bits(0, 1).unsigned(0).unsigned(0).unsigned(256).nal(0x67),
        id="cycle-256",
    ),
    pytest.param(
        minimal().unsigned(1).bits(0, 1).unsigned(0).unsigned(0).bits(1, 1).bits(1, 1).bits(1, 1)
        .unsigned(4).unsigned(4).unsigned(0).unsigned(0).bits(0, 1).nal(0x67),
        id="cropped-to-nothing",
    ),
    pytest.param(
        tail(minimal()).bits(1, 1).bits(0, 4).bits(0, 1).bits(1, 1).unsigned(32).nal(0x67),
        id="33-coded-picture-buffers",
    ),
]  # fmt: skip


@pytest.mark.parametrize("nal", MALFORMED)
def test_malformed_sequence_parameter_sets_are_refused(nal: bytes) -> None:
    with pytest.raises(DecodeError):
        SequenceParameterSet.decode(nal)


def test_a_picture_parameter_set_names_its_sequence_parameter_set() -> None:
    nal = BitWriter().unsigned(7).unsigned(3).bits(0, 8).nal(0x68)

    assert PictureParameterSet.decode(nal) == PictureParameterSet(7, 3)


@pytest.mark.parametrize(
    "nal",
    [b"", b"\x67\x42", b"\x68", BitWriter().unsigned(256).unsigned(0).nal(0x68)],
    ids=["empty", "a-sequence-parameter-set", "cut-off", "id-256"],
)
def test_malformed_picture_parameter_sets_are_refused(nal: bytes) -> None:
    with pytest.raises(DecodeError):
        PictureParameterSet.decode(nal)


@given(st.binary(max_size=60), st.sampled_from([0x67, 0x68]))
def test_no_bytes_raise_anything_but_decode_error(body: bytes, head: int) -> None:
    kind = SequenceParameterSet if head == 0x67 else PictureParameterSet
    with contextlib.suppress(DecodeError):
        kind.decode(bytes([head]) + body)


@given(st.data())
def test_no_changed_byte_raises_anything_but_decode_error(data: st.DataObject) -> None:
    nal = bytearray(bytes.fromhex(HIGH_1080))
    nal[data.draw(st.integers(1, len(nal) - 1))] = data.draw(st.integers(0, 255))

    with contextlib.suppress(DecodeError):
        SequenceParameterSet.decode(bytes(nal))
