"""Reading and writing messages (RFC 8489 sections 5, 6 and 14).

Decoding walks once over the attribute headers and remembers where each type first
stands; a value is decoded when it is asked for.
"""

from __future__ import annotations

import hmac
import struct
import zlib
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Final, Self, TypeVar

from transport import DecodeError

from .attributes.base import AnyAttribute, Attribute
from .constants import (
    FINGERPRINT,
    FINGERPRINT_XOR,
    FIRST_OPTIONAL_TYPE,
    HEADER_SIZE,
    MAGIC_COOKIE,
    MAX_MESSAGE_BYTES,
    MESSAGE_INTEGRITY,
    MESSAGE_INTEGRITY_SHA256,
    TRANSACTION_ID_SIZE,
)
from .integrity import IntegrityAlgorithm, IntegrityKey
from .types import MAX_METHOD, MessageClass, join_type, split_type

A = TypeVar("A", bound=Attribute)

_HEADER = struct.Struct("!HHI12s")
_TYPE_AND_LENGTH = struct.Struct("!HH")
_FINGERPRINT = struct.Struct("!HHI")
_SHA1_HEAD = _TYPE_AND_LENGTH.pack(MESSAGE_INTEGRITY, 20)
_SHA256_HEAD = _TYPE_AND_LENGTH.pack(MESSAGE_INTEGRITY_SHA256, 32)
_SHA1_SIZE = 24
_SHA256_SIZE = 36
_FINGERPRINT_SIZE = 8
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")
_ELEMENT = "STUN message"

_CLOSING: Final = frozenset((MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256, FINGERPRINT))
"""Attributes that change what counts behind them."""

_unpack_header = _HEADER.unpack_from
_unpack_attribute = _TYPE_AND_LENGTH.unpack_from


def is_stun(data: bytes) -> bool:
    """Whether a datagram looks like one STUN message (RFC 8489 section 6.3).

    The first two bits are 0, the cookie is there, the length is that of the
    datagram and a multiple of 4. What is inside is not looked at.
    """
    if len(data) < HEADER_SIZE:
        return False
    kind, length, cookie, _ = _unpack_header(data)
    return bool(
        cookie == MAGIC_COOKIE
        and kind < 0x4000
        and length + HEADER_SIZE == len(data)
        and not length & 3
    )


