"""What a ClientHello of TLS offers (RFC 8446 section 4.1.2)."""

from __future__ import annotations

import dataclasses
from typing import Final, Self

from transport import ByteReader, DecodeError

_RECORD_HEADER: Final = 5
_ALPN: Final = 16
_SUPPORTED_VERSIONS: Final = 43
_GREASE: Final = frozenset(0x0A0A + 0x1010 * n for n in range(16))
"""Values that stand for nothing (RFC 8701)."""


@dataclasses.dataclass(frozen=True, slots=True)
class ClientHello:
    """``versions``, ``suites`` and ``protocols`` (ALPN) that the client takes."""

    versions: tuple[int, ...]
    suites: tuple[int, ...]
    compressions: bytes
    protocols: tuple[bytes, ...]

    @staticmethod
    def is_whole(data: bytes) -> bool:
        """Whether its record has come to its end."""
        size = int.from_bytes(data[3:5], "big")
        return len(data) >= _RECORD_HEADER + size and len(data) > _RECORD_HEADER

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the record that a connection begins with.

        Raises:
            DecodeError: it has no ClientHello.
        """
        reader = ByteReader(data[_RECORD_HEADER:], "ClientHello")
        if reader.uint8() != 1:
            raise DecodeError("ClientHello", "another handshake message")
        reader.take(3)
        version = reader.uint16()
        reader.take(32)
        reader.take(reader.uint8())
        suites = _numbers(reader.take(reader.uint16()))
        compressions = reader.take(reader.uint8())
        extensions = _extensions(reader)
        versions: tuple[int, ...] = (version,)
        if _SUPPORTED_VERSIONS in extensions:
            versions = _numbers(extensions[_SUPPORTED_VERSIONS][1:])
        protocols = _names(extensions.get(_ALPN, b"\0\0"))
        return cls(versions, suites, compressions, protocols)


def _extensions(reader: ByteReader) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    if not reader.remaining:
        return found
    reader.uint16()
    while reader.remaining:
        kind = reader.uint16()
        found[kind] = reader.take(reader.uint16())
    return found


def _numbers(data: bytes) -> tuple[int, ...]:
    every = (int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data) - 1, 2))
    return tuple(each for each in every if each not in _GREASE)


def _names(data: bytes) -> tuple[bytes, ...]:
    reader = ByteReader(data, "ALPN")
    reader.uint16()
    found = []
    while reader.remaining:
        found.append(reader.take(reader.uint8()))
    return tuple(found)
