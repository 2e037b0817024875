"""H.264 sequence and picture parameter sets (H.264 sections 7.3.2.1, 7.3.2.2, E.1.1)."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Self

from transport import DecodeError

from .annexb import NalType, nal_type
from .bits import BitReader, unescape

HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
"""profile_idc values whose sets carry the chroma format (H.264 section 7.3.2.1.1)."""

PROFILES_WITHOUT_REORDERING = frozenset({66})
"""Baseline has no B slices (H.264 section A.2.1)."""

EXTENDED_SAR = 255

MAX_CYCLE_LENGTH = 255
"""num_ref_frames_in_pic_order_cnt_cycle (H.264 section 7.4.2.1.1)."""

MAX_MACROBLOCKS_PER_SIDE = 1055
"""Level 6.2 (H.264 table A-1): the square root of 8 * MaxFS."""


@dataclasses.dataclass(frozen=True, slots=True)
class SequenceParameterSet:
    """What a sequence parameter set says about the pictures.

    ``max_reorder_frames`` is how many pictures may stand before one in decoding order
    and after it in output order: 0 means display order, None means that the stream
    does not say.
    """

    set_id: int
    profile_idc: int
    constraint_flags: int
    level_idc: int
    width: int
    height: int
    interlaced: bool
    frame_rate: Fraction | None
    max_reorder_frames: int | None

    @classmethod
    def decode(cls, nal: bytes) -> Self:
        """Raises DecodeError for anything that is no sequence parameter set."""
        if not nal or nal_type(nal) != NalType.SPS:
            raise DecodeError("SPS", "not a sequence parameter set")
        if len(nal) < 4:
            raise DecodeError("SPS", "too short")
        reader = BitReader(unescape(nal[1:]), "SPS")
        profile_idc, constraint_flags, level_idc = reader.bits(8), reader.bits(8), reader.bits(8)
        set_id = reader.unsigned()
        if set_id > 31:
            raise DecodeError("SPS", f"id {set_id}")
        chroma_format = _chroma_format(reader) if profile_idc in HIGH_PROFILES else 1
        reader.unsigned()  # log2_max_frame_num_minus4
        count_type = _skip_picture_order_count(reader)
        reader.unsigned()  # max_num_ref_frames
        reader.flag()  # gaps_in_frame_num_value_allowed_flag
        width, height, interlaced = _dimensions(reader, chroma_format)
        rate, reorder = _usability(reader)
        if profile_idc in PROFILES_WITHOUT_REORDERING or count_type == 2:
            reorder = 0  # type 2 means output order is decoding order (section 8.2.1.3)
        return cls(
            set_id,
            profile_idc,
            constraint_flags,
            level_idc,
            width,
            height,
            interlaced,
            rate,
            reorder,
        )

    @property
    def profile_level_id(self) -> str:
        """The six hexadecimal digits of RFC 6184 section 8.1."""
        return f"{self.profile_idc:02x}{self.constraint_flags:02x}{self.level_idc:02x}"


@dataclasses.dataclass(frozen=True, slots=True)
class PictureParameterSet:
    """The ids of a picture parameter set."""

    set_id: int
    sequence_set_id: int

    @classmethod
    def decode(cls, nal: bytes) -> Self:
        """Raises DecodeError for anything that is no picture parameter set."""
        if not nal or nal_type(nal) != NalType.PPS:
            raise DecodeError("PPS", "not a picture parameter set")
        reader = BitReader(unescape(nal[1:16]), "PPS")
        set_id, sequence_set_id = reader.unsigned(), reader.unsigned()
        if set_id > 255 or sequence_set_id > 31:
            raise DecodeError("PPS", f"id {set_id} of sequence parameter set {sequence_set_id}")
        return cls(set_id, sequence_set_id)


def _chroma_format(reader: BitReader) -> int:
    chroma_format = reader.unsigned()
    if chroma_format > 3:
        raise DecodeError("SPS", f"chroma_format_idc {chroma_format}")
    if chroma_format == 3:
        reader.flag()  # separate_colour_plane_flag
    reader.unsigned()  # bit_depth_luma_minus8
    reader.unsigned()  # bit_depth_chroma_minus8
    reader.flag()  # qpprime_y_zero_transform_bypass_flag
    if reader.flag():
        for index in range(8 if chroma_format != 3 else 12):
            if reader.flag():
                _skip_scaling_list(reader, 16 if index < 6 else 64)
    return chroma_format


def _skip_scaling_list(reader: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + reader.signed()) % 256
        last = following or last


def _skip_picture_order_count(reader: BitReader) -> int:
    count_type = reader.unsigned()
    if count_type == 0:
        reader.unsigned()  # log2_max_pic_order_cnt_lsb_minus4
    elif count_type == 1:
        reader.flag()
        reader.signed()
        reader.signed()
        cycle = reader.unsigned()
        if cycle > MAX_CYCLE_LENGTH:
            raise DecodeError("SPS", f"a picture order cycle of {cycle}")
        for _ in range(cycle):
            reader.signed()
    elif count_type > 2:
        raise DecodeError("SPS", f"pic_order_cnt_type {count_type}")
    return count_type


def _dimensions(reader: BitReader, chroma_format: int) -> tuple[int, int, bool]:
    """Width and height after cropping (H.264 section 7.4.2.1.1), and interlacing."""
    columns, rows = reader.unsigned() + 1, reader.unsigned() + 1
    if max(columns, rows) > MAX_MACROBLOCKS_PER_SIDE:
        raise DecodeError("SPS", f"{columns} by {rows} macroblocks")
    frames_only = reader.flag()
    if not frames_only:
        reader.flag()  # mb_adaptive_frame_field_flag
    reader.flag()  # direct_8x8_inference_flag
    width, height = 16 * columns, 16 * rows * (1 if frames_only else 2)
    if reader.flag():
        left, right, top, bottom = (reader.unsigned() for _ in range(4))
        width -= (left + right) * (2 if chroma_format in (1, 2) else 1)
        vertical = 2 if chroma_format == 1 else 1
        height -= (top + bottom) * vertical * (1 if frames_only else 2)
    if width < 1 or height < 1:
        raise DecodeError("SPS", "cropped to nothing")
    return width, height, not frames_only


def _usability(reader: BitReader) -> tuple[Fraction | None, int | None]:
    """Frame rate and reordering out of the VUI parameters (H.264 section E.1.1)."""
    if not reader.flag():
        return None, None
    if reader.flag() and reader.bits(8) == EXTENDED_SAR:
        reader.bits(32)
    if reader.flag():
        reader.flag()  # overscan_appropriate_flag
    if reader.flag():
        reader.bits(4)  # video_format, video_full_range_flag
        if reader.flag():
            reader.bits(24)  # colour description
    if reader.flag():
        reader.unsigned()
        reader.unsigned()
    rate = _frame_rate(reader) if reader.flag() else None
    return rate, _reordering(reader)


def _frame_rate(reader: BitReader) -> Fraction | None:
    units_in_tick, time_scale = reader.bits(32), reader.bits(32)
    reader.flag()  # fixed_frame_rate_flag
    if not units_in_tick or not time_scale:
        return None
    return Fraction(time_scale, 2 * units_in_tick)


def _reordering(reader: BitReader) -> int | None:
    has_nal_hrd = reader.flag()
    if has_nal_hrd:
        _skip_hrd(reader)
    has_vcl_hrd = reader.flag()
    if has_vcl_hrd:
        _skip_hrd(reader)
    if has_nal_hrd or has_vcl_hrd:
        reader.flag()  # low_delay_hrd_flag
    reader.flag()  # pic_struct_present_flag
    if not reader.flag():
        return None
    reader.flag()  # motion_vectors_over_pic_boundaries_flag
    for _ in range(4):
        reader.unsigned()
    return reader.unsigned()


def _skip_hrd(reader: BitReader) -> None:
    """hrd_parameters (H.264 section E.1.2)."""
    count = reader.unsigned() + 1
    if count > 32:
        raise DecodeError("SPS", f"{count} coded picture buffers")
    reader.bits(8)
    for _ in range(count):
        reader.unsigned()
        reader.unsigned()
        reader.flag()
    reader.bits(20)
