"""The first byte of an Opus packet (RFC 6716 section 3.1)."""

from __future__ import annotations

import dataclasses
from typing import Self

from transport import DecodeError

MAX_SAMPLES = 5760
"""120 ms at 48 kHz, the longest packet (RFC 6716 section 3.2.5, R5)."""

_SILK = (480, 960, 1920, 2880)
_HYBRID = (480, 960)
_CELT = (120, 240, 480, 960)


@dataclasses.dataclass(frozen=True, slots=True)
class OpusPacketHead:
    """The table-of-contents byte, and how many frames follow.

    ``samples`` is the packet's duration at 48 kHz, the RTP clock (RFC 7587 section 4.1).
    """

    configuration: int
    stereo: bool
    frames: int
    samples: int

    @classmethod
    def decode(cls, packet: bytes) -> Self:
        """Raises DecodeError when the packet is empty, or longer than 120 ms."""
        if not packet:
            raise DecodeError("Opus packet", "empty")
        configuration, code = packet[0] >> 3, packet[0] & 0x03
        frames = _frame_count(packet) if code == 3 else (1, 2, 2)[code]
        samples = frames * _frame_samples(configuration)
        if samples > MAX_SAMPLES:
            raise DecodeError("Opus packet", f"{samples} samples long")
        return cls(configuration, bool(packet[0] & 0x04), frames, samples)


def _frame_count(packet: bytes) -> int:
    """Code 3: an arbitrary number of frames (RFC 6716 section 3.2.5)."""
    if len(packet) < 2 or not packet[1] & 0x3F:
        raise DecodeError("Opus packet", "no frame count")
    return packet[1] & 0x3F


def _frame_samples(configuration: int) -> int:
    """RFC 6716 table 2."""
    if configuration < 12:
        return _SILK[configuration % 4]
    if configuration < 16:
        return _HYBRID[configuration % 2]
    return _CELT[configuration % 4]
