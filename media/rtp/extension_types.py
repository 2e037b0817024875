"""The header extensions that hairpin knows, and how their data reads."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar, Self

from transport import DecodeError

from .extensions import MAX_LENGTH

MIN_AUDIO_LEVEL = 127
"""The quietest level, -127 dBov, stands for silence too (RFC 6464 section 3)."""

_FULL_SCALE = 32767
_MAX_LEVEL_SAMPLES = 480
"""Of a longer frame every n-th sample is taken; what it aliases keeps its power, and 10
microseconds a frame suffice."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Identification:
    """A text that names what a packet belongs to (RFC 7941: SDES items in a header)."""

    text: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.text.encode()) <= MAX_LENGTH:
            raise ValueError(f"{self.text!r} has not from 1 to {MAX_LENGTH} bytes")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        try:
            return cls(data.decode())
        except ValueError as error:  # not UTF-8, or empty
            raise DecodeError(cls.__name__, "not a text of 1 to 255 bytes") from error

    def encode(self) -> bytes:
        return self.text.encode()


class SdesMid(_Identification):
    """The media description that a packet belongs to (RFC 9143 section 15)."""

    __slots__ = ()
    URI: ClassVar[str] = "urn:ietf:params:rtp-hdrext:sdes:mid"


class SdesRtpStreamId(_Identification):
    """Which of several encodings the packet is of (RFC 8852 section 3.1)."""

    __slots__ = ()
    URI: ClassVar[str] = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"


class SdesRepairedRtpStreamId(_Identification):
    """Which encoding the packet repairs (RFC 8852 section 3.2)."""

    __slots__ = ()
    URI: ClassVar[str] = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"


@dataclasses.dataclass(frozen=True, slots=True)
class AbsoluteSendTime:
    """When the packet left, in seconds modulo 64: 24 bits, 18 of them behind the point."""

    URI: ClassVar[str] = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"

    seconds: float

    @classmethod
    def decode(cls, data: bytes) -> Self:
        return cls(_uint(cls.__name__, data, 3) / (1 << 18))

    def encode(self) -> bytes:
        return (round(self.seconds * (1 << 18)) & 0xFF_FFFF).to_bytes(3, "big")


@dataclasses.dataclass(frozen=True, slots=True)
class TransportSequenceNumber:
    """The number of a packet among all of its transport (draft-holmer-rmcat-transport-wide-cc)."""

    URI: ClassVar[str] = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 0xFFFF:
            raise ValueError(f"a transport-wide sequence number has 16 bits, not {self.value}")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        return cls(_uint(cls.__name__, data, 2))

    def encode(self) -> bytes:
        return self.value.to_bytes(2, "big")


@dataclasses.dataclass(frozen=True, slots=True)
class AudioLevel:
    """How loud the packet is, 0 (loudest) to 127 in -dBov (RFC 6464 section 3)."""

    URI: ClassVar[str] = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"

    level: int
    is_voice: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.level <= MIN_AUDIO_LEVEL:
            raise ValueError(f"an audio level is from 0 to {MIN_AUDIO_LEVEL}, not {self.level}")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        value = _uint(cls.__name__, data, 1)
        return cls(value & 0x7F, bool(value & 0x80))

    def encode(self) -> bytes:
        return bytes((self.level | (0x80 if self.is_voice else 0),))


def audio_level(samples: memoryview) -> int:
    """The level of 16-bit samples, to go into an AudioLevel.

    The root mean square against full scale, as in appendix A of RFC 6465; silence
    and no samples at all are 127.
    """
    step = -(-len(samples) // _MAX_LEVEL_SAMPLES) or 1
    taken = samples[::step]
    if not taken:
        return MIN_AUDIO_LEVEL
    rms = math.hypot(*taken) / math.sqrt(len(taken)) / _FULL_SCALE
    if rms == 0:
        return MIN_AUDIO_LEVEL
    return min(max(round(-20 * math.log10(rms)), 0), MIN_AUDIO_LEVEL)


def _uint(element: str, data: bytes, size: int) -> int:
    if len(data) != size:
        raise DecodeError(element, f"{len(data)} bytes long, not {size}")
    return int.from_bytes(data, "big")
