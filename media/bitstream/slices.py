"""What the head of an H.264 slice says (H.264 section 7.3.3)."""

from __future__ import annotations

import dataclasses
import enum
from typing import Self

from transport import DecodeError

from .annexb import NalType, nal_type
from .bits import BitReader, unescape

HEAD_BYTES = 16
"""Enough for the two codes that are read."""


class SliceType(enum.Enum):
    """slice_type modulo 5 (H.264 table 7-6)."""

    P = 0
    B = 1
    I = 2  # noqa: E741 - the standard's name
    SP = 3
    SI = 4


@dataclasses.dataclass(frozen=True, slots=True)
class SliceHeader:
    """The first two fields of a slice."""

    first_macroblock: int
    slice_type: SliceType

    @classmethod
    def decode(cls, nal: bytes) -> Self:
        """Raises DecodeError for anything that is no slice."""
        if not nal or nal_type(nal) not in (NalType.SLICE, NalType.IDR_SLICE):
            raise DecodeError("slice", "not a slice")
        reader = BitReader(unescape(nal[1:HEAD_BYTES]), "slice")
        first, slice_type = reader.unsigned(), reader.unsigned()
        if slice_type > 9:
            raise DecodeError("slice", f"slice_type {slice_type}")
        return cls(first, SliceType(slice_type % 5))
