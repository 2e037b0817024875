"""Two connections joined into one: bytes as they are, both ways (RFC 6062 section 5.4)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, cast

from turn.server import Meter

JOINED_BUFFER_BYTES: Final = 64 * 1024
"""What may wait for one side of a joint, with one read on top: above it nothing is read from
the other side, whose sender the kernel's window then stops. There may be a thousand joints."""

READ_BYTES: Final = 64 * 1024
"""Read at a time."""

LINGER: Final = 60.0
"""Seconds that what one side has sent before it was gone may take to reach the other."""

_READ: Final = memoryview(bytearray(READ_BYTES))
"""Shared by all: what is read is passed on before the next read."""


class JoinedEnd(asyncio.BufferedProtocol):
    """One side of a joint; ``count`` is told how many bytes came from it."""

    def __init__(self, joint: Joint, count: Callable[[int], None]) -> None:
        self._joint = joint
        self._count = count
        self._transport: asyncio.Transport | None = None
        self._early = b""
        self._closing_timer: asyncio.TimerHandle | None = None
        self.has_ended = False
        """Nothing more comes from this side."""
        self.is_lost = False

    def attach(self, transport: asyncio.Transport) -> None:
        """Here is the connection; what was written before leaves now."""
        self._transport = transport
        transport.set_write_buffer_limits(high=JOINED_BUFFER_BYTES)
        if self._early:
            transport.write(self._early)
            self._early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._joint.attach_peer(cast(asyncio.Transport, transport))

    def get_buffer(self, sizehint: int) -> memoryview:
        return _READ

    def buffer_updated(self, nbytes: int) -> None:
        self._count(nbytes)
        # A copy: what cannot be sent at once stays in the transport's buffer.
        self._joint.other(self).write(bytes(_READ[:nbytes]))

    def eof_received(self) -> bool:
        self.has_ended = True
        self._joint.ended(self)
        return self._transport is not None and self._transport.can_write_eof()

    def pause_writing(self) -> None:
        self._joint.other(self).pause()

    def resume_writing(self) -> None:
        self._joint.other(self).resume()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        if self._closing_timer is not None:
            self._closing_timer.cancel()
        self._joint.lost(self)

    def write(self, data: bytes) -> None:
        if self._transport is None:
            self._early += data
        elif not self._transport.is_closing():
            self._transport.write(data)

    def pause(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def end(self) -> None:
        """Nothing more will be written. TLS knows no half of an end: it is closed."""
        if self._transport is None:
            return
        if not self._transport.can_write_eof():
            self.close(LINGER)
        elif not self._transport.is_closing():
            with contextlib.suppress(OSError):  # it was reset, and will be lost in a moment
                self._transport.write_eof()

    def close(self, patience: float) -> None:
        """Close once the last bytes are handed over, or cut it after so many seconds."""
        if self._transport is None or self.is_lost:
            return
        if self._closing_timer is not None:
            self._closing_timer.cancel()
        loop = asyncio.get_running_loop()
        self._closing_timer = loop.call_later(patience, self._transport.abort)
        self._transport.close()


class Joint:
    """A client's stream and a peer's, of which each ends where the other does.

    The end of what one side sends is passed on by itself, behind the last byte; a side
    that is gone takes the other with it. ``on_gone`` is called once, when nothing is left.
    """

    def __init__(self, meter: Meter, on_gone: Callable[[], None]) -> None:
        self._meter = meter
        self._on_gone = on_gone
        self._patience = LINGER
        self._is_closing = False
        self.client = JoinedEnd(self, self._count_sent)
        self.peer = JoinedEnd(self, self._count_received)

    def attach_client(self, transport: asyncio.Transport, early: bytes) -> None:
        """The client's stream, which is not read yet; ``early`` has been read from it."""
        self.client.attach(transport)
        if early:
            self._count_sent(len(early))
            self.peer.write(early)

    def attach_peer(self, transport: asyncio.Transport) -> None:
        """The peer's connection: both are there now."""
        self.peer.attach(transport)
        if self.client.is_lost or self._is_closing:
            self.peer.close(self._patience)
        elif self.client.has_ended:
            self.peer.end()
        self.client.resume()

    def other(self, end: JoinedEnd) -> JoinedEnd:
        return self.peer if end is self.client else self.client

    def ended(self, end: JoinedEnd) -> None:
        """One side sends no more; when neither does, that is all."""
        self.other(end).end()
        if self.other(end).has_ended:
            self.close(LINGER)

    def lost(self, end: JoinedEnd) -> None:
        other = self.other(end)
        if other.is_lost:
            self._on_gone()
        else:
            other.close(self._patience)

    def close(self, patience: float) -> None:
        """Close both; each gets what waits for it, if that takes no longer than so many seconds."""
        self._is_closing = True
        self._patience = patience
        self.client.close(patience)
        self.peer.close(patience)

    def _count_sent(self, nbytes: int) -> None:
        self._meter.sent_packets += 1
        self._meter.sent_bytes += nbytes

    def _count_received(self, nbytes: int) -> None:
        self._meter.received_packets += 1
        self._meter.received_bytes += nbytes
