"""Attributes of small extensions: RFC 6062, 6679, 7635, 7982, 8016, and ORIGIN."""

from __future__ import annotations

import dataclasses
import struct
from typing import ClassVar, Self

from .base import check_range, expect_length
from .text import MAX_RECEIVED_BYTES, decode_text

_MAX_VALUE_BYTES = 0xFFFF
_COUNTER = struct.Struct("!2xBB")
_VALID = 0x01


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectionId:
    """CONNECTION-ID: names a connection to a peer (RFC 6062 section 6.2.1)."""

    TYPE: ClassVar[int] = 0x002A

    connection_id: int

    def __post_init__(self) -> None:
        check_range("a connection id", self.connection_id, 0xFFFFFFFF)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("CONNECTION-ID", value, 4)
        return cls(int.from_bytes(value, "big"))

    def encode(self, transaction_id: bytes) -> bytes:
        return self.connection_id.to_bytes(4, "big")


@dataclasses.dataclass(frozen=True, slots=True)
class MobilityTicket:
    """MOBILITY-TICKET: keeps an allocation over a change of address; opaque to the
    client, empty in the first request (RFC 8016 section 3.3)."""

    TYPE: ClassVar[int] = 0x8030

    ticket: bytes = b""

    def __post_init__(self) -> None:
        check_range("the size of a ticket", len(self.ticket), _MAX_VALUE_BYTES)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(value)

    def encode(self, transaction_id: bytes) -> bytes:
        return self.ticket


@dataclasses.dataclass(frozen=True, slots=True)
class AccessToken:
    """ACCESS-TOKEN: a token of an authorization server (RFC 7635 section 6.2).

    Opaque to the client, and as secret as a password, so that repr does not show it.
    """

    TYPE: ClassVar[int] = 0x001B

    token: bytes = dataclasses.field(repr=False)

    def __post_init__(self) -> None:
        check_range("the size of a token", len(self.token), _MAX_VALUE_BYTES)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(value)

    def encode(self, transaction_id: bytes) -> bytes:
        return self.token


@dataclasses.dataclass(frozen=True, slots=True)
class ThirdPartyAuthorization:
    """THIRD-PARTY-AUTHORIZATION: the name under which an authorization server knows
    this server (RFC 7635 section 6.1)."""

    TYPE: ClassVar[int] = 0x802E

    server_name: str

    def __post_init__(self) -> None:
        _check_size("a server name", self.server_name)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(decode_text("THIRD-PARTY-AUTHORIZATION", value))

    def encode(self, transaction_id: bytes) -> bytes:
        return self.server_name.encode()


@dataclasses.dataclass(frozen=True, slots=True)
class TransactionTransmitCounter:
    """TRANSACTION_TRANSMIT_COUNTER: how often the request and the response were sent
    (RFC 7982 section 3.1)."""

    TYPE: ClassVar[int] = 0x8025

    requests: int
    responses: int

    def __post_init__(self) -> None:
        check_range("a count of requests", self.requests, 0xFF)
        check_range("a count of responses", self.responses, 0xFF)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("TRANSACTION_TRANSMIT_COUNTER", value, _COUNTER.size)
        return cls(*_COUNTER.unpack(value))

    def encode(self, transaction_id: bytes) -> bytes:
        return _COUNTER.pack(self.requests, self.responses)


@dataclasses.dataclass(frozen=True, slots=True)
class EcnCheck:
    """ECN-CHECK: echoes the ECN field of a packet (RFC 6679 section 7.2.2).

    ``echo`` is the two ECN bits, or None where they are not known, as in requests.
    """

    TYPE: ClassVar[int] = 0x802D

    echo: int | None = None

    def __post_init__(self) -> None:
        if self.echo is not None:
            check_range("an ECN field", self.echo, 0x03)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("ECN-CHECK", value, 4)
        return cls(value[3] >> 1 & 0x03 if value[3] & _VALID else None)

    def encode(self, transaction_id: bytes) -> bytes:
        field = 0 if self.echo is None else self.echo << 1 | _VALID
        return field.to_bytes(4, "big")


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """ORIGIN: the web origin that a client works for (an expired draft that peers use)."""

    TYPE: ClassVar[int] = 0x802F

    origin: str

    def __post_init__(self) -> None:
        _check_size("an origin", self.origin)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(decode_text("ORIGIN", value))

    def encode(self, transaction_id: bytes) -> bytes:
        return self.origin.encode()


def _check_size(what: str, text: str) -> None:
    if len(text.encode()) > MAX_RECEIVED_BYTES:
        raise ValueError(f"{what} has at most {MAX_RECEIVED_BYTES} bytes")
