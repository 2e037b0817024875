"""Error codes as attributes carry them (RFC 8489 section 14.8, RFC 8656 section 18.12)."""

from __future__ import annotations

import dataclasses
import enum
import struct
from typing import ClassVar, Self

from transport import DecodeError

from .base import check_range
from .text import check_characters, decode_short_text

_HEAD = struct.Struct("!HBB")


class ErrorNumber(enum.IntEnum):
    """The codes of RFC 8489, 8656, 6062, 8016 and 8445."""

    TRY_ALTERNATE = 300
    BAD_REQUEST = 400
    UNAUTHENTICATED = 401
    FORBIDDEN = 403
    MOBILITY_FORBIDDEN = 405
    UNKNOWN_ATTRIBUTE = 420
    ALLOCATION_MISMATCH = 437
    STALE_NONCE = 438
    ADDRESS_FAMILY_NOT_SUPPORTED = 440
    WRONG_CREDENTIALS = 441
    UNSUPPORTED_TRANSPORT_PROTOCOL = 442
    PEER_ADDRESS_FAMILY_MISMATCH = 443
    CONNECTION_ALREADY_EXISTS = 446
    CONNECTION_TIMEOUT_OR_FAILURE = 447
    ALLOCATION_QUOTA_REACHED = 486
    ROLE_CONFLICT = 487
    SERVER_ERROR = 500
    INSUFFICIENT_CAPACITY = 508

    @property
    def phrase(self) -> str:
        """The reason phrase that the registry recommends."""
        words = self.name.replace("_", " ").title()
        return words.replace(" Not ", " not ").replace(" Or ", " or ")


def _check_code(code: int, reason: str) -> None:
    if not 300 <= code <= 699:
        raise ValueError(f"an error code is from 300 to 699, not {code}")
    check_characters("a reason phrase", reason)


def _decode_code(element: str, value: bytes) -> tuple[int, str]:
    if len(value) < _HEAD.size:
        raise DecodeError(element, f"{len(value)} bytes long")
    hundreds, number = value[2] & 0x07, value[3]
    if not 3 <= hundreds <= 6 or number > 99:
        raise DecodeError(element, f"class {hundreds}, number {number}")
    return hundreds * 100 + number, decode_short_text(element, value[4:])


@dataclasses.dataclass(frozen=True, slots=True)
class ErrorCode:
    """ERROR-CODE: why a request failed (RFC 8489 section 14.8)."""

    TYPE: ClassVar[int] = 0x0009

    code: int
    reason: str = ""

    def __post_init__(self) -> None:
        _check_code(self.code, self.reason)

    @classmethod
    def of(cls, number: ErrorNumber) -> Self:
        """With the reason phrase that the registry recommends."""
        return cls(number, number.phrase)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(*_decode_code("ERROR-CODE", value))

    def encode(self, transaction_id: bytes) -> bytes:
        return _HEAD.pack(0, self.code // 100, self.code % 100) + self.reason.encode()


@dataclasses.dataclass(frozen=True, slots=True)
class AddressErrorCode:
    """ADDRESS-ERROR-CODE: why one of two address families was not allocated
    (RFC 8656 section 18.12)."""

    TYPE: ClassVar[int] = 0x8001

    family: int
    code: int
    reason: str = ""

    def __post_init__(self) -> None:
        check_range("an address family", self.family, 0xFF)
        _check_code(self.code, self.reason)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        code, reason = _decode_code("ADDRESS-ERROR-CODE", value)
        return cls(value[0], code, reason)

    def encode(self, transaction_id: bytes) -> bytes:
        head = _HEAD.pack(self.family << 8, self.code // 100, self.code % 100)
        return head + self.reason.encode()
