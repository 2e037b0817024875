"""IP packets around payloads, with headers and checksums as a host would have made them
(RFC 791, RFC 8200, RFC 768, RFC 9293)."""

from __future__ import annotations

import struct
from typing import Final

from transport import TransportAddress

MAX_PAYLOAD: Final = 65_495
"""Bytes that fit an IPv4 packet beside its header and that of UDP or TCP."""

_TCP: Final = 6
_UDP: Final = 17
_HOPS: Final = 64
_ACK_PSH: Final = 0x18
_WINDOW: Final = 0xFFFF


def udp_packet(source: TransportAddress, destination: TransportAddress, data: bytes) -> bytes:
    """A UDP datagram in an IP packet."""
    head = struct.pack("!HHHH", source.port, destination.port, 8 + len(data), 0)
    check = _transport_checksum(source, destination, _UDP, head + data) or 0xFFFF
    return _ip(source, destination, _UDP, head[:6] + check.to_bytes(2, "big") + data)


class Tcp:
    """A connection: its sequence numbers. It begins where nobody has seen its handshake."""

    def __init__(self) -> None:
        self._next: dict[TransportAddress, int] = {}

    def packet(self, source: TransportAddress, destination: TransportAddress, data: bytes) -> bytes:
        """The next segment from one end to the other, in an IP packet."""
        sequence = self._next.get(source, 1)
        self._next[source] = sequence + len(data) & 0xFFFFFFFF
        acknowledged = self._next.get(destination, 1)
        ports = struct.pack("!HH", source.port, destination.port)
        numbers = struct.pack("!IIBBH", sequence, acknowledged, 5 << 4, _ACK_PSH, _WINDOW)
        head = ports + numbers
        check = _transport_checksum(source, destination, _TCP, head + bytes(4) + data)
        segment = head + check.to_bytes(2, "big") + bytes(2) + data
        return _ip(source, destination, _TCP, segment)


def _ip(
    source: TransportAddress, destination: TransportAddress, protocol: int, payload: bytes
) -> bytes:
    addresses = source.ip.packed + destination.ip.packed
    if source.is_ipv6:
        return struct.pack("!IHBB", 6 << 28, len(payload), protocol, _HOPS) + addresses + payload
    size = 20 + len(payload)
    head = struct.pack("!BBHHHBB", 0x45, 0, size, 0, 0x4000, _HOPS, protocol)
    check = checksum(head + bytes(2) + addresses)
    return head + check.to_bytes(2, "big") + addresses + payload


def _transport_checksum(
    source: TransportAddress, destination: TransportAddress, protocol: int, segment: bytes
) -> int:
    """Over the pseudo header, too (RFC 9293 section 3.1, RFC 8200 section 8.1)."""
    form = "!I3xB" if source.is_ipv6 else "!xBH"
    values = (len(segment), protocol) if source.is_ipv6 else (protocol, len(segment))
    pseudo = source.ip.packed + destination.ip.packed + struct.pack(form, *values)
    return checksum(pseudo + segment)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
