"""Feedback messages: NACK and PLI (RFC 4585), FIR (RFC 5104), REMB (draft-alvestrand-rmcat-remb).

``decode`` takes what stands behind the RTCP header.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterable, Iterator
from typing import ClassVar, NamedTuple, Self

from transport import ByteReader, DecodeError

from .header import PACKET_TYPE_PSFB, PACKET_TYPE_RTPFB, encode_packet, pack

REMB_IDENTIFIER = b"REMB"
_REMB_MANTISSA_BITS = 18
_REMB_MAX_EXPONENT = 63
MAX_BITRATE = ((1 << _REMB_MANTISSA_BITS) - 1) << _REMB_MAX_EXPONENT

_BLP_BITS = 16

_SSRCS = struct.Struct("!II")
_NACK_ENTRY = struct.Struct("!HH")
_FIR_ENTRY = struct.Struct("!IBxxx")


@dataclasses.dataclass(frozen=True, slots=True)
class GenericNack:
    """NACK: sequence numbers of a source that did not arrive (RFC 4585 section 6.2.1)."""

    FORMAT: ClassVar[int] = 1

    sender_ssrc: int
    media_ssrc: int
    lost: tuple[int, ...]

    @classmethod
    def decode(cls, body: bytes) -> Self:
        reader = ByteReader(body, "RTCP NACK")
        sender_ssrc, media_ssrc = reader.uint32(), reader.uint32()
        lost: list[int] = []
        while reader.remaining:
            lost.extend(_expand(reader.uint16(), reader.uint16()))
        # An entry may repeat what another one says.
        return cls(sender_ssrc, media_ssrc, tuple(dict.fromkeys(lost)))

    def encode(self) -> bytes:
        entries = b"".join(pack(_NACK_ENTRY, pid, blp) for pid, blp in nack_entries(self.lost))
        body = pack(_SSRCS, self.sender_ssrc, self.media_ssrc) + entries
        return encode_packet(PACKET_TYPE_RTPFB, self.FORMAT, body)


def nack_entries(lost: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The fewest pairs of PID and BLP that name the sequence numbers, across a wrap too."""
    remaining = sorted(set(lost))
    # No entry reaches over a gap of more than 16, so the one to start behind is the widest.
    gaps = [(number - remaining[i - 1]) & 0xFFFF for i, number in enumerate(remaining)]
    start = gaps.index(max(gaps)) if gaps else 0
    remaining = remaining[start:] + remaining[:start]
    position = 0
    while position < len(remaining):
        pid, blp = remaining[position], 0
        position += 1
        while position < len(remaining):
            distance = (remaining[position] - pid) & 0xFFFF
            if distance > _BLP_BITS:
                break
            blp |= 1 << (distance - 1)
            position += 1
        yield pid, blp


def _expand(pid: int, blp: int) -> Iterator[int]:
    yield pid
    for bit in range(_BLP_BITS):
        if blp >> bit & 1:
            yield (pid + bit + 1) & 0xFFFF


@dataclasses.dataclass(frozen=True, slots=True)
class PictureLossIndication:
    """PLI: some coded data of a picture is lost (RFC 4585 section 6.3.1)."""

    FORMAT: ClassVar[int] = 1

    sender_ssrc: int
    media_ssrc: int

    @classmethod
    def decode(cls, body: bytes) -> Self:
        reader = ByteReader(body, "RTCP PLI")
        packet = cls(reader.uint32(), reader.uint32())
        reader.expect_end()
        return packet

    def encode(self) -> bytes:
        body = pack(_SSRCS, self.sender_ssrc, self.media_ssrc)
        return encode_packet(PACKET_TYPE_PSFB, self.FORMAT, body)


class FullIntraRequestEntry(NamedTuple):
    """A source asked for a decoder refresh point; a repetition keeps its number."""

    ssrc: int
    sequence_number: int


@dataclasses.dataclass(frozen=True, slots=True)
class FullIntraRequest:
    """FIR: sources asked for a decoder refresh point (RFC 5104 section 4.3.1)."""

    FORMAT: ClassVar[int] = 4

    sender_ssrc: int
    entries: tuple[FullIntraRequestEntry, ...]

    @classmethod
    def decode(cls, body: bytes) -> Self:
        reader = ByteReader(body, "RTCP FIR")
        sender_ssrc = reader.uint32()
        reader.skip(4)  # the SSRC of media source is not used
        entries = []
        while reader.remaining:
            entries.append(FullIntraRequestEntry(reader.uint32(), reader.uint8()))
            reader.skip(3)
        return cls(sender_ssrc, tuple(entries))

    def encode(self) -> bytes:
        entries = b"".join(pack(_FIR_ENTRY, *entry) for entry in self.entries)
        body = pack(_SSRCS, self.sender_ssrc, 0) + entries
        return encode_packet(PACKET_TYPE_PSFB, self.FORMAT, body)


@dataclasses.dataclass(frozen=True, slots=True)
class ReceiverEstimatedMaximumBitrate:
    """REMB: what the receiver believes that the path carries, in bit/s, for these sources.

    On the wire it has 18 significant bits; encoding rounds down, and takes
    MAX_BITRATE for anything above.
    """

    FORMAT: ClassVar[int] = 15

    sender_ssrc: int
    bitrate: int
    ssrcs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.bitrate < 0 or len(self.ssrcs) > 0xFF:
            raise ValueError(f"REMB of {self.bitrate} bit/s for {len(self.ssrcs)} sources")

    @classmethod
    def decode(cls, body: bytes) -> Self:
        reader = ByteReader(body, "RTCP REMB")
        sender_ssrc = reader.uint32()
        reader.skip(4)  # the SSRC of media source is 0
        if reader.take(4) != REMB_IDENTIFIER:
            raise DecodeError("RTCP REMB", "the identifier is missing")
        count, rate = reader.uint8(), reader.uint24()
        bitrate = (rate & (1 << _REMB_MANTISSA_BITS) - 1) << (rate >> _REMB_MANTISSA_BITS)
        ssrcs = tuple(reader.uint32() for _ in range(count))
        reader.expect_end()
        return cls(sender_ssrc, bitrate, ssrcs)

    def encode(self) -> bytes:
        bitrate = min(self.bitrate, MAX_BITRATE)
        exponent = max(bitrate.bit_length() - _REMB_MANTISSA_BITS, 0)
        rate = exponent << _REMB_MANTISSA_BITS | bitrate >> exponent
        body = pack(_SSRCS, self.sender_ssrc, 0) + REMB_IDENTIFIER
        body += bytes((len(self.ssrcs),)) + rate.to_bytes(3, "big")
        body += b"".join(pack(struct.Struct("!I"), ssrc) for ssrc in self.ssrcs)
        return encode_packet(PACKET_TYPE_PSFB, self.FORMAT, body)
