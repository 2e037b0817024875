"""Finding STUN and ChannelData messages in a stream (RFC 8489 section 6.2.2, RFC 8656
section 12.5)."""

from __future__ import annotations

import struct
from typing import Final

from stun import stun_message_size, take_messages
from transport import DecodeError

from .channel_data import MAX_CHANNEL, MIN_CHANNEL

_HEAD: Final = struct.Struct("!HH")
_CONNECTION_BIND: Final = (b"\x00\x0b", b"\x01\x0b")
"""The types of the request and of its success."""


class TurnFramer:
    """One direction of one stream that carries TURN.

    Messages come out whole: STUN as it is, ChannelData with its padding. At most one
    unfinished message is kept, which its 16-bit length bounds to 65,555 bytes. There
    is no way to find the next message once a header makes no sense, so the stream is
    over then.

    The first message is STUN, for channels are bound on the stream itself; "GET " would
    be a channel number and a length.

    What stands behind a ConnectionBind request or its success is kept: if the stream
    carries a peer's bytes from there on (RFC 6062 section 5.4), ``take_rest`` has them, else
    the next ``push`` goes on with them.
    """

    __slots__ = ("_buffer", "_has_begun", "_pause_at")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._has_begun = False
        self._pause_at = -1

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
        self._pause_at = -1
        return take_messages(buffer, self._size_unless_paused)

    def take_rest(self) -> bytes:
        """What belongs to no message, once the stream carries messages no longer."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def _size_unless_paused(self, buffer: bytearray, start: int) -> int | None:
        if start == self._pause_at:
            return None
        size = _message_size(buffer, start)
        if size is not None and bytes(buffer[start : start + 2]) in _CONNECTION_BIND:
            self._pause_at = start + size
        return size


def _message_size(buffer: bytearray, start: int) -> int | None:
    """How long the message at ``start`` is with its padding; None before that is known."""
    first = buffer[start] if start < len(buffer) else 0
    if first < MIN_CHANNEL >> 8:
        return stun_message_size(buffer, start)
    if first > MAX_CHANNEL >> 8:
        raise DecodeError("TURN stream", f"first byte {first:#04x}")
    if len(buffer) - start < _HEAD.size:
        return None
    length: int
    _, length = _HEAD.unpack_from(buffer, start)
    return _HEAD.size + (length + 3 & ~3)
