"""Messages read byte by byte (RFC 8489 sections 5 and 14).

``ReceivedMessage.parse`` takes what is well-formed enough to be talked about; what is
wrong with it all the same is for ``checks``.
"""

from __future__ import annotations

import dataclasses
import hmac
import ipaddress
import struct
import zlib
from collections.abc import Sequence
from typing import Final, Self

from transport import DecodeError, TransportAddress

from .codes import FINGERPRINT_XOR, HEADER_BYTES, MAGIC_COOKIE, Attr, Class

_HEADER: Final = struct.Struct("!HHI12s")
_TLV: Final = struct.Struct("!HH")
_ELEMENT: Final = "STUN message"


@dataclasses.dataclass(frozen=True, slots=True)
class ReceivedAttribute:
    """An attribute; ``offset`` is where it begins in the message."""

    type: int
    value: bytes
    offset: int
    padding: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message as it came."""

    data: bytes
    method: int
    message_class: Class
    length: int
    cookie: int
    transaction_id: bytes
    attributes: tuple[ReceivedAttribute, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read one message, and nothing behind it.

        Raises:
            DecodeError: it is none.
        """
        if len(data) < HEADER_BYTES:
            raise DecodeError(_ELEMENT, f"{len(data)} bytes are no header")
        kind, length, cookie, transaction_id = _HEADER.unpack_from(data)
        if kind & 0xC000:
            raise DecodeError(_ELEMENT, "the first two bits are not zero")
        if HEADER_BYTES + length != len(data):
            raise DecodeError(_ELEMENT, f"length {length}, but {len(data) - HEADER_BYTES} bytes")
        method = method_of(data)
        message_class = Class(kind >> 7 & 2 | kind >> 4 & 1)
        found = _attributes(data)
        return cls(data, method, message_class, length, cookie, transaction_id, tuple(found))

    def get(self, attribute: int) -> bytes | None:
        """The value of the first attribute of a type, or None."""
        return next((each.value for each in self.attributes if each.type == attribute), None)

    def get_all(self, attribute: int) -> list[bytes]:
        return [each.value for each in self.attributes if each.type == attribute]

    @property
    def types(self) -> list[int]:
        """Those of its attributes, in their order."""
        return [each.type for each in self.attributes]

    @property
    def error_code(self) -> int | None:
        """The code of ERROR-CODE, or None (section 14.8)."""
        value = self.get(Attr.ERROR_CODE)
        return None if value is None or len(value) < 4 else (value[2] & 7) * 100 + value[3]

    def text(self, attribute: int) -> str | None:
        """The value of an attribute that is text, or None; what is no UTF-8 is replaced."""
        value = self.get(attribute)
        return None if value is None else value.decode(errors="replace")

    def number(self, attribute: int) -> int | None:
        """The value of an attribute that is a number, or None."""
        value = self.get(attribute)
        return None if value is None else int.from_bytes(value, "big")

    def address(self, attribute: int) -> TransportAddress | None:
        """The value of an attribute that is a plain address, or None."""
        value = self.get(attribute)
        return None if value is None else read_address(value)

    def xor_address(self, attribute: int) -> TransportAddress | None:
        """The value of an attribute that is an XORed address, or None."""
        value = self.get(attribute)
        return None if value is None else read_xor_address(value, self.transaction_id)

    def has_integrity(self, key: bytes) -> bool:
        """Whether MESSAGE-INTEGRITY is there and right."""
        found = self._first(Attr.MESSAGE_INTEGRITY)
        return found is not None and self._covers(found, key, "sha1", 20)

    def has_integrity_sha256(self, key: bytes) -> bool:
        """Whether MESSAGE-INTEGRITY-SHA256 is there, whole and right."""
        found = self._first(Attr.MESSAGE_INTEGRITY_SHA256)
        return found is not None and self._covers(found, key, "sha256", 32)

    @property
    def fingerprint_is_right(self) -> bool | None:
        """None where there is none."""
        found = self._first(Attr.FINGERPRINT)
        if found is None:
            return None
        check = zlib.crc32(self._up_to(found, 8)) ^ FINGERPRINT_XOR
        return found.value == check.to_bytes(4, "big")

    def _first(self, attribute: int) -> ReceivedAttribute | None:
        return next((each for each in self.attributes if each.type == attribute), None)

    def _covers(self, found: ReceivedAttribute, key: bytes, algorithm: str, size: int) -> bool:
        digest = hmac.digest(key, self._up_to(found, 4 + size), algorithm)
        return hmac.compare_digest(found.value, digest)

    def _up_to(self, found: ReceivedAttribute, size: int) -> bytes:
        """What stands before an attribute, with the length as if it were the last."""
        length = found.offset - HEADER_BYTES + size
        return self.data[:2] + length.to_bytes(2, "big") + self.data[4 : found.offset]


def _attributes(data: bytes) -> Sequence[ReceivedAttribute]:
    found = []
    offset = HEADER_BYTES
    while offset < len(data):
        if len(data) - offset < _TLV.size:
            raise DecodeError(_ELEMENT, f"{len(data) - offset} bytes are no attribute")
        kind, size = _TLV.unpack_from(data, offset)
        begin = offset + _TLV.size
        end = begin + size
        padded = end + -size % 4
        if padded > len(data):
            raise DecodeError(_ELEMENT, f"an attribute of {size} bytes passes its end")
        found.append(ReceivedAttribute(kind, data[begin:end], offset, data[end:padded]))
        offset = padded
    return found


def method_of(data: bytes) -> int:
    """The method of a message, whatever else is wrong with it (section 5)."""
    kind = int.from_bytes(data[:2], "big")
    return kind >> 2 & 0xF80 | kind >> 1 & 0x070 | kind & 0x00F


def read_address(value: bytes) -> TransportAddress:
    """A plain address (section 14.1).

    Raises:
        DecodeError: it is none.
    """
    if len(value) < 4 or {1: 8, 2: 20}.get(value[1]) != len(value):
        raise DecodeError("address", f"{len(value)} bytes of family {value[1:2].hex()}")
    return TransportAddress(ipaddress.ip_address(value[4:]), int.from_bytes(value[2:4], "big"))


def read_xor_address(value: bytes, transaction_id: bytes) -> TransportAddress:
    """An XORed address (section 14.2).

    Raises:
        DecodeError: it is none.
    """
    mask = MAGIC_COOKIE.to_bytes(4, "big") + transaction_id
    port = int.from_bytes(value[2:4], "big") ^ MAGIC_COOKIE >> 16
    host = bytes(a ^ b for a, b in zip(value[4:], mask, strict=False))
    return read_address(value[:2] + port.to_bytes(2, "big") + host)


@dataclasses.dataclass(frozen=True, slots=True)
class ReceivedChannelData:
    """A ChannelData message; ``padding`` is what stands behind it (RFC 8656 section 12.4)."""

    number: int
    data: bytes
    padding: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a datagram.

        Raises:
            DecodeError: it is none.
        """
        if len(data) < _TLV.size or not 0x40 <= data[0] <= 0x4F:
            raise DecodeError("ChannelData", "no channel number in front")
        number, size = _TLV.unpack_from(data)
        if size > len(data) - _TLV.size:
            raise DecodeError("ChannelData", f"length {size} in {len(data)} bytes")
        end = _TLV.size + size
        return cls(number, data[_TLV.size : end], data[end:])
