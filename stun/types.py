"""Methods, classes, and the field that holds both (RFC 8489 section 5)."""

from __future__ import annotations

import enum
from typing import Final


class MessageClass(enum.IntEnum):
    """What a message is for; the value is its two bits within the type field."""

    REQUEST = 0x000
    INDICATION = 0x010
    SUCCESS = 0x100
    ERROR = 0x110


class Method(enum.IntEnum):
    """The methods of RFC 8489, RFC 8656 and RFC 6062."""

    BINDING = 0x001
    ALLOCATE = 0x003
    REFRESH = 0x004
    SEND = 0x006
    DATA = 0x007
    CREATE_PERMISSION = 0x008
    CHANNEL_BIND = 0x009
    CONNECT = 0x00A
    CONNECTION_BIND = 0x00B
    CONNECTION_ATTEMPT = 0x00C


MAX_METHOD: Final = 0xFFF


def join_type(method: int, message_class: MessageClass) -> int:
    """Weave the 12 bits of the method around the 2 bits of the class.

    Raises:
        ValueError: the method has more than 12 bits.
    """
    if 0 <= method < 0x010:
        return method | message_class
    if not 0 <= method <= MAX_METHOD:
        raise ValueError(f"a method is from 0 to {MAX_METHOD}, not {method}")
    return (method & 0x00F) | (method & 0x070) << 1 | (method & 0xF80) << 2 | message_class


KNOWN_MESSAGE_TYPES: Final[dict[int, tuple[int, MessageClass]]] = {
    join_type(method, message_class): (method, message_class)
    for method in Method
    for message_class in MessageClass
}
"""The type fields of all known methods, taken apart."""


def split_type(value: int) -> tuple[int, MessageClass]:
    """The method and the class in a type field whose top two bits are 0."""
    method = (value & 0x000F) | (value & 0x00E0) >> 1 | (value & 0x3E00) >> 2
    return method, MessageClass(value & 0x0110)
