"""Bytes in plain words, part by part, for people who do not have the RFC at hand.

``describe`` takes whatever was on the wire: a STUN message, ChannelData, several of them
behind each other in a stream, or bytes that are neither. It never raises.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final

from transport import DecodeError

from .codes import HEADER_BYTES, MAGIC_COOKIE, Attr, Class, attribute_name, method_name
from .describing_values import counted, describe_value, printable
from .reading import ReceivedMessage

CLASSES: Final = {
    Class.REQUEST: "request",
    Class.INDICATION: "indication",
    Class.SUCCESS: "success response",
    Class.ERROR: "error response",
}
MAX_PREVIEW: Final = 64
"""Bytes of what is no message that are shown as text."""


MAX_TITLES: Final = 3
"""Messages of a stream that are named in one line."""


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """Bytes from ``begin`` to before ``end``: what they are called, and what they say."""

    begin: int
    end: int
    name: str
    text: str

    def hex(self, data: bytes, limit: int) -> str:
        """Its bytes in groups of four, as many as ``limit``; empty if the text has them."""
        value = data[self.begin : self.end]
        if value.hex() == self.text:
            return ""
        return value[:limit].hex(" ", -4) + (" ..." if len(value) > limit else "")


@dataclasses.dataclass(frozen=True, slots=True)
class Described:
    """A message, or bytes that are none. Offsets of parts count from the first byte of all."""

    title: str
    parts: tuple[Part, ...]


def describe(data: bytes) -> tuple[Described, ...]:
    """What the bytes of a datagram, or of a piece of a stream, are."""
    found = []
    begin = 0
    while begin < len(data):
        end = _end(data, begin)
        found.append(_describe_one(data, begin, end))
        begin = end
    return tuple(found) or (Described("no bytes", ()),)


def title(data: bytes) -> str:
    """What the bytes are, in a few words."""
    found = [each.title for each in describe(data)]
    more = len(found) - MAX_TITLES
    return ", then ".join(found[:MAX_TITLES]) + (f", and {more} more" if more > 0 else "")


def _end(data: bytes, begin: int) -> int:
    """Where the message that begins there ends; the end of all if that cannot be told."""
    size = int.from_bytes(data[begin + 2 : begin + 4], "big")
    if _is_stun(data, begin):
        end = begin + HEADER_BYTES + size
    elif _is_channel_data(data, begin):
        end = begin + 4 + size + -size % 4
    else:
        return len(data)
    # What follows a message is one only if it looks like one: else it is a tail.
    if end < len(data) and (_is_stun(data, end) or _is_channel_data(data, end)):
        return end
    return len(data)


def _is_stun(data: bytes, begin: int) -> bool:
    """What has the magic cookie, or a length that fits (RFC 3489 has no cookie)."""
    if len(data) - begin < HEADER_BYTES or data[begin] & 0xC0:
        return False
    size = int.from_bytes(data[begin + 2 : begin + 4], "big")
    cookie = int.from_bytes(data[begin + 4 : begin + 8], "big")
    return cookie == MAGIC_COOKIE or begin + HEADER_BYTES + size == len(data)


def _is_channel_data(data: bytes, begin: int) -> bool:
    if len(data) - begin < 4 or not 0x40 <= data[begin] <= 0x4F:
        return False
    return begin + 4 + int.from_bytes(data[begin + 2 : begin + 4], "big") <= len(data)


def _describe_one(data: bytes, begin: int, end: int) -> Described:
    if _is_stun(data, begin):
        return _describe_stun(data, begin, end)
    if _is_channel_data(data, begin):
        return _describe_channel_data(data, begin, end)
    text = printable(data[begin : begin + MAX_PREVIEW])
    whole = Part(begin, end, "bytes", text + (" ..." if end - begin > MAX_PREVIEW else ""))
    return Described(f"{counted(end - begin)} that are no message", (whole,))


def _describe_channel_data(data: bytes, begin: int, end: int) -> Described:
    number = int.from_bytes(data[begin : begin + 2], "big")
    size = int.from_bytes(data[begin + 2 : begin + 4], "big")
    payload_end = begin + 4 + size
    parts = [
        Part(begin, begin + 2, "channel number", f"0x{number:04X}"),
        Part(begin + 2, begin + 4, "length", f"{counted(size)} of data"),
    ]
    if size:
        text = printable(data[begin + 4 : payload_end][:MAX_PREVIEW])
        parts.append(Part(begin + 4, payload_end, "data", text))
    if payload_end < end:
        parts.append(Part(payload_end, end, "padding", counted(end - payload_end)))
    return Described(f"ChannelData on 0x{number:04X}, {counted(size)}", tuple(parts))


def _describe_stun(data: bytes, begin: int, end: int) -> Described:
    kind = int.from_bytes(data[begin : begin + 2], "big")
    method = kind >> 2 & 0xF80 | kind >> 1 & 0x070 | kind & 0x00F
    name = f"{method_name(method)} {CLASSES[Class(kind >> 7 & 2 | kind >> 4 & 1)]}"
    transaction_id = data[begin + 8 : begin + 20]
    parts = [
        Part(begin, begin + 2, "message type", name),
        Part(begin + 2, begin + 4, "length", _length(data, begin, end)),
        Part(begin + 4, begin + 8, "magic cookie", _cookie(data[begin + 4 : begin + 8])),
        Part(begin + 8, begin + 20, "transaction id", transaction_id.hex()),
    ]
    parts += _attributes(data, begin, end)
    return Described(name + _code(data[begin:end]), tuple(parts))


def _length(data: bytes, begin: int, end: int) -> str:
    size, there = int.from_bytes(data[begin + 2 : begin + 4], "big"), end - begin - HEADER_BYTES
    return f"{size} bytes follow" + ("" if size == there else f", it says; there are {there}")


def _cookie(value: bytes) -> str:
    is_right = int.from_bytes(value, "big") == MAGIC_COOKIE
    return "as it has to be" if is_right else f"0x{value.hex()} is not 0x{MAGIC_COOKIE:08x}"


def _code(data: bytes) -> str:
    try:
        code = ReceivedMessage.parse(data).error_code
    except DecodeError:
        return ", malformed"
    return "" if code is None else f" {code}"


def _attributes(data: bytes, begin: int, end: int) -> Iterator[Part]:
    transaction_id = data[begin + 8 : begin + 20]
    offset = begin + HEADER_BYTES
    while offset < end:
        size = int.from_bytes(data[offset + 2 : offset + 4], "big")
        value_end = offset + 4 + size
        if offset + 4 > end or value_end > end:
            yield Part(offset, end, "bytes", f"{counted(end - offset)} that are no attribute")
            return
        part_end = min(value_end + -size % 4, end)
        kind, value = int.from_bytes(data[offset : offset + 2], "big"), data[offset + 4 : value_end]
        text = describe_value(kind, value, transaction_id)
        if kind == Attr.FINGERPRINT:
            text = _fingerprint(data[begin:end], text)
        if any(data[value_end:part_end]):
            text += f" (padding {data[value_end:part_end].hex()})"
        yield Part(offset, part_end, attribute_name(kind), text)
        offset = part_end


def _fingerprint(message: bytes, text: str) -> str:
    try:
        is_right = ReceivedMessage.parse(message).fingerprint_is_right
    except DecodeError:
        return text
    return f"{text}, {'right' if is_right else 'WRONG for these bytes'}"
