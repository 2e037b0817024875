"""Attributes of NAT behaviour discovery (RFC 5780 section 7)."""

from __future__ import annotations

import dataclasses
import struct
from typing import ClassVar, Self

from transport import DecodeError, TransportAddress

from .addresses import decode_address, encode_address
from .base import check_range, expect_length

_CHANGE_IP = 0x04
_CHANGE_PORT = 0x02
_PORT = struct.Struct("!H2x")
_MAX_PADDING_BYTES = 0xFFFF


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest:
    """CHANGE-REQUEST: answer from the other address, the other port, or both (section 7.2)."""

    TYPE: ClassVar[int] = 0x0003

    change_ip: bool = False
    change_port: bool = False

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("CHANGE-REQUEST", value, 4)
        return cls(change_ip=bool(value[3] & _CHANGE_IP), change_port=bool(value[3] & _CHANGE_PORT))

    def encode(self, transaction_id: bytes) -> bytes:
        flags = (_CHANGE_IP if self.change_ip else 0) | (_CHANGE_PORT if self.change_port else 0)
        return flags.to_bytes(4, "big")


@dataclasses.dataclass(frozen=True, slots=True)
class ResponseOrigin:
    """RESPONSE-ORIGIN: where the response was sent from; not XOR-ed (section 7.3)."""

    TYPE: ClassVar[int] = 0x802B

    address: TransportAddress

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(decode_address("RESPONSE-ORIGIN", value))

    def encode(self, transaction_id: bytes) -> bytes:
        return encode_address(self.address)


@dataclasses.dataclass(frozen=True, slots=True)
class OtherAddress:
    """OTHER-ADDRESS: the server's other address and port; not XOR-ed (section 7.4)."""

    TYPE: ClassVar[int] = 0x802C

    address: TransportAddress

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(decode_address("OTHER-ADDRESS", value))

    def encode(self, transaction_id: bytes) -> bytes:
        return encode_address(self.address)


@dataclasses.dataclass(frozen=True, slots=True)
class ResponsePort:
    """RESPONSE-PORT: the port to answer to (section 7.5).

    The two bytes after the port are called padding there, and peers differ on
    whether the length counts them: both are read, 4 is sent.
    """

    TYPE: ClassVar[int] = 0x0027

    port: int

    def __post_init__(self) -> None:
        check_range("a port", self.port, 0xFFFF)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        if len(value) not in (2, 4):
            raise DecodeError("RESPONSE-PORT", f"{len(value)} bytes long")
        return cls(int.from_bytes(value[:2], "big"))

    def encode(self, transaction_id: bytes) -> bytes:
        return _PORT.pack(self.port)


@dataclasses.dataclass(frozen=True, slots=True)
class Padding:
    """PADDING: makes a message long enough to be fragmented (section 7.6)."""

    TYPE: ClassVar[int] = 0x0026

    padding: bytes

    def __post_init__(self) -> None:
        check_range("the size of PADDING", len(self.padding), _MAX_PADDING_BYTES)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(value)

    def encode(self, transaction_id: bytes) -> bytes:
        return self.padding


@dataclasses.dataclass(frozen=True, slots=True)
class CacheTimeout:
    """CACHE-TIMEOUT: registered in section 9.1, which gives it no format; kept as bytes."""

    TYPE: ClassVar[int] = 0x8027

    value: bytes

    def __post_init__(self) -> None:
        check_range("the size of CACHE-TIMEOUT", len(self.value), 0xFFFF)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(value)

    def encode(self, transaction_id: bytes) -> bytes:
        return self.value
