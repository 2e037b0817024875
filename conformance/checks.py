"""What every response has to keep to, whichever row asked for it.

Each finding belongs to a row of the catalogue: a server that pads with spaces fails that
row, and not all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from transport import DecodeError

from .codes import (
    MAGIC_COOKIE,
    PLAIN_ADDRESSES,
    TEXTS,
    XOR_ADDRESSES,
    Attr,
    Class,
    attribute_name,
    method_name,
)
from .outcome import Mark, Violation
from .reading import ReceivedAttribute, ReceivedMessage, read_address

MAX_DATAGRAM: Final = {4: 576 - 28, 6: 1280 - 48}
"""Bytes of a STUN message, by the version of IP, where the path's MTU is not known (RFC 8489
section 6.1)."""

MAX_CHARACTERS: Final = 127
"""Of REALM, NONCE, SOFTWARE and a reason phrase (sections 14.8 to 14.14)."""

FIXED_SIZES: Final = {
    Attr.LIFETIME: 4,
    Attr.RESERVATION_TOKEN: 8,
    Attr.CONNECTION_ID: 4,
    Attr.ICMP: 8,
    Attr.MESSAGE_INTEGRITY: 20,
    Attr.FINGERPRINT: 4,
}


def mark_of(message: ReceivedMessage, attribute: ReceivedAttribute) -> Mark:
    """An attribute, from its type to its padding."""
    end = attribute.offset + 4 + len(attribute.value) + len(attribute.padding)
    return Mark(message.data, attribute.offset, end)


def mark_attribute(message: ReceivedMessage, kind: int) -> Mark | None:
    """The first attribute of a type, or None."""
    found = next((each for each in message.attributes if each.type == kind), None)
    return None if found is None else mark_of(message, found)


def check_response(
    response: ReceivedMessage, *, method: int, most: int | None
) -> Iterator[Violation]:
    """What is wrong with a response to a request of that method; datagrams have ``most`` bytes."""
    head = Mark(response.data, 0, 2)
    if response.cookie != MAGIC_COOKIE:
        yield Violation("COD-HDR-02", "no magic cookie", Mark(response.data, 4, 8))
    if response.length % 4:
        yield Violation("COD-HDR-05", f"length {response.length}", Mark(response.data, 2, 4))
    if response.method != method:
        detail = f"a response of {method_name(response.method)} to {method_name(method)}"
        yield Violation("STUNS-BASE-08", detail, head)
    size = len(response.data)
    if most is not None and size > most and Attr.PADDING not in response.types:
        detail = f"{size} bytes are more than {most}"
        yield Violation("COD-HDR-09", detail, Mark(response.data, 2, 4))
    if response.message_class is Class.ERROR and response.error_code is None:
        yield Violation("STUNS-BASE-08", "an error response without ERROR-CODE", head)
    for attribute in response.attributes:
        yield from _check_attribute(response, attribute)
    yield from _check_end(response)


def _check_attribute(
    response: ReceivedMessage, attribute: ReceivedAttribute
) -> Iterator[Violation]:
    mark, name = mark_of(response, attribute), attribute_name(attribute.type)
    if any(attribute.padding):
        yield Violation("COD-ATTR-02", f"padding of {name} is not zero", mark)
    size = FIXED_SIZES.get(Attr(attribute.type)) if attribute.type in set(Attr) else None
    if size is not None and len(attribute.value) != size:
        yield Violation("COD-ATTR-13", f"{name} has {len(attribute.value)} bytes", mark)
    if attribute.type in XOR_ADDRESSES | PLAIN_ADDRESSES:
        yield from _check_address(attribute, mark, name)
    elif attribute.type in TEXTS:
        yield from _check_text(attribute, mark, name)
    elif attribute.type == Attr.ERROR_CODE:
        yield from _check_error_code(attribute, mark)


def _check_address(attribute: ReceivedAttribute, mark: Mark, name: str) -> Iterator[Violation]:
    try:
        read_address(attribute.value)
    except DecodeError as error:
        yield Violation("COD-ADDR-02", f"{name}: {error}", mark)
        return
    if attribute.value[0]:
        yield Violation("COD-ADDR-01", f"{name} begins with {attribute.value[0]:#04x}", mark)


def _check_text(attribute: ReceivedAttribute, mark: Mark, name: str) -> Iterator[Violation]:
    row_id = {Attr.REALM: "COD-TXT-04", Attr.NONCE: "COD-TXT-05", Attr.SOFTWARE: "COD-TXT-06"}
    owner = row_id.get(Attr(attribute.type))
    if owner is None:
        return
    try:
        text = attribute.value.decode()
    except UnicodeDecodeError:
        yield Violation(owner, f"{name} is no UTF-8", mark)
        return
    if len(text) > MAX_CHARACTERS:
        yield Violation(owner, f"{name} has {len(text)} characters", mark)
    if attribute.type != Attr.SOFTWARE and ('"' in text or not text):
        yield Violation(owner, f"{name} is empty, or has quotes: {text!r}", mark)


def _check_error_code(attribute: ReceivedAttribute, mark: Mark) -> Iterator[Violation]:
    value = attribute.value
    if len(value) < 4:
        yield Violation("COD-TXT-07", f"ERROR-CODE has {len(value)} bytes", mark)
        return
    if value[0] or value[1] or value[2] & 0xF8:
        yield Violation("COD-TXT-07", "reserved bits of ERROR-CODE are set", mark)
    if not 3 <= value[2] & 7 <= 6 or value[3] > 99:
        yield Violation("COD-TXT-07", f"class {value[2] & 7}, number {value[3]}", mark)
    try:
        too_long = len(value[4:].decode()) > MAX_CHARACTERS
    except UnicodeDecodeError:
        yield Violation("COD-TXT-07", "the reason phrase is no UTF-8", mark)
        return
    if too_long:
        yield Violation("COD-TXT-07", "the reason phrase has over 127 characters", mark)


def _check_end(response: ReceivedMessage) -> Iterator[Violation]:
    if response.fingerprint_is_right is False:
        mark = mark_attribute(response, Attr.FINGERPRINT)
        yield Violation("COD-FP-01", "FINGERPRINT is not that of the message", mark)
    types = response.types
    if Attr.FINGERPRINT in types and types[-1] != Attr.FINGERPRINT:
        yield Violation("COD-ATTR-11", "FINGERPRINT is not the last attribute", None)
