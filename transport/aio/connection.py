"""One open stream: bytes in, messages out, and a bound on what waits."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from transport.errors import DecodeError
from transport.machine import Path, TransportProtocol

from .sockaddr import from_sockaddr

MAX_UNSENT_BYTES = 256 * 1024
"""Per stream. What a peer does not read, it loses by whole messages, as over UDP."""

ANSWER_RESERVE_BYTES = 16 * 1024
"""Beyond that, for responses of STUN alone: over a stream nobody asks a second time, and
who reads more slowly than data comes should not lose its allocation over it."""

CLOSE_TIMEOUT = 1.0
"""What a closed stream may take to hand over its last bytes before it is cut."""

TLS_SHUTDOWN_TIMEOUT = 60.0
"""The same for a TLS stream that was detached, unless who has it is less patient: what an
application has written must not be lost because the other end is slow."""

HALF_CLOSED_TIMEOUT = 3.0
"""What a peer that sends no more may take to read the answers to what it has sent (RFC 8489
section 6.2.2)."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""struct linger: on, and no time."""

_FIRST_BYTE_OF_RESPONSES = 0x01
"""Of all methods that there are (RFC 8489 section 5)."""


class StreamFramer(Protocol):
    """Finds the messages in a stream; stun and ice have one each."""

    def push(self, data: bytes) -> list[bytes]:
        """Take the next bytes; the messages that are whole now.

        It is called again, with no bytes, until it gives none: a framer may hold back what
        stands behind a message that decides how to go on.

        Raises:
            DecodeError: the stream makes no sense any more, and will be closed.
        """
        ...


class StreamSwitch(Protocol):
    """Passes on what streams carry without asking the machine."""

    def take(self, path: Path, messages: Sequence[bytes]) -> Sequence[bytes]:
        """Pass on messages, from the first; those from the first that cannot be are left for
        the machine, so that all stay in order."""
        ...


class StreamSink(Protocol):
    """Whom ``Streams`` reports to. None of these calls may raise."""

    def stream_connected(self, path: Path) -> None: ...

    def stream_received(self, path: Path, messages: Sequence[bytes]) -> None: ...

    def stream_disconnected(self, path: Path, reason: str) -> None: ...


@dataclasses.dataclass(frozen=True, slots=True)
class DetachedStream:
    """A stream that a driver has given away. It is not read until its new owner resumes
    that; ``framer`` may hold bytes that were read before."""

    transport: asyncio.Transport
    framer: StreamFramer


class Connection(Protocol):
    """A stream, or an association that is used like one, that ``ConnectionOwner`` holds."""

    def write(self, messages: Sequence[bytes]) -> int:
        """Take what fits, message by message; how many did not."""
        ...

    def flush(self) -> None:
        """Send what was taken."""
        ...

    def close(self) -> None:
        """Close once the last bytes are handed over, or too long was waited for that."""
        ...

    def reset(self) -> None:
        """Cut it; the peer is told with a RST, where there is such a thing."""
        ...

    def detach(self, protocol: asyncio.BaseProtocol) -> DetachedStream | None:
        """Give it away, if it is an open stream."""
        ...


class ConnectionOwner(Protocol):
    """Who holds the connections of one driver."""

    sink: StreamSink

    def opened(self, connection: Connection, path: Path) -> bool:
        """Take a new connection in, if there is room for it."""
        ...

    def lost(self, connection: Connection, path: Path | None, reason: str) -> None:
        """Forget a connection that is gone."""
        ...


class StreamConnection(asyncio.Protocol):
    """One open TCP or TLS connection."""

    def __init__(
        self,
        owner: ConnectionOwner,
        kind: TransportProtocol,
        framer: StreamFramer,
        *,
        loop: asyncio.AbstractEventLoop,
        on_gone: Callable[[], None] | None = None,
    ) -> None:
        self._owner = owner
        self._kind = kind
        self._framer = framer
        self._loop = loop
        self._on_gone = on_gone
        self._transport: asyncio.Transport | None = None
        self._closing_timer: asyncio.TimerHandle | None = None
        self._reason = ""
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self.path: Path | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A TLS transport, and uvloop's, are no subclasses of asyncio.Transport.
        self._transport = cast(asyncio.Transport, transport)
        local = transport.get_extra_info("sockname")
        remote = transport.get_extra_info("peername")
        if not local or not remote:  # reset before it could be looked at
            self._transport.abort()
            return
        path = Path(self._kind, from_sockaddr(local), from_sockaddr(remote))
        if self._owner.opened(self, path):
            self.path = path
            self._owner.sink.stream_connected(path)
        else:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self.path is None or self._reason:
            return
        try:
            while messages := self._framer.push(data):
                self._owner.sink.stream_received(self.path, messages)
                if self.path is None or self._reason:  # detached or closed because of them
                    return
                data = b""
        except DecodeError as error:
            self.abort(str(error))

    def eof_received(self) -> None:
        """The peer sends no more, and still gets what waits for it."""
        self._close("closed by the peer", patience=HALF_CLOSED_TIMEOUT)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._closing_timer is not None:
            self._closing_timer.cancel()
        self._unsent.clear()
        if self._on_gone is not None:
            self._on_gone()
        self._reason = self._reason or (str(exc) if exc else "closed by the peer")
        self._owner.lost(self, self.path, self._reason)

    def write(self, messages: Sequence[bytes]) -> int:
        if self._transport is None or self._reason:
            return len(messages)
        waiting = self._transport.get_write_buffer_size() + self._unsent_bytes
        size = sum(map(len, messages))
        if waiting + size <= MAX_UNSENT_BYTES:
            self._unsent += messages
            self._unsent_bytes += size
            return 0
        return self._write_what_fits(messages, waiting)

    def _write_what_fits(self, messages: Sequence[bytes], waiting: int) -> int:
        dropped = 0
        for message in messages:
            size = len(message)
            if waiting + size > MAX_UNSENT_BYTES and not _may_use_reserve(message, waiting):
                dropped += 1
                continue
            self._unsent.append(message)
            self._unsent_bytes += size
            waiting += size
        return dropped

    def flush(self) -> None:
        """One system call for many messages.

        Over TLS each has a record of its own: some clients take a record for a message
        (coturn's uclient drops what follows the first).
        """
        if self._unsent and self._transport is not None:
            unsent, self._unsent = self._unsent, []
            self._unsent_bytes = 0
            self._transport.writelines(unsent)

    def close(self) -> None:
        self._close("closed", patience=CLOSE_TIMEOUT)

    def _close(self, reason: str, *, patience: float) -> None:
        if self._transport is None or self._reason:
            return
        self.flush()
        self._reason = reason
        self._closing_timer = self._loop.call_later(patience, self._transport.abort)
        self._transport.close()

    def reset(self) -> None:
        if self._transport is not None and (sock := self._transport.get_extra_info("socket")):
            with contextlib.suppress(OSError):  # it is gone by itself
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.abort("reset")

    def detach(self, protocol: asyncio.BaseProtocol) -> DetachedStream | None:
        if self._transport is None or self._reason or self._transport.is_closing():
            return None
        self.flush()
        self._transport.pause_reading()
        self._transport.set_protocol(protocol)
        self.path = None
        if self._on_gone is not None:
            self._on_gone()
        return DetachedStream(self._transport, self._framer)

    def abort(self, reason: str) -> None:
        """Close at once."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.abort()


def _may_use_reserve(message: bytes, waiting: int) -> bool:
    limit = MAX_UNSENT_BYTES + ANSWER_RESERVE_BYTES
    return message[0] == _FIRST_BYTE_OF_RESPONSES and waiting + len(message) <= limit
