"""Reading messages (RFC 8489 sections 5, 6.3 and 14).

Decoding walks once over the attribute headers and remembers where each type first
stands; a value is decoded when it is asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Container, Iterator
from typing import Final, Self, TypeVar
from zlib import crc32

from cryptography.exceptions import InvalidSignature

from transport import DecodeError

from .attributes.base import Attribute
from .constants import (
    FINGERPRINT,
    FINGERPRINT_XOR,
    FIRST_OPTIONAL_TYPE,
    HEADER_SIZE,
    MAGIC_COOKIE,
    MESSAGE_INTEGRITY,
    MESSAGE_INTEGRITY_SHA256,
)
from .integrity import IntegrityAlgorithm, IntegrityKey
from .types import KNOWN_MESSAGE_TYPES, MessageClass, split_type

A = TypeVar("A", bound=Attribute)

_ELEMENT = "STUN message"
_FINGERPRINT_SIZE = 8
_SHA1_HEAD: Final = MESSAGE_INTEGRITY << 16 | 20
_FINGERPRINT_HEAD: Final = FINGERPRINT << 16 | 4

_CLOSING: Final = frozenset((MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256, FINGERPRINT))
"""Attributes that change what counts behind them."""

_ENDING: Final = struct.Struct("!I20sII")
"""MESSAGE-INTEGRITY and FINGERPRINT: how nearly all messages of ICE end. It is looked
for first, which takes 2.5 instead of 3.1 us to read and verify one
(benchmarks/bench_stun_codec.py)."""

_ENDING_SIZE = _ENDING.size
_LEAST_USUAL_SIZE = HEADER_SIZE + _ENDING_SIZE

_unpack_header = struct.Struct("!HHI12s").unpack_from
_unpack_attribute = struct.Struct("!HH").unpack_from
_unpack_ending = _ENDING.unpack_from
_pack_head = struct.Struct("!BBH").pack
_new_message = object.__new__


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


def _header_error(data: bytes) -> DecodeError:
    """Why these 20 bytes or more are no STUN message."""
    kind, length, cookie, _ = _unpack_header(data)
    if cookie != MAGIC_COOKIE or kind > 0x3FFF:
        return DecodeError(_ELEMENT, "no magic cookie, or the first two bits are not 0")
    return DecodeError(_ELEMENT, f"length {length} in a datagram of {len(data)} bytes")


class Message:
    """A message as it was received.

    ``get`` sees an attribute only where RFC 8489 lets it count: before the
    integrity attributes, the first of duplicates. The integrity attributes and
    FINGERPRINT themselves can be asked for too. There is no constructor to call:
    ``decode`` reads a message, ``encode_message`` writes one.
    """

    __slots__ = (
        "_digest",
        "_end",
        "_offsets",
        "_sha1",
        "_sha256",
        "data",
        "fingerprint_ok",
        "message_class",
        "method",
        "transaction_id",
    )

    data: bytes
    """The whole message."""
    method: int
    """A ``Method``, or the number of an unknown one."""
    message_class: MessageClass
    transaction_id: bytes
    fingerprint_ok: bool | None
    """Whether FINGERPRINT is right; None if there is none."""

    _offsets: dict[int, int]
    """Where the first attribute of each type starts; those in _CLOSING apart."""
    _end: int
    """Where the attributes that count end."""
    _sha1: int
    _sha256: int
    """Where the integrity attributes start; 0 for none."""
    _digest: bytes
    """The value of the one that decides; of a wrong length it equals no digest."""

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
        if cookie != MAGIC_COOKIE or kind > 0x3FFF or length + HEADER_SIZE != size or length & 3:
            raise _header_error(data)
        message = _new_message(cls)
        message.data = data
        message.transaction_id = transaction_id
        message.method, message.message_class = KNOWN_MESSAGE_TYPES.get(kind) or split_type(kind)
        if size < _LEAST_USUAL_SIZE or not message._scan_usual(size - _ENDING_SIZE):
            message._scan_closing(message._scan(size))
        return message

    def _scan_usual(self, end: int) -> bool:
        """Read all of a message that has nothing else than MESSAGE-INTEGRITY and
        FINGERPRINT at and behind ``end``; False if it is none.

        ``end`` and every step are multiples of 4, so that a type and a length are
        there whenever anything is left.
        """
        data = self.data
        integrity_head, self._digest, fingerprint_head, crc = _unpack_ending(data, end)
        if integrity_head != _SHA1_HEAD or fingerprint_head != _FINGERPRINT_HEAD:
            return False
        offsets: dict[int, int] = {}
        self._offsets = offsets
        offset = HEADER_SIZE
        while offset < end:
            kind, length = _unpack_attribute(data, offset)
            if kind not in offsets:
                offsets[kind] = offset
            offset += length + 7 & -4
        if offset != end or MESSAGE_INTEGRITY in offsets or FINGERPRINT in offsets:
            return False  # it was inside a value, or is not the first of its kind
        if MESSAGE_INTEGRITY_SHA256 in offsets:
            return False
        self._end = self._sha1 = end
        self._sha256 = 0
        self.fingerprint_ok = crc32(data[:-_FINGERPRINT_SIZE]) ^ FINGERPRINT_XOR == crc
        return True

    def _scan(self, end: int) -> int:
        """Note where each type first stands; return where the first one in _CLOSING
        does, or where the walk came to ``end`` or passed it."""
        offsets: dict[int, int] = {}
        self._offsets = offsets
        data = self.data
        offset = HEADER_SIZE
        while offset < end:
            kind, length = _unpack_attribute(data, offset)
            if kind in _CLOSING:
                break
            offsets.setdefault(kind, offset)
            offset += length + 7 & -4
        self._end = offset
        return offset

    def _scan_closing(self, offset: int) -> None:
        """From the first integrity attribute or FINGERPRINT on, if there is any.

        After MESSAGE-INTEGRITY only MESSAGE-INTEGRITY-SHA256 and FINGERPRINT
        count, after MESSAGE-INTEGRITY-SHA256 only FINGERPRINT (section 9), and
        nothing may follow that (section 14.7).
        """
        self._sha1 = self._sha256 = 0
        self._digest = b""
        self.fingerprint_ok = None
        data = self.data
        size = len(data)
        while offset < size:
            kind, length = _unpack_attribute(data, offset)
            start = offset + 4
            if kind == FINGERPRINT:
                if length != 4 or start + 4 != size:
                    raise DecodeError(_ELEMENT, "FINGERPRINT is not 4 bytes, or not the last")
                crc = int.from_bytes(data[start:], "big")
                self.fingerprint_ok = crc32(data[:offset]) ^ FINGERPRINT_XOR == crc
            elif kind == MESSAGE_INTEGRITY_SHA256 and not self._sha256:
                self._sha256 = offset
                self._digest = data[start : start + length]
            elif kind == MESSAGE_INTEGRITY and not self._sha1 and not self._sha256:
                self._sha1 = offset
                self._digest = data[start : start + length]
            offset = start + (length + 3 & ~3)
        if offset > size:
            raise DecodeError(_ELEMENT, "an attribute passes the end")

    def get(self, attribute: type[A]) -> A | None:
        """The attribute of this class, or None.

        Raises:
            DecodeError: it is there, and its value is malformed.
        """
        offset = self._offsets.get(attribute.TYPE) or self._closing_offset(attribute.TYPE)
        if not offset:
            return None
        start = offset + 4
        data = self.data
        value = data[start : start + (data[offset + 2] << 8 | data[offset + 3])]
        return attribute.decode(value, self.transaction_id)

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
        return self.raw_value(attribute.TYPE) is not None

    def raw_value(self, number: int) -> bytes | None:
        """The bytes of an attribute by its number, without padding."""
        offset = self._offsets.get(number) or self._closing_offset(number)
        if not offset:
            return None
        data = self.data
        start = offset + 4
        return data[start : start + (data[offset + 2] << 8 | data[offset + 3])]

    def _closing_offset(self, number: int) -> int:
        match number:
            case 0x0008:
                return self._sha1
            case 0x001C:
                return self._sha256
            case 0x8028:
                return 0 if self.fingerprint_ok is None else len(self.data) - _FINGERPRINT_SIZE
        return 0

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
            if number < FIRST_OPTIONAL_TYPE and number not in understood
        )

    @property
    def integrity(self) -> IntegrityAlgorithm | None:
        """Which integrity attributes are there; None for neither."""
        if self._sha256:
            return IntegrityAlgorithm.BOTH if self._sha1 else IntegrityAlgorithm.SHA256
        return IntegrityAlgorithm.SHA1 if self._sha1 else None

    @property
    def has_integrity(self) -> bool:
        """Whether it carries an integrity attribute, valid or not."""
        return bool(self._sha1 or self._sha256)

    def verify_integrity(self, key: IntegrityKey) -> bool:
        """Whether the integrity attribute was made with this key.

        MESSAGE-INTEGRITY-SHA256 decides when it is there, and must not be
        truncated. False without either.
        """
        offset = self._sha256 or self._sha1
        if not offset:
            return False
        digest = self._digest
        data = self.data
        # The length counts up to the end of the integrity attribute (section 14.5).
        length = offset + (4 - HEADER_SIZE) + len(digest)
        text = _pack_head(data[0], data[1], length) + data[4:offset]
        state = key.new_sha256() if self._sha256 else key.new_sha1()
        state.update(text)
        try:
            state.verify(digest)
        except InvalidSignature:
            return False
        return True

    def __repr__(self) -> str:
        numbers = ", ".join(f"0x{number:04X}" for number in self._offsets)
        return f"<{self.message_class.name} of method {self.method:#05x}: {numbers}>"
