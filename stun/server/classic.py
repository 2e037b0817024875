"""Answering clients of RFC 3489, which know no magic cookie (RFC 5389 section 12.2).

Their messages cannot be told from those of other protocols with certainty: this is for a
server that is asked to, and never where STUN shares a socket with other protocols.
"""

from __future__ import annotations

import struct
from typing import Final

from stun.attributes import ChangeRequest, ErrorCode, ErrorNumber, MappedAddress, UnknownAttributes
from stun.constants import FIRST_OPTIONAL_TYPE, HEADER_SIZE, MAGIC_COOKIE
from transport import Path

from .binding import MAX_UNKNOWN_TYPES, mapped_address

_REQUEST: Final = 0x0001
_RESPONSE: Final = 0x0101
_ERROR_RESPONSE: Final = 0x0111

_ERROR_BITS: Final = 0x0110
_NO_REQUEST: Final = 0xC000 | _ERROR_BITS
"""The first two bits, which are 0 in STUN, and those of the class."""

_UNDERSTOOD: Final = frozenset((0x0001, 0x0004, 0x0005, 0x0006, 0x0007, 0x0008, 0x000B))
"""What RFC 3489 section 11.2 defines, but for RESPONSE-ADDRESS and CHANGE-REQUEST, which would
have to be obeyed. The others are of no meaning in a request, or ask for nothing: nobody is
authenticated here."""

_NO_CHANGE: Final = bytes(4)
"""Old clients send a CHANGE-REQUEST that asks for no change."""

_HEADER: Final = struct.Struct("!HHI")
_ATTRIBUTE: Final = struct.Struct("!HH")


def classic_binding_response(request: bytes, path: Path) -> bytes | None:
    """The answer to a Binding request without a magic cookie; None if it is none.

    All 16 bytes behind the length are the transaction id, and come back. There is
    MAPPED-ADDRESS, and no attribute that RFC 3489 does not know.
    """
    unknown = _unknown_types(request)
    if unknown is None:
        return None
    transaction_id = request[4:HEADER_SIZE]
    if not unknown:
        value = MappedAddress(mapped_address(path)).encode(b"")
        return _message(_RESPONSE, transaction_id, _attribute(MappedAddress.TYPE, value))
    # The list is a multiple of four bytes long, for there is no padding (section 11.2.10).
    listed = unknown[:MAX_UNKNOWN_TYPES]
    listed += listed[-1:] * (len(listed) % 2)
    error = ErrorCode(ErrorNumber.UNKNOWN_ATTRIBUTE).encode(b"")
    return _message(
        _ERROR_RESPONSE,
        transaction_id,
        _attribute(ErrorCode.TYPE, error),
        _attribute(UnknownAttributes.TYPE, UnknownAttributes(tuple(listed)).encode(b"")),
    )


def refusal_without_cookie(message: bytes) -> bytes | None:
    """500 for a request without a magic cookie; None for what is none.

    For DTLS, which RFC 3489 does not know: such a request is invalid there, whatever it
    asks (RFC 8489 section 11).
    """
    if len(message) < HEADER_SIZE:
        return None
    kind, length, cookie = _HEADER.unpack_from(message)
    if kind & _NO_REQUEST or cookie == MAGIC_COOKIE or length + HEADER_SIZE != len(message):
        return None
    error = ErrorCode.of(ErrorNumber.SERVER_ERROR).encode(b"")
    padded = error + bytes(-len(error) % 4)
    head = _ATTRIBUTE.pack(ErrorCode.TYPE, len(error))
    return _message(kind | _ERROR_BITS, message[4:HEADER_SIZE], head + padded)


def _unknown_types(data: bytes) -> list[int] | None:
    """Types that the server would have to understand; None if this is no classic request."""
    if len(data) < HEADER_SIZE:
        return None
    kind, length, cookie = _HEADER.unpack_from(data)
    if kind != _REQUEST or cookie == MAGIC_COOKIE or length + HEADER_SIZE != len(data):
        return None
    unknown: dict[int, None] = {}
    offset = HEADER_SIZE
    while offset < len(data):
        if len(data) - offset < _ATTRIBUTE.size:
            return None
        number, size = _ATTRIBUTE.unpack_from(data, offset)
        offset += _ATTRIBUTE.size
        if size % 4 or size > len(data) - offset:
            return None
        if number == ChangeRequest.TYPE and data[offset : offset + size] == _NO_CHANGE:
            pass
        elif number < FIRST_OPTIONAL_TYPE and number not in _UNDERSTOOD:
            unknown[number] = None
        offset += size
    return list(unknown)


def _attribute(number: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(number, len(value)) + value


def _message(kind: int, transaction_id: bytes, *attributes: bytes) -> bytes:
    body = b"".join(attributes)
    return _ATTRIBUTE.pack(kind, len(body)) + transaction_id + body
