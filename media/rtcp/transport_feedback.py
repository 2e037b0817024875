"""Transport-wide feedback: when each packet of the transport arrived.

draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator, Sequence
from typing import ClassVar, Self

from transport import ByteReader, DecodeError

from .header import PACKET_TYPE_RTPFB, encode_packet, pack

REFERENCE_TIME_UNIT = 0.064
DELTA_UNIT = 0.000_25
TICKS_PER_REFERENCE = 256
MAX_STATUS_COUNT = 0xFFFF
MIN_DELTA, MAX_DELTA = -(1 << 15), (1 << 15) - 1

_NOT_RECEIVED, _SMALL, _LARGE, _RESERVED = range(4)
_MAX_SMALL = 0xFF
_MAX_RUN = 0x1FFF
_ONE_BIT_SYMBOLS = 14
_TWO_BIT_SYMBOLS = 7

_FIXED = struct.Struct("!IIHHI")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TransportFeedback:
    """The fate of consecutive packets from ``base_sequence_number`` on.

    ``reference_time`` counts 64 ms, 24 bits with a sign, from an origin that only the
    receiver knows. Each delta counts 250 microseconds from the packet received
    before, the first one from the reference time; None is a packet not received.
    """

    FORMAT: ClassVar[int] = 15

    sender_ssrc: int
    media_ssrc: int
    base_sequence_number: int
    reference_time: int
    feedback_count: int
    deltas: tuple[int | None, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.deltas) <= MAX_STATUS_COUNT:
            raise ValueError(f"feedback is on 1 to {MAX_STATUS_COUNT} packets")
        if not -(1 << 23) <= self.reference_time < 1 << 23:
            raise ValueError(f"the reference time has 24 bits, not {self.reference_time}")

    def arrivals(self) -> Iterator[tuple[int, float | None]]:
        """Each sequence number with its time of arrival in seconds, or None."""
        ticks = self.reference_time * TICKS_PER_REFERENCE
        for offset, delta in enumerate(self.deltas):
            number = (self.base_sequence_number + offset) & 0xFFFF
            if delta is None:
                yield number, None
            else:
                ticks += delta
                yield number, ticks * DELTA_UNIT

    @classmethod
    def decode(cls, body: bytes) -> Self:
        reader = ByteReader(body, "RTCP transport feedback")
        sender_ssrc, media_ssrc = reader.uint32(), reader.uint32()
        base_sequence_number, count = reader.uint16(), reader.uint16()
        reference_time, feedback_count = reader.uint24(), reader.uint8()
        if count == 0:
            raise DecodeError("RTCP transport feedback", "on no packet")
        symbols = _read_symbols(reader, count)
        deltas = tuple(_read_delta(reader, symbol) for symbol in symbols)
        if reader.remaining > 3:  # what fills the last word need not be marked as padding
            raise DecodeError("RTCP transport feedback", f"{reader.remaining} bytes too many")
        return cls(
            sender_ssrc=sender_ssrc,
            media_ssrc=media_ssrc,
            base_sequence_number=base_sequence_number,
            reference_time=reference_time - ((reference_time & 1 << 23) << 1),
            feedback_count=feedback_count,
            deltas=deltas,
        )

    def encode(self) -> bytes:
        fixed = pack(
            _FIXED,
            self.sender_ssrc,
            self.media_ssrc,
            self.base_sequence_number,
            len(self.deltas),
            (self.reference_time & 0xFF_FFFF) << 8 | self.feedback_count,
        )
        chunks = b"".join(_chunks([_symbol(delta) for delta in self.deltas]))
        deltas = b"".join(_encode_delta(delta) for delta in self.deltas if delta is not None)
        body = fixed + chunks + deltas
        return encode_packet(PACKET_TYPE_RTPFB, self.FORMAT, body + bytes(-len(body) % 4))


def _read_symbols(reader: ByteReader, count: int) -> list[int]:
    symbols: list[int] = []
    while len(symbols) < count:
        chunk = reader.uint16()
        if chunk >> 15 == 0:
            run = min(chunk & _MAX_RUN, count - len(symbols))
            if run == 0:
                raise DecodeError("RTCP transport feedback", "a run of no packets")
            symbols += [chunk >> 13 & 3] * run
        elif chunk >> 14 & 1 == 0:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
        else:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
    del symbols[count:]  # a vector may reach beyond the last packet
    return symbols


def _read_delta(reader: ByteReader, symbol: int) -> int | None:
    match symbol:
        case 0:
            return None
        case 1:
            return reader.uint8()
        case 2:
            return int.from_bytes(reader.take(2), "big", signed=True)
        case _:
            raise DecodeError("RTCP transport feedback", "a reserved packet status")


def _symbol(delta: int | None) -> int:
    if delta is None:
        return _NOT_RECEIVED
    return _SMALL if 0 <= delta <= _MAX_SMALL else _LARGE


def _encode_delta(delta: int) -> bytes:
    if 0 <= delta <= _MAX_SMALL:
        return bytes((delta,))
    if not MIN_DELTA <= delta <= MAX_DELTA:
        raise ValueError(f"a delta has 16 bits, not {delta}")
    return delta.to_bytes(2, "big", signed=True)


def _chunks(symbols: Sequence[int]) -> Iterator[bytes]:
    """Status chunks, each taken to be the kind that covers most."""
    position = 0
    while position < len(symbols):
        run = _run_length(symbols, position)
        vector = symbols[position : position + _ONE_BIT_SYMBOLS]
        width = 1
        if max(vector) > _SMALL:
            vector, width = vector[:_TWO_BIT_SYMBOLS], 2
        if run >= len(vector):
            yield (symbols[position] << 13 | run).to_bytes(2, "big")
            position += run
        else:
            yield _vector_chunk(vector, width)
            position += len(vector)


def _run_length(symbols: Sequence[int], start: int) -> int:
    end = start
    limit = min(len(symbols), start + _MAX_RUN)
    while end < limit and symbols[end] == symbols[start]:
        end += 1
    return end - start


def _vector_chunk(symbols: Sequence[int], width: int) -> bytes:
    chunk = 0b10 | (width - 1)
    for position in range(14 // width):
        symbol = symbols[position] if position < len(symbols) else _NOT_RECEIVED
        chunk = chunk << width | symbol
    return chunk.to_bytes(2, "big")
