"""Finding STUN and ChannelData messages in a stream (RFC 8489 section 6.2.2, RFC 8656
section 12.5)."""

from __future__ import annotations

import struct
from typing import Final

from stun import MAGIC_COOKIE
from transport import DecodeError

from .channel_data import MAX_CHANNEL, MIN_CHANNEL

_HEAD: Final = struct.Struct("!HH")
_STUN_HEADER_BYTES: Final = 20
_COOKIE: Final = MAGIC_COOKIE.to_bytes(4, "big")


class TurnFramer:
    """One direction of one stream that carries TURN.

    Messages come out whole: STUN as it is, ChannelData with its padding. At most one
    unfinished message is kept, which its 16-bit length bounds to 65,555 bytes. There
    is no way to find the next message once a header makes no sense, so the stream is
    over then.

    The first message is STUN, for channels are bound on the stream itself; "GET " would
    be a channel number and a length.
    """

    __slots__ = ("_buffer", "_has_begun")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._has_begun = False

    def push(self, data: bytes) -> list[bytes]:
        """Take the next bytes; the messages that are whole now.

        Raises:
            DecodeError: a header belongs neither to STUN nor to ChannelData.
        """
        buffer = self._buffer
        buffer += data
        if buffer and not self._has_begun:
            if buffer[0] > 0x3F:
                raise DecodeError("TURN stream", f"begins with {buffer[0]:#04x}")
            self._has_begun = True
        messages = []
        start = 0
        while (size := _message_size(buffer, start)) is not None and start + size <= len(buffer):
            messages.append(bytes(buffer[start : start + size]))
            start += size
        del buffer[:start]
        return messages


def _message_size(buffer: bytearray, start: int) -> int | None:
    """How long the message at ``start`` is with its padding; None before that is known."""
    if len(buffer) - start < _HEAD.size:
        if len(buffer) > start and buffer[start] > 0x4F:
            raise DecodeError("TURN stream", f"first byte {buffer[start]:#04x}")
        return None
    kind: int
    length: int
    kind, length = _HEAD.unpack_from(buffer, start)
    if MIN_CHANNEL <= kind <= MAX_CHANNEL:
        return _HEAD.size + (length + 3 & ~3)
    cookie = buffer[start + 4 : start + 8]
    if kind > 0x3FFF or length & 3 or not _COOKIE.startswith(cookie):
        raise DecodeError("TURN stream", f"header {kind:#06x} {length:#06x} {cookie.hex()}")
    return _STUN_HEADER_BYTES + length
