"""The header that all RTCP packets share (RFC 3550 section 6.4.1)."""

from __future__ import annotations

import dataclasses
import struct

PACKET_TYPE_SR = 200
PACKET_TYPE_RR = 201
PACKET_TYPE_SDES = 202
PACKET_TYPE_BYE = 203
PACKET_TYPE_APP = 204
PACKET_TYPE_RTPFB = 205  # RFC 4585 section 6.1: transport layer feedback
PACKET_TYPE_PSFB = 206  # RFC 4585 section 6.1: payload-specific feedback

HEADER_LENGTH = 4
MAX_COUNT = 31

_pack_header = struct.Struct("!BBH").pack


def encode_packet(packet_type: int, count: int, body: bytes) -> bytes:
    """A packet of whole words; ``count`` is the five bits that each type reads its own way.

    Raises:
        ValueError: the count has more than five bits, or the body a broken or too
            great length.
    """
    if not 0 <= count <= MAX_COUNT or not 0 <= packet_type <= 0xFF:
        raise ValueError(f"RTCP packet type {packet_type} with count {count}")
    if len(body) % 4 or len(body) > 4 * 0xFFFF:
        raise ValueError(f"an RTCP packet has up to 65535 whole words, not {len(body)} bytes")
    return _pack_header(0x80 | count, packet_type, len(body) // 4) + body


def pack(layout: struct.Struct, *values: int) -> bytes:
    """Pack fields, and call what does not fit by its name.

    Raises:
        ValueError: a field is out of its range.
    """
    try:
        return layout.pack(*values)
    except struct.error as error:
        raise ValueError(f"an RTCP field is out of its range: {error}") from error


@dataclasses.dataclass(frozen=True, slots=True)
class UnknownRtcp:
    """A packet that is not understood here, kept as it came but for padding."""

    packet_type: int
    count: int
    body: bytes

    def encode(self) -> bytes:
        return encode_packet(self.packet_type, self.count, self.body)
