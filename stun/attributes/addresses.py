"""The two encodings of a transport address (RFC 8489 sections 14.1 and 14.2)."""

from __future__ import annotations

import enum
import functools
import struct
from ipaddress import IPv4Address, IPv6Address

from stun.constants import MAGIC_COOKIE
from transport import DecodeError, IPAddress, TransportAddress

_pack_ipv4 = struct.Struct("!xBHI").pack
_HEAD = struct.Struct("!xBH")
_IPV4_BYTES = 8
_IPV6_BYTES = 20
_PORT_MASK = MAGIC_COOKIE >> 16
_COOKIE_ABOVE_ID = MAGIC_COOKIE << 96

MAX_CACHED_ADDRESSES = 128
"""As many as are named again and again; a flood of others costs 50 kilobytes, once."""


class AddressFamily(enum.IntEnum):
    """The families that section 14.1 defines."""

    IPV4 = 0x01
    IPV6 = 0x02

    @classmethod
    def of(cls, address: TransportAddress) -> AddressFamily:
        return cls.IPV6 if address.is_ipv6 else cls.IPV4


def encode_address(address: TransportAddress) -> bytes:
    """As in MAPPED-ADDRESS."""
    ip = address.ip
    if isinstance(ip, IPv4Address):
        return _pack_ipv4(0x01, address.port, int(ip))
    return _HEAD.pack(0x02, address.port) + ip.packed


def encode_xor_address(address: TransportAddress, transaction_id: bytes) -> bytes:
    """As in XOR-MAPPED-ADDRESS."""
    ip = address.ip
    if isinstance(ip, IPv4Address):
        return _pack_ipv4(0x01, address.port ^ _PORT_MASK, int(ip) ^ MAGIC_COOKIE)
    mask = _COOKIE_ABOVE_ID | int.from_bytes(transaction_id, "big")
    return _HEAD.pack(0x02, address.port ^ _PORT_MASK) + (int(ip) ^ mask).to_bytes(16, "big")


def decode_address(element: str, value: bytes) -> TransportAddress:
    """From the encoding of MAPPED-ADDRESS; the first byte is ignored.

    Raises:
        DecodeError: the family is unknown, or the length is not the family's.
    """
    port, number, width = _fields(element, value)
    return _address(number, width, port)


def decode_xor_address(element: str, value: bytes, transaction_id: bytes) -> TransportAddress:
    """From the encoding of XOR-MAPPED-ADDRESS.

    Raises:
        DecodeError: the family is unknown, or the length is not the family's.
    """
    port, number, width = _fields(element, value)
    if width == 4:
        number ^= MAGIC_COOKIE
    else:
        number ^= _COOKIE_ABOVE_ID | int.from_bytes(transaction_id, "big")
    return _address(number, width, port ^ _PORT_MASK)


def _fields(element: str, value: bytes) -> tuple[int, int, int]:
    """The port, the address as a number, and how many bytes it has."""
    size = len(value)
    family = value[1] if size > 1 else 0
    if (family, size) not in ((0x01, _IPV4_BYTES), (0x02, _IPV6_BYTES)):
        raise DecodeError(element, f"family {family} in {size} bytes")
    return int.from_bytes(value[2:4], "big"), int.from_bytes(value[4:], "big"), size - 4


@functools.lru_cache(MAX_CACHED_ADDRESSES)
def _address(number: int, width: int, port: int) -> TransportAddress:
    """Mostly of a peer that was named before: who compares it finds the same object again."""
    ip: IPAddress = IPv4Address(number) if width == 4 else IPv6Address(number)
    return TransportAddress(ip, port)
