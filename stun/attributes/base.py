"""What every attribute class offers (RFC 8489 section 14)."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Protocol, Self

from transport import DecodeError


class Attribute(Protocol):
    """The value of one attribute type.

    The transaction id is an argument of every codec, so that the XOR-ed addresses
    need no special case.
    """

    TYPE: ClassVar[int]

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        """From the value without padding.

        Raises:
            DecodeError: the bytes are no value of this type.
        """
        ...

    def encode(self, transaction_id: bytes) -> bytes:
        """The value without padding."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class UnknownAttribute:
    """An attribute kept as it came: its number and its bytes."""

    type: int
    value: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.type <= 0xFFFF:
            raise ValueError(f"an attribute type is from 0 to 0xFFFF, not {self.type}")
        if len(self.value) > 0xFFFF:
            raise ValueError(f"an attribute holds at most 65535 bytes, not {len(self.value)}")

    @property
    def TYPE(self) -> int:
        """The number, under the name that all attributes have for it."""
        return self.type

    def encode(self, transaction_id: bytes) -> bytes:
        return self.value


AnyAttribute = Attribute | UnknownAttribute


def expect_length(element: str, value: bytes, length: int) -> None:
    """Raise DecodeError unless the value is exactly so long."""
    if len(value) != length:
        raise DecodeError(element, f"{len(value)} bytes long, not {length}")


def check_range(what: str, value: int, limit: int) -> None:
    """Raise ValueError unless ``value`` is from 0 to ``limit``."""
    if not 0 <= value <= limit:
        raise ValueError(f"{what} is from 0 to {limit}, not {value}")
