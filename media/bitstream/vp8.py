"""The head of a VP8 frame (RFC 6386 sections 9.1 and 19.1)."""

from __future__ import annotations

import dataclasses
from typing import Self

from transport import DecodeError

START_CODE = b"\x9d\x01\x2a"


@dataclasses.dataclass(frozen=True, slots=True)
class Vp8FrameHeader:
    """The uncompressed data chunk; width and height stand in key frames only."""

    keyframe: bool
    version: int
    shown: bool
    first_partition_bytes: int
    width: int = 0
    height: int = 0

    @classmethod
    def decode(cls, frame: bytes) -> Self:
        """Raises DecodeError when the chunk is cut off or lacks its start code."""
        if len(frame) < 3:
            raise DecodeError("VP8 frame", "shorter than its header")
        tag = int.from_bytes(frame[:3], "little")
        inter, version, shown, first = tag & 1, tag >> 1 & 7, tag >> 4 & 1, tag >> 5
        if inter:
            return cls(False, version, bool(shown), first)
        if len(frame) < 10 or frame[3:6] != START_CODE:
            raise DecodeError("VP8 frame", "a key frame without its start code")
        width = int.from_bytes(frame[6:8], "little") & 0x3FFF
        height = int.from_bytes(frame[8:10], "little") & 0x3FFF
        return cls(True, version, bool(shown), first, width, height)


def is_vp8_keyframe(frame: bytes) -> bool:
    """The P bit alone (RFC 7741 section 4.3)."""
    return bool(frame) and not frame[0] & 0x01
