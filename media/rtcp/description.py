"""Who a source is, that it leaves, and what applications add (RFC 3550 sections 6.5 to 6.7)."""

from __future__ import annotations

import base64
import dataclasses
import struct
from typing import NamedTuple, Self

from transport import ByteReader, DecodeError, RandomBytes

from .header import (
    MAX_COUNT,
    PACKET_TYPE_APP,
    PACKET_TYPE_BYE,
    PACKET_TYPE_SDES,
    encode_packet,
    pack,
)

SDES_END = 0
SDES_CNAME = 1

MAX_TEXT_BYTES = 255
_CNAME_BYTES = 12
"""96 bits, which RFC 7022 section 4.2 asks for at least."""

_SSRC = struct.Struct("!I")


class SdesItem(NamedTuple):
    """One item: its type, and its text as bytes, which should be UTF-8."""

    type: int
    value: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class SdesChunk:
    """The items of one source, in order, unknown ones too."""

    ssrc: int
    items: tuple[SdesItem, ...] = ()

    @property
    def cname(self) -> str | None:
        """The name that joins the streams of one endpoint, or None."""
        for item in self.items:
            if item.type == SDES_CNAME:
                return item.value.decode(errors="replace")
        return None

    def encode(self) -> bytes:
        parts = [pack(_SSRC, self.ssrc)]
        for item in self.items:
            if not 1 <= item.type <= 0xFF or len(item.value) > MAX_TEXT_BYTES:
                raise ValueError(f"no SDES item of type {item.type}, {len(item.value)} bytes")
            parts.append(bytes((item.type, len(item.value))) + item.value)
        chunk = b"".join(parts)
        # One null octet at least ends the items, and more fill the word.
        return chunk + bytes(4 - len(chunk) % 4)


@dataclasses.dataclass(frozen=True, slots=True)
class SourceDescription:
    """SDES: names for sources."""

    chunks: tuple[SdesChunk, ...]

    @classmethod
    def for_cname(cls, ssrc: int, cname: str) -> Self:
        """The one that every compound packet carries."""
        return cls((SdesChunk(ssrc, (SdesItem(SDES_CNAME, cname.encode()),)),))

    @classmethod
    def decode(cls, count: int, body: bytes) -> Self:
        reader = ByteReader(body, "RTCP SDES")
        chunks = tuple(_read_chunk(reader) for _ in range(count))
        reader.expect_end()
        return cls(chunks)

    def encode(self) -> bytes:
        if len(self.chunks) > MAX_COUNT:
            raise ValueError(f"SDES has up to {MAX_COUNT} chunks, not {len(self.chunks)}")
        body = b"".join(chunk.encode() for chunk in self.chunks)
        return encode_packet(PACKET_TYPE_SDES, len(self.chunks), body)


def _read_chunk(reader: ByteReader) -> SdesChunk:
    ssrc = reader.uint32()
    items = []
    while (item_type := reader.uint8()) != SDES_END:
        items.append(SdesItem(item_type, reader.take(reader.uint8())))
    reader.skip(-reader.offset % 4)
    return SdesChunk(ssrc, tuple(items))


def random_cname(random_bytes: RandomBytes) -> str:
    """A short-term persistent CNAME: one per peer connection (RFC 7022, RFC 8834 section 4.9)."""
    return base64.b64encode(random_bytes(_CNAME_BYTES)).decode()


@dataclasses.dataclass(frozen=True, slots=True)
class Goodbye:
    """BYE: sources that are no longer active."""

    ssrcs: tuple[int, ...]
    reason: str = ""

    @classmethod
    def decode(cls, count: int, body: bytes) -> Self:
        reader = ByteReader(body, "RTCP BYE")
        ssrcs = tuple(reader.uint32() for _ in range(count))
        reason = reader.take(reader.uint8()) if reader.remaining else b""
        return cls(ssrcs, reason.decode(errors="replace"))

    def encode(self) -> bytes:
        reason = self.reason.encode()
        if len(self.ssrcs) > MAX_COUNT or len(reason) > MAX_TEXT_BYTES:
            raise ValueError(f"BYE of {len(self.ssrcs)} sources, reason of {len(reason)} bytes")
        body = b"".join(pack(_SSRC, ssrc) for ssrc in self.ssrcs)
        if reason:
            body += bytes((len(reason),)) + reason
            body += bytes(-len(body) % 4)
        return encode_packet(PACKET_TYPE_BYE, len(self.ssrcs), body)


@dataclasses.dataclass(frozen=True, slots=True)
class App:
    """APP: what an application defines for itself, under a name of four octets."""

    ssrc: int
    name: bytes
    data: bytes = b""
    subtype: int = 0

    def __post_init__(self) -> None:
        if len(self.name) != 4:
            raise ValueError(f"the name of an APP packet has four octets, not {self.name!r}")

    @classmethod
    def decode(cls, count: int, body: bytes) -> Self:
        if len(body) < 8:
            raise DecodeError("RTCP APP", f"a body of {len(body)} bytes")
        reader = ByteReader(body, "RTCP APP")
        return cls(reader.uint32(), reader.take(4), reader.rest(), subtype=count)

    def encode(self) -> bytes:
        body = pack(_SSRC, self.ssrc) + self.name + self.data
        return encode_packet(PACKET_TYPE_APP, self.subtype, body)