class Message:
    """A message as it was received.

    ``get`` sees an attribute only where RFC 8489 lets it count: before the
    integrity attributes, the first of duplicates. The integrity attributes and
    FINGERPRINT themselves can be asked for too.
    """

    __slots__ = ("_end", "_offsets", "data", "message_class", "method", "transaction_id")

    data: bytes
    """The whole message."""
    method: int
    """A ``Method``, or the number of an unknown one."""
    message_class: MessageClass
    transaction_id: bytes

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """From the bytes of one datagram, or of one framed message.

        Raises:
            DecodeError: this is no STUN message, or its attributes do not fit it,
                or something follows FINGERPRINT.
        """
        size = len(data)
        if size < HEADER_SIZE:
            raise DecodeError(_ELEMENT, f"{size} bytes long")
        kind, length, cookie, transaction_id = _unpack_header(data)
        if cookie != MAGIC_COOKIE or kind > 0x3FFF:
            raise DecodeError(_ELEMENT, "no magic cookie, or the first two bits are not 0")
        if length + HEADER_SIZE != size or length & 3:
            raise DecodeError(_ELEMENT, f"length {length} in a datagram of {size} bytes")
        message = cls.__new__(cls)
        message.data = data
        message.method, message.message_class = split_type(kind)
        message.transaction_id = transaction_id
        message._scan(data, size)
        return message

    def _scan(self, data: bytes, size: int) -> None:
        """Note where each type first stands, up to the end of what counts.

        The size and every step are multiples of 4, so that a type and a length
        are there whenever anything is left.
        """
        self._offsets = offsets = dict[int, int]()
        offset = HEADER_SIZE
        while offset < size:
            kind, length = _unpack_attribute(data, offset)
            if kind in _CLOSING:
                self._end = offset
                self._scan_closing(data, size)
                return
            if kind not in offsets:
                offsets[kind] = offset
            offset += length + 7 & ~3
        if offset > size:
            raise DecodeError(_ELEMENT, "an attribute passes the end")
        self._end = size

    def _scan_closing(self, data: bytes, size: int) -> None:
        """From the first integrity attribute or FINGERPRINT on.

        After MESSAGE-INTEGRITY only MESSAGE-INTEGRITY-SHA256 and FINGERPRINT
        count, after MESSAGE-INTEGRITY-SHA256 only FINGERPRINT (section 9), and
        nothing may follow that (section 14.7).
        """
        offsets = self._offsets
        offset = self._end
        while offset < size:
            kind, length = _unpack_attribute(data, offset)
            if kind == FINGERPRINT:
                if length != 4 or offset + _FINGERPRINT_SIZE != size:
                    raise DecodeError(_ELEMENT, "FINGERPRINT is not 4 bytes, or not the last")
                offsets[kind] = offset
            elif kind == MESSAGE_INTEGRITY_SHA256 or (
                kind == MESSAGE_INTEGRITY and MESSAGE_INTEGRITY_SHA256 not in offsets
            ):
                offsets.setdefault(kind, offset)
            offset += length + 7 & ~3
        if offset > size:
            raise DecodeError(_ELEMENT, "an attribute passes the end")

    def get(self, attribute: type[A]) -> A | None:
        """The attribute of this class, or None.

        Raises:
            DecodeError: it is there, and its value is malformed.
        """
        offset = self._offsets.get(attribute.TYPE)
        if offset is None:
            return None
        start = offset + 4
        length = _unpack_attribute(self.data, offset)[1]
        return attribute.decode(self.data[start : start + length], self.transaction_id)

    def get_all(self, attribute: type[A]) -> list[A]:
        """All attributes of this class, in order, duplicates too.

        Raises:
            DecodeError: the value of one is malformed.
        """
        return [
            attribute.decode(value, self.transaction_id)
            for number, value in self.raw_attributes()
            if number == attribute.TYPE
        ]

    def has(self, attribute: type[Attribute]) -> bool:
        """Whether the attribute is there, well formed or not."""
        return attribute.TYPE in self._offsets

    def raw_value(self, number: int) -> bytes | None:
        """The bytes of an attribute by its number, without padding."""
        offset = self._offsets.get(number)
        if offset is None:
            return None
        length = _unpack_attribute(self.data, offset)[1]
        return self.data[offset + 4 : offset + 4 + length]

    def raw_attributes(self) -> Iterator[tuple[int, bytes]]:
        """Number and bytes of every attribute before the integrity attributes, in order."""
        offset = HEADER_SIZE
        while offset < self._end:
            number, length = _unpack_attribute(self.data, offset)
            yield number, self.data[offset + 4 : offset + 4 + length]
            offset += length + 7 & ~3

    def unknown_comprehension_required(self, understood: Container[int]) -> tuple[int, ...]:
        """Types below 0x8000 that are not in ``understood``, each once, in order."""
        return tuple(
            number
            for number in self._offsets
            if number < FIRST_OPTIONAL_TYPE and number not in understood and number not in _CLOSING
        )

    @property
    def integrity(self) -> IntegrityAlgorithm | None:
        """Which integrity attributes are there; None for neither."""
        has_sha256 = MESSAGE_INTEGRITY_SHA256 in self._offsets
        if MESSAGE_INTEGRITY in self._offsets:
            return IntegrityAlgorithm.BOTH if has_sha256 else IntegrityAlgorithm.SHA1
        return IntegrityAlgorithm.SHA256 if has_sha256 else None

    @property
    def has_integrity(self) -> bool:
        """Whether it carries an integrity attribute, valid or not."""
        return MESSAGE_INTEGRITY in self._offsets or MESSAGE_INTEGRITY_SHA256 in self._offsets

    def verify_integrity(self, key: IntegrityKey) -> bool:
        """Whether the integrity attribute was made with this key.

        MESSAGE-INTEGRITY-SHA256 decides when it is there, and must not be
        truncated. False without either.
        """
        offset = self._offsets.get(MESSAGE_INTEGRITY_SHA256)
        if offset is not None:
            return self._verify(offset, _SHA256_HEAD, key.sha256)
        offset = self._offsets.get(MESSAGE_INTEGRITY)
        return offset is not None and self._verify(offset, _SHA1_HEAD, key.sha1)

    @property
    def fingerprint_ok(self) -> bool | None:
        """Whether FINGERPRINT is right; None if there is none."""
        if FINGERPRINT not in self._offsets:
            return None
        data = self.data
        crc = zlib.crc32(data[:-_FINGERPRINT_SIZE]) ^ FINGERPRINT_XOR
        return crc == int.from_bytes(data[-4:], "big")

    def _verify(self, offset: int, head: bytes, digest: Callable[[bytes], bytes]) -> bool:
        data = self.data
        start = offset + 4
        if data[offset:start] != head:
            return False
        end = start + head[3]
        if end != len(data):
            # The length counts up to the end of the integrity attribute (section 14.5).
            length = (end - HEADER_SIZE).to_bytes(2, "big")
            text = data[:2] + length + data[4:offset]
        else:
            text = data[:offset]
        return hmac.compare_digest(digest(text), data[start:end])

    def __repr__(self) -> str:
        numbers = ", ".join(f"0x{number:04X}" for number in self._offsets)
        return f"<{self.message_class.name} of method {self.method:#05x}: {numbers}>"


