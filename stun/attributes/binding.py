"""Attributes of RFC 8489 that have to do with no credential (section 14)."""

from __future__ import annotations

import dataclasses
import struct
from typing import ClassVar, Self

from transport import DecodeError, TransportAddress

from .addresses import decode_address, decode_xor_address, encode_address, encode_xor_address
from .base import check_range, expect_length
from .text import check_characters, decode_short_text

MAX_DOMAIN_CHARACTERS = 255


@dataclasses.dataclass(frozen=True, slots=True)
class MappedAddress:
    """MAPPED-ADDRESS: the source of a request, for RFC 3489 clients (section 14.1)."""

    TYPE: ClassVar[int] = 0x0001

    address: TransportAddress

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(decode_address("MAPPED-ADDRESS", value))

    def encode(self, transaction_id: bytes) -> bytes:
        return encode_address(self.address)


@dataclasses.dataclass(frozen=True, slots=True)
class XorMappedAddress:
    """XOR-MAPPED-ADDRESS: the source of a request as its receiver saw it (section 14.2)."""

    TYPE: ClassVar[int] = 0x0020

    address: TransportAddress

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(decode_xor_address("XOR-MAPPED-ADDRESS", value, transaction_id))

    def encode(self, transaction_id: bytes) -> bytes:
        return encode_xor_address(self.address, transaction_id)


@dataclasses.dataclass(frozen=True, slots=True)
class AlternateServer:
    """ALTERNATE-SERVER: where to try instead; not XOR-ed (section 14.15)."""

    TYPE: ClassVar[int] = 0x8023

    address: TransportAddress

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(decode_address("ALTERNATE-SERVER", value))

    def encode(self, transaction_id: bytes) -> bytes:
        return encode_address(self.address)


@dataclasses.dataclass(frozen=True, slots=True)
class AlternateDomain:
    """ALTERNATE-DOMAIN: the name in the alternate server's certificate (section 14.16)."""

    TYPE: ClassVar[int] = 0x8003

    domain: str

    def __post_init__(self) -> None:
        if len(self.domain) > MAX_DOMAIN_CHARACTERS or not self.domain.isascii():
            raise ValueError(f"a domain has at most {MAX_DOMAIN_CHARACTERS} ASCII characters")

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        try:
            return cls(value.decode("ascii"))
        except ValueError as error:
            raise DecodeError("ALTERNATE-DOMAIN", "too long, or not ASCII") from error

    def encode(self, transaction_id: bytes) -> bytes:
        return self.domain.encode("ascii")


@dataclasses.dataclass(frozen=True, slots=True)
class UnknownAttributes:
    """UNKNOWN-ATTRIBUTES: the types that made a request fail with 420 (section 14.13)."""

    TYPE: ClassVar[int] = 0x000A

    types: tuple[int, ...]

    def __post_init__(self) -> None:
        for number in self.types:
            check_range("an attribute type", number, 0xFFFF)
        if len(self.types) > 0x7FFF:
            raise ValueError(f"at most 32767 types fit, not {len(self.types)}")

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        if len(value) % 2:
            raise DecodeError("UNKNOWN-ATTRIBUTES", f"{len(value)} bytes long, an odd number")
        return cls(struct.unpack(f"!{len(value) // 2}H", value))

    def encode(self, transaction_id: bytes) -> bytes:
        return struct.pack(f"!{len(self.types)}H", *self.types)


@dataclasses.dataclass(frozen=True, slots=True)
class Software:
    """SOFTWARE: the sender's product and version, for diagnostics (section 14.14)."""

    TYPE: ClassVar[int] = 0x8022

    description: str

    def __post_init__(self) -> None:
        check_characters("a software description", self.description)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(decode_short_text("SOFTWARE", value))

    def encode(self, transaction_id: bytes) -> bytes:
        return self.description.encode()


@dataclasses.dataclass(frozen=True, slots=True)
class Fingerprint:
    """FINGERPRINT: the CRC-32 of the message, XOR-ed (section 14.7).

    ``encode_message`` computes it; this class is for looking at a message.
    """

    TYPE: ClassVar[int] = 0x8028

    crc: int

    def __post_init__(self) -> None:
        check_range("a fingerprint", self.crc, 0xFFFFFFFF)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("FINGERPRINT", value, 4)
        return cls(int.from_bytes(value, "big"))

    def encode(self, transaction_id: bytes) -> bytes:
        return self.crc.to_bytes(4, "big")
