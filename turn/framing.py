"""Finding STUN and ChannelData messages in a stream (RFC 8489 section 6.2.2, RFC 8656
section 12.5)."""

from __future__ import annotations

import struct
from typing import Final

from stun import stun_message_size
from transport import DecodeError

from .channel_data import MAX_CHANNEL, MIN_CHANNEL

_HEAD: Final = struct.Struct("!HH")
_CONNECTION_BIND: Final = frozenset((b"\x00\x0b", b"\x01\x0b"))
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

    __slots__ = ("_has_begun", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._has_begun = False

    def push(self, data: bytes) -> list[bytes]:
        """Take the next bytes; the messages that are whole now.

        Raises:
            DecodeError: a header belongs neither to STUN nor to ChannelData.
        """
        if self._rest:
            data = self._rest + data
        if data and not self._has_begun:
            if data[0] > 0x3F:
                raise DecodeError("TURN stream", f"begins with {data[0]:#04x}")
            self._has_begun = True
        messages = []
        start, pause_at = 0, -1
        while start != pause_at and (size := _message_size(data, start)) is not None:
            end = start + size
            if end > len(data):
                break
            if data[start : start + 2] in _CONNECTION_BIND:
                pause_at = end
            messages.append(data[start:end])
            start = end
        self._rest = data[start:]
        return messages

    def take_rest(self) -> bytes:
        """What belongs to no message, once the stream carries messages no longer."""
        rest, self._rest = self._rest, b""
        return rest


def _message_size(data: bytes, start: int) -> int | None:
    """How long the message at ``start`` is with its padding; None before that is known."""
    if len(data) - start >= _HEAD.size:
        kind: int
        length: int
        kind, length = _HEAD.unpack_from(data, start)
        if MIN_CHANNEL <= kind <= MAX_CHANNEL:
            return _HEAD.size + (length + 3 & ~3)
    if start < len(data) and data[start] > MAX_CHANNEL >> 8:
        raise DecodeError("TURN stream", f"first byte {data[start]:#04x}")
    if start < len(data) and data[start] >= MIN_CHANNEL >> 8:
        return None
    return stun_message_size(data, start)