def encode_message(
    method: int,
    message_class: MessageClass,
    transaction_id: bytes,
    attributes: Sequence[AnyAttribute],
    *,
    key: IntegrityKey | None = None,
    algorithm: IntegrityAlgorithm = IntegrityAlgorithm.SHA1,
    fingerprint: bool = False,
) -> bytes:
    """A message with its attributes in order, then integrity, then FINGERPRINT.

    Without a key there is no integrity attribute.

    Raises:
        ValueError: a field is out of range, or the message too long.
    """
    if len(transaction_id) != TRANSACTION_ID_SIZE or not 0 <= method <= MAX_METHOD:
        raise ValueError("a transaction id has 12 bytes, a method 12 bits")
    parts: list[bytes] = []
    for attribute in attributes:
        value = attribute.encode(transaction_id)
        length = len(value)
        parts.append(_TYPE_AND_LENGTH.pack(attribute.TYPE, length))
        parts.append(value)
        if length & 3:
            parts.append(_PADDING[length & 3])
    body = b"".join(parts)
    if len(body) + _SHA1_SIZE + _SHA256_SIZE + _FINGERPRINT_SIZE > MAX_MESSAGE_BYTES - HEADER_SIZE:
        raise ValueError(f"{len(body)} bytes of attributes are too many")
    kind = join_type(method, message_class)
    if key is not None:
        body = _with_integrity(kind, transaction_id, body, key, algorithm)
    if not fingerprint:
        return _HEADER.pack(kind, len(body), MAGIC_COOKIE, transaction_id) + body
    length = len(body) + _FINGERPRINT_SIZE
    text = _HEADER.pack(kind, length, MAGIC_COOKIE, transaction_id) + body
    return text + _FINGERPRINT.pack(FINGERPRINT, 4, zlib.crc32(text) ^ FINGERPRINT_XOR)


def _with_integrity(
    kind: int, transaction_id: bytes, body: bytes, key: IntegrityKey, algorithm: IntegrityAlgorithm
) -> bytes:
    if algorithm is not IntegrityAlgorithm.SHA256:
        head = _HEADER.pack(kind, len(body) + _SHA1_SIZE, MAGIC_COOKIE, transaction_id)
        body += _SHA1_HEAD + key.sha1(head + body)
    if algorithm is not IntegrityAlgorithm.SHA1:
        head = _HEADER.pack(kind, len(body) + _SHA256_SIZE, MAGIC_COOKIE, transaction_id)
        body += _SHA256_HEAD + key.sha256(head + body)
    return body
