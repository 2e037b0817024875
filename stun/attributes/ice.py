"""Attributes of connectivity checks (RFC 8445 section 16.1)."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Self

from .base import expect_length

_MAX_PRIORITY = 0xFFFFFFFF
_MAX_TIEBREAKER = 2**64 - 1


@dataclasses.dataclass(frozen=True, slots=True)
class Priority:
    """PRIORITY: what a peer-reflexive candidate found by this check would have."""

    TYPE: ClassVar[int] = 0x0024

    priority: int

    def __post_init__(self) -> None:
        if not 0 <= self.priority <= _MAX_PRIORITY:
            raise ValueError(f"a priority has 32 bits: {self.priority}")

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("PRIORITY", value, 4)
        return cls(int.from_bytes(value, "big"))

    def encode(self, transaction_id: bytes) -> bytes:
        return self.priority.to_bytes(4, "big")


@dataclasses.dataclass(frozen=True, slots=True)
class UseCandidate:
    """USE-CANDIDATE: this check nominates its pair."""

    TYPE: ClassVar[int] = 0x0025

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("USE-CANDIDATE", value, 0)
        return cls()

    def encode(self, transaction_id: bytes) -> bytes:
        return b""


@dataclasses.dataclass(frozen=True, slots=True)
class IceControlled:
    """ICE-CONTROLLED: the sender's role, and its tiebreaker."""

    TYPE: ClassVar[int] = 0x8029

    tiebreaker: int

    def __post_init__(self) -> None:
        if not 0 <= self.tiebreaker <= _MAX_TIEBREAKER:
            raise ValueError(f"a tiebreaker has 64 bits: {self.tiebreaker}")

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("ICE-CONTROLLED", value, 8)
        return cls(int.from_bytes(value, "big"))

    def encode(self, transaction_id: bytes) -> bytes:
        return self.tiebreaker.to_bytes(8, "big")


@dataclasses.dataclass(frozen=True, slots=True)
class IceControlling:
    """ICE-CONTROLLING: the sender's role, and its tiebreaker."""

    TYPE: ClassVar[int] = 0x802A

    tiebreaker: int

    def __post_init__(self) -> None:
        if not 0 <= self.tiebreaker <= _MAX_TIEBREAKER:
            raise ValueError(f"a tiebreaker has 64 bits: {self.tiebreaker}")

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("ICE-CONTROLLING", value, 8)
        return cls(int.from_bytes(value, "big"))

    def encode(self, transaction_id: bytes) -> bytes:
        return self.tiebreaker.to_bytes(8, "big")
