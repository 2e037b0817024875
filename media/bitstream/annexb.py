"""H.264 byte streams: NAL units behind start codes or behind lengths.

ITU-T H.264 annex B (byte stream format), and ISO/IEC 14496-15 section 5.3.3
(length-prefixed samples, as MP4 and Matroska store them).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable

from transport import ByteReader, DecodeError

START_CODE = b"\x00\x00\x00\x01"

_START = re.compile(b"\x00\x00\x01")


class NalType(enum.IntEnum):
    """nal_unit_type (H.264 table 7-1), as far as it matters here."""

    SLICE = 1
    IDR_SLICE = 5
    SEI = 6
    SPS = 7
    PPS = 8
    ACCESS_UNIT_DELIMITER = 9
    END_OF_SEQUENCE = 10
    END_OF_STREAM = 11
    FILLER = 12


def nal_type(nal: bytes) -> int:
    """nal_unit_type of a NAL unit that is not empty."""
    return nal[0] & 0x1F


def split_annex_b(data: bytes) -> list[bytes]:
    """The NAL units of a byte stream, without start codes and trailing zeros.

    Start codes of three and four bytes are taken; what stands before the first is
    skipped (H.264 section B.1.2).
    """
    starts = [match.end() for match in _START.finditer(data)]
    ends = [*(start - 3 for start in starts[1:]), len(data)]
    nals = (data[start:end].rstrip(b"\x00") for start, end in zip(starts, ends, strict=False))
    return [nal for nal in nals if nal]


def join_annex_b(nals: Iterable[bytes]) -> bytes:
    """A byte stream of these NAL units, each behind a start code of four bytes."""
    return b"".join(part for nal in nals for part in (START_CODE, nal))


def split_length_prefixed(data: bytes, length_size: int = 4) -> list[bytes]:
    """The NAL units of an MP4 sample; empty ones are skipped.

    Raises:
        DecodeError: a length reaches past the end.
    """
    if length_size not in (1, 2, 3, 4):
        raise ValueError(f"a NAL unit length has 1 to 4 bytes, not {length_size}")
    reader = ByteReader(data, "length-prefixed NAL units")
    nals = []
    while reader.remaining:
        length = int.from_bytes(reader.take(length_size), "big")
        if length > reader.remaining:
            raise DecodeError("length-prefixed NAL units", f"{length} bytes announced")
        nals.append(reader.take(length))
    return [nal for nal in nals if nal]


def is_annex_b(data: bytes) -> bool:
    """Whether the bytes begin with a start code.

    A sample whose first NAL unit has exactly one byte, or 256 to 511, looks the same
    behind lengths; ask the container, and use this only where there is none.
    """
    return data.startswith((b"\x00\x00\x01", START_CODE))
