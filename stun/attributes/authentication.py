"""Attributes of RFC 8489 that carry credentials and integrity (section 14)."""

from __future__ import annotations

import dataclasses
import enum
import struct
from typing import ClassVar, Self

from transport import ByteReader, DecodeError

from .base import check_range, expect_length
from .text import MAX_RECEIVED_BYTES, check_characters, decode_short_text, decode_text

MAX_USERNAME_BYTES = 508
"""What may be sent; up to 763 bytes are read, as RFC 5389 allowed (section 14.3)."""

SHA1_BYTES = 20
SHA256_BYTES = 32
MIN_TRUNCATED_BYTES = 16
"""The shortest MESSAGE-INTEGRITY-SHA256 that a usage may allow (section 14.6)."""

_ENTRY = struct.Struct("!HH")


class KeyAlgorithm(enum.IntEnum):
    """How a long-term key is made of a password (section 18.5)."""

    MD5 = 0x0001
    SHA256 = 0x0002


@dataclasses.dataclass(frozen=True, slots=True)
class Username:
    """USERNAME: whose password protects the message (section 14.3).

    Up to 763 bytes of UTF-8 can be received; ``encode`` raises ValueError above 508.
    """

    TYPE: ClassVar[int] = 0x0006

    username: str

    def __post_init__(self) -> None:
        if len(self.username.encode()) > MAX_RECEIVED_BYTES:
            raise ValueError(f"a username has at most {MAX_USERNAME_BYTES} bytes")

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(decode_text("USERNAME", value))

    def encode(self, transaction_id: bytes) -> bytes:
        value = self.username.encode()
        if len(value) > MAX_USERNAME_BYTES:
            raise ValueError(f"a username to send has at most {MAX_USERNAME_BYTES} bytes")
        return value


@dataclasses.dataclass(frozen=True, slots=True)
class Userhash:
    """USERHASH: stands for the username where that is kept secret (section 14.4)."""

    TYPE: ClassVar[int] = 0x001E

    digest: bytes

    def __post_init__(self) -> None:
        if len(self.digest) != SHA256_BYTES:
            raise ValueError(f"a userhash has {SHA256_BYTES} bytes, not {len(self.digest)}")

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("USERHASH", value, SHA256_BYTES)
        return cls(value)

    def encode(self, transaction_id: bytes) -> bytes:
        return self.digest


@dataclasses.dataclass(frozen=True, slots=True)
class Realm:
    """REALM: within which the username and the password hold (section 14.9)."""

    TYPE: ClassVar[int] = 0x0014

    realm: str

    def __post_init__(self) -> None:
        check_characters("a realm", self.realm)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(decode_short_text("REALM", value))

    def encode(self, transaction_id: bytes) -> bytes:
        return self.realm.encode()


@dataclasses.dataclass(frozen=True, slots=True)
class Nonce:
    """NONCE: the server's word that a request must repeat (section 14.10)."""

    TYPE: ClassVar[int] = 0x0015

    nonce: str

    def __post_init__(self) -> None:
        check_characters("a nonce", self.nonce)

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        return cls(decode_short_text("NONCE", value))

    def encode(self, transaction_id: bytes) -> bytes:
        return self.nonce.encode()


@dataclasses.dataclass(frozen=True, slots=True)
class AlgorithmParameters:
    """One entry of PASSWORD-ALGORITHMS: a number of ``KeyAlgorithm``, or one unknown."""

    number: int
    parameters: bytes = b""

    def __post_init__(self) -> None:
        check_range("a password algorithm", self.number, 0xFFFF)
        if len(self.parameters) > 0xFFFF:
            raise ValueError("algorithm parameters have at most 65535 bytes")

    def encode(self) -> bytes:
        """With the parameters padded to a multiple of 4."""
        head = _ENTRY.pack(self.number, len(self.parameters))
        return head + self.parameters + bytes(-len(self.parameters) % 4)


def _read_entry(reader: ByteReader) -> AlgorithmParameters:
    number = reader.uint16()
    parameters = reader.take(reader.uint16())
    # The last entry of a peer may lack the padding that the attribute adds anyhow.
    reader.skip(min(-len(parameters) % 4, reader.remaining))
    return AlgorithmParameters(number, parameters)


@dataclasses.dataclass(frozen=True, slots=True)
class PasswordAlgorithms:
    """PASSWORD-ALGORITHMS: what a server can derive keys with, best first (section 14.11)."""

    TYPE: ClassVar[int] = 0x8002

    algorithms: tuple[AlgorithmParameters, ...]

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        reader = ByteReader(value, "PASSWORD-ALGORITHMS")
        entries = []
        while reader.remaining:
            entries.append(_read_entry(reader))
        return cls(tuple(entries))

    def encode(self, transaction_id: bytes) -> bytes:
        return b"".join(entry.encode() for entry in self.algorithms)


@dataclasses.dataclass(frozen=True, slots=True)
class PasswordAlgorithm:
    """PASSWORD-ALGORITHM: the one that the client chose (section 14.12)."""

    TYPE: ClassVar[int] = 0x001D

    algorithm: AlgorithmParameters

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        reader = ByteReader(value, "PASSWORD-ALGORITHM")
        entry = _read_entry(reader)
        reader.expect_end()
        return cls(entry)

    def encode(self, transaction_id: bytes) -> bytes:
        return self.algorithm.encode()


@dataclasses.dataclass(frozen=True, slots=True)
class MessageIntegrity:
    """MESSAGE-INTEGRITY: an HMAC-SHA1 of the message (section 14.5).

    ``encode_message`` computes it and ``Message.verify_integrity`` checks it; this
    class is for looking at a message.
    """

    TYPE: ClassVar[int] = 0x0008

    digest: bytes

    def __post_init__(self) -> None:
        if len(self.digest) != SHA1_BYTES:
            raise ValueError(f"an HMAC-SHA1 has {SHA1_BYTES} bytes, not {len(self.digest)}")

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        expect_length("MESSAGE-INTEGRITY", value, SHA1_BYTES)
        return cls(value)

    def encode(self, transaction_id: bytes) -> bytes:
        return self.digest


@dataclasses.dataclass(frozen=True, slots=True)
class MessageIntegritySha256:
    """MESSAGE-INTEGRITY-SHA256: an HMAC-SHA256 of the message, or its start (section 14.6)."""

    TYPE: ClassVar[int] = 0x001C

    digest: bytes

    def __post_init__(self) -> None:
        if not self._is_length(len(self.digest)):
            raise ValueError(f"a digest has 16 to 32 bytes in fours, not {len(self.digest)}")

    @staticmethod
    def _is_length(length: int) -> bool:
        return MIN_TRUNCATED_BYTES <= length <= SHA256_BYTES and length % 4 == 0

    @classmethod
    def decode(cls, value: bytes, transaction_id: bytes) -> Self:
        if not cls._is_length(len(value)):
            raise DecodeError("MESSAGE-INTEGRITY-SHA256", f"{len(value)} bytes long")
        return cls(value)

    def encode(self, transaction_id: bytes) -> bytes:
        return self.digest
