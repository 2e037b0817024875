"""Sender and receiver reports (RFC 3550 sections 6.4.1 and 6.4.2)."""

from __future__ import annotations

import dataclasses
import struct
from typing import Self

from transport import ByteReader

from .header import MAX_COUNT, PACKET_TYPE_RR, PACKET_TYPE_SR, encode_packet, pack

MAX_REPORT_BLOCKS = MAX_COUNT
MIN_CUMULATIVE_LOST = -(1 << 23)
MAX_CUMULATIVE_LOST = (1 << 23) - 1

_BLOCK = struct.Struct("!IIIIII")
_SENDER_INFO = struct.Struct("!IQIII")
_SSRC = struct.Struct("!I")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReportBlock:
    """What one receiver saw of one source.

    ``fraction_lost`` is in 1/256, ``jitter`` in timestamp units; ``last_sr`` is the
    middle of the NTP timestamp of the last sender report, and
    ``delay_since_last_sr`` the time since then, both in 1/65536 seconds and 0 when
    none came.
    """

    ssrc: int
    fraction_lost: int = 0
    cumulative_lost: int = 0
    highest_sequence_number: int = 0
    jitter: int = 0
    last_sr: int = 0
    delay_since_last_sr: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.fraction_lost <= 0xFF:
            raise ValueError(f"the fraction lost has 8 bits, not {self.fraction_lost}")
        if not MIN_CUMULATIVE_LOST <= self.cumulative_lost <= MAX_CUMULATIVE_LOST:
            raise ValueError(f"the packets lost have 24 bits, not {self.cumulative_lost}")

    @classmethod
    def read(cls, reader: ByteReader) -> Self:
        ssrc = reader.uint32()
        fraction_lost = reader.uint8()
        lost = reader.uint24()
        return cls(
            ssrc=ssrc,
            fraction_lost=fraction_lost,
            cumulative_lost=lost - (1 << 24) if lost > MAX_CUMULATIVE_LOST else lost,
            highest_sequence_number=reader.uint32(),
            jitter=reader.uint32(),
            last_sr=reader.uint32(),
            delay_since_last_sr=reader.uint32(),
        )

    def encode(self) -> bytes:
        return pack(
            _BLOCK,
            self.ssrc,
            self.fraction_lost << 24 | self.cumulative_lost & 0xFF_FFFF,
            self.highest_sequence_number,
            self.jitter,
            self.last_sr,
            self.delay_since_last_sr,
        )


def _encode_blocks(blocks: tuple[ReportBlock, ...]) -> bytes:
    if len(blocks) > MAX_REPORT_BLOCKS:
        raise ValueError(f"a report has up to {MAX_REPORT_BLOCKS} blocks, not {len(blocks)}")
    return b"".join(block.encode() for block in blocks)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SenderReport:
    """SR: what a source has sent, at which time, and what it received.

    ``ntp_timestamp`` is the 64 bits of the wall clock that ``rtp_timestamp`` belongs to;
    ``octet_count`` counts payload without headers and padding. ``profile_extension``
    is whatever follows the blocks.
    """

    ssrc: int
    ntp_timestamp: int
    rtp_timestamp: int
    packet_count: int
    octet_count: int
    reports: tuple[ReportBlock, ...] = ()
    profile_extension: bytes = b""

    @classmethod
    def decode(cls, count: int, body: bytes) -> Self:
        reader = ByteReader(body, "RTCP SR")
        return cls(
            ssrc=reader.uint32(),
            ntp_timestamp=reader.uint64(),
            rtp_timestamp=reader.uint32(),
            packet_count=reader.uint32(),
            octet_count=reader.uint32(),
            reports=tuple(ReportBlock.read(reader) for _ in range(count)),
            profile_extension=reader.rest(),
        )

    def encode(self) -> bytes:
        info = pack(
            _SENDER_INFO,
            self.ssrc,
            self.ntp_timestamp,
            self.rtp_timestamp,
            self.packet_count,
            self.octet_count,
        )
        body = info + _encode_blocks(self.reports) + self.profile_extension
        return encode_packet(PACKET_TYPE_SR, len(self.reports), body)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverReport:
    """RR: what a participant that sends nothing has received."""

    ssrc: int
    reports: tuple[ReportBlock, ...] = ()
    profile_extension: bytes = b""

    @classmethod
    def decode(cls, count: int, body: bytes) -> Self:
        reader = ByteReader(body, "RTCP RR")
        return cls(
            ssrc=reader.uint32(),
            reports=tuple(ReportBlock.read(reader) for _ in range(count)),
            profile_extension=reader.rest(),
        )

    def encode(self) -> bytes:
        body = pack(_SSRC, self.ssrc) + _encode_blocks(self.reports) + self.profile_extension
        return encode_packet(PACKET_TYPE_RR, len(self.reports), body)
