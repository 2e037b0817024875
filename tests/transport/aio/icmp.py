"""ICMP messages as a router would send them, for who may open raw sockets."""

from __future__ import annotations

import socket
import struct

import pytest

from transport import TransportAddress


def may_open_raw_sockets() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    except PermissionError:
        return False
    return True


RAW = pytest.mark.skipif(not may_open_raw_sockets(), reason="raw sockets need CAP_NET_RAW")

ROUTER = "127.0.0.77"


def forge(
    source: TransportAddress,
    destination: TransportAddress,
    icmp_type: int,
    icmp_code: int,
    *,
    mtu: int = 0,
) -> None:
    """Have a router say this of a datagram that went from source to destination."""
    udp = struct.pack("!HHHH", source.port, destination.port, 8 + 4, 0)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp) + 4, 1, 0x4000, 64, 17, 0)
    inner = ip + source.ip.packed + destination.ip.packed + udp + bytes(4)
    unsummed = struct.pack("!BBHHH", icmp_type, icmp_code, 0, 0, mtu) + inner
    message = unsummed[:2] + struct.pack("!H", checksum(unsummed)) + unsummed[4:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        sock.bind((ROUTER, 0))
        sock.sendto(message, (source.host, 0))


def checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
