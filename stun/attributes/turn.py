"""Attributes of TURN (RFC 8656 section 18)."""

from __future__ import annotations

import dataclasses
import enum
import struct
from typing import ClassVar, Self

from transport import TransportAddress

from .addresses import decode_xor_address, encode_xor_address
from .base import check_range, expect_length

_MAX_DATA_BYTES = 0xFFFF
_RESERVATION_TOKEN_BYTES = 8
_CHANNEL = struct.Struct("!H2x")
_FIRST_BYTE = struct.Struct("!B3x")
_ICMP = struct.Struct("!2xBBI")
_RESERVE_NEXT = 0x80


class IpProtocol(enum.IntEnum):
    """Numbers of REQUESTED-TRANSPORT: UDP is RFC 8656's, TCP is RFC 6062's."""

    TCP = 6
    UDP = 17


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelNumber:
    """CHANNEL-NUMBER (section 18.1)."""

    TYPE: ClassVar[int] = 0x000C

    number: int

    def __post_init__(self) -> None:
        check_range("a channel number", self.number, 0xFFFF)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("CHANNEL-NUMBER", value, 4)
        return cls(int.from_bytes(value[:2], "big"))

    def encode(self, transaction_id: bytes) -> bytes:
        return _CHANNEL.pack(self.number)


@dataclasses.dataclass(frozen=True, slots=True)
class Lifetime:
    """LIFETIME: seconds until an allocation expires without a refresh (section 18.2)."""

    TYPE: ClassVar[int] = 0x000D

    lifetime: int

    def __post_init__(self) -> None:
        check_range("a lifetime", self.lifetime, 0xFFFFFFFF)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("LIFETIME", value, 4)
        return cls(int.from_bytes(value, "big"))

    def encode(self, transaction_id: bytes) -> bytes:
        return self.lifetime.to_bytes(4, "big")


@dataclasses.dataclass(frozen=True, slots=True)
class XorPeerAddress:
    """XOR-PEER-ADDRESS: the peer as the server sees it (section 18.3)."""

    TYPE: ClassVar[int] = 0x0012

    address: TransportAddress

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(decode_xor_address("XOR-PEER-ADDRESS", value, transaction_id))

    def encode(self, transaction_id: bytes) -> bytes:
        return encode_xor_address(self.address, transaction_id)


@dataclasses.dataclass(frozen=True, slots=True)
class Data:
    """DATA: the payload of a Send or Data indication (section 18.4)."""

    TYPE: ClassVar[int] = 0x0013

    data: bytes

    def __post_init__(self) -> None:
        check_range("the size of DATA", len(self.data), _MAX_DATA_BYTES)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(value)

    def encode(self, transaction_id: bytes) -> bytes:
        return self.data


@dataclasses.dataclass(frozen=True, slots=True)
class XorRelayedAddress:
    """XOR-RELAYED-ADDRESS: what the server allocated (section 18.5)."""

    TYPE: ClassVar[int] = 0x0016

    address: TransportAddress

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(decode_xor_address("XOR-RELAYED-ADDRESS", value, transaction_id))

    def encode(self, transaction_id: bytes) -> bytes:
        return encode_xor_address(self.address, transaction_id)


@dataclasses.dataclass(frozen=True, slots=True)
class RequestedAddressFamily:
    """REQUESTED-ADDRESS-FAMILY: an ``AddressFamily``, or a number to be refused with 440
    (section 18.6)."""

    TYPE: ClassVar[int] = 0x0017

    family: int

    def __post_init__(self) -> None:
        check_range("an address family", self.family, 0xFF)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("REQUESTED-ADDRESS-FAMILY", value, 4)
        return cls(value[0])

    def encode(self, transaction_id: bytes) -> bytes:
        return _FIRST_BYTE.pack(self.family)


@dataclasses.dataclass(frozen=True, slots=True)
class EvenPort:
    """EVEN-PORT: an even port, and the next one in reserve if asked for (section 18.7)."""

    TYPE: ClassVar[int] = 0x0018

    reserve_next: bool

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("EVEN-PORT", value, 1)
        return cls(bool(value[0] & _RESERVE_NEXT))

    def encode(self, transaction_id: bytes) -> bytes:
        return bytes((_RESERVE_NEXT if self.reserve_next else 0,))


@dataclasses.dataclass(frozen=True, slots=True)
class RequestedTransport:
    """REQUESTED-TRANSPORT: an ``IpProtocol``, or a number to be refused with 442
    (section 18.8)."""

    TYPE: ClassVar[int] = 0x0019

    protocol: int

    def __post_init__(self) -> None:
        check_range("a protocol", self.protocol, 0xFF)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("REQUESTED-TRANSPORT", value, 4)
        return cls(value[0])

    def encode(self, transaction_id: bytes) -> bytes:
        return _FIRST_BYTE.pack(self.protocol)


@dataclasses.dataclass(frozen=True, slots=True)
class DontFragment:
    """DONT-FRAGMENT: set the DF bit towards the peer (section 18.9)."""

    TYPE: ClassVar[int] = 0x001A

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("DONT-FRAGMENT", value, 0)
        return cls()

    def encode(self, transaction_id: bytes) -> bytes:
        return b""


@dataclasses.dataclass(frozen=True, slots=True)
class ReservationToken:
    """RESERVATION-TOKEN: names the port that EVEN-PORT reserved (section 18.10)."""

    TYPE: ClassVar[int] = 0x0022

    token: bytes

    def __post_init__(self) -> None:
        if len(self.token) != _RESERVATION_TOKEN_BYTES:
            raise ValueError(f"a reservation token has 8 bytes, not {len(self.token)}")

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("RESERVATION-TOKEN", value, _RESERVATION_TOKEN_BYTES)
        return cls(value)

    def encode(self, transaction_id: bytes) -> bytes:
        return self.token


@dataclasses.dataclass(frozen=True, slots=True)
class AdditionalAddressFamily:
    """ADDITIONAL-ADDRESS-FAMILY: a second family in one allocation (section 18.11)."""

    TYPE: ClassVar[int] = 0x8000

    family: int

    def __post_init__(self) -> None:
        check_range("an address family", self.family, 0xFF)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("ADDITIONAL-ADDRESS-FAMILY", value, 4)
        return cls(value[0])

    def encode(self, transaction_id: bytes) -> bytes:
        return _FIRST_BYTE.pack(self.family)


@dataclasses.dataclass(frozen=True, slots=True)
class Icmp:
    """ICMP: the ICMP message that a packet to the peer provoked (section 18.13).

    Type and code have 8 bits each, as in ICMP: the figure draws 7 and 9, in which
    half of ICMPv6's types would not fit, and the text gives no widths.
    """

    TYPE: ClassVar[int] = 0x8004

    icmp_type: int
    icmp_code: int
    error_data: int = 0

    def __post_init__(self) -> None:
        check_range("an ICMP type", self.icmp_type, 0xFF)
        check_range("an ICMP code", self.icmp_code, 0xFF)
        check_range("ICMP error data", self.error_data, 0xFFFFFFFF)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("ICMP", value, _ICMP.size)
        return cls(*_ICMP.unpack(value))

    def encode(self, transaction_id: bytes) -> bytes:
        return _ICMP.pack(self.icmp_type, self.icmp_code, self.error_data)
