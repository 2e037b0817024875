"""Finding messages in a stream that carries STUN alone (RFC 8489 section 6.2.2)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from transport import DecodeError

from .constants import MAGIC_COOKIE

_HEAD: Final = struct.Struct("!HH")
_HEADER_BYTES: Final = 20
_MAX_TYPE: Final = 0x3FFF
_COOKIE: Final = MAGIC_COOKIE.to_bytes(4, "big")

MessageSize = Callable[[bytearray, int], int | None]
"""How long the message at an offset is; None before that is known. It raises DecodeError
where no message can begin."""


class StunFramer:
    """One direction of one stream.

    At most one unfinished message is kept, which its 16-bit length bounds to 65,555
    bytes. There is no way to find the next message once a header makes no sense, so the
    stream is over then.
    """

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def push(self, data: bytes) -> list[bytes]:
        """Take the next bytes; the messages that are whole now.

        Raises:
            DecodeError: a header is not one of STUN.
        """
        self._buffer += data
        return take_messages(self._buffer, stun_message_size)


def take_messages(buffer: bytearray, size_at: MessageSize) -> list[bytes]:
    """Cut the messages that are whole off a buffer.

    Raises:
        DecodeError: where a message should begin is none.
    """
    messages = []
    start = 0
    while (size := size_at(buffer, start)) is not None and start + size <= len(buffer):
        messages.append(bytes(buffer[start : start + size]))
        start += size
    del buffer[:start]
    return messages


def stun_message_size(buffer: bytes | bytearray, start: int) -> int | None:
    """The length of the STUN message at ``start``.

    Raises:
        DecodeError: it is not one of STUN.
    """
    head = buffer[start : start + 8]
    if head and head[0] > _MAX_TYPE >> 8:
        raise DecodeError("STUN stream", f"first byte {head[0]:#04x}")
    if len(head) < _HEAD.size:
        return None
    kind: int
    length: int
    kind, length = _HEAD.unpack_from(head)
    if length & 3 or not _COOKIE.startswith(head[4:]):
        raise DecodeError("STUN stream", f"header {kind:#06x} {length:#06x} {head[4:].hex()}")
    return _HEADER_BYTES + length
