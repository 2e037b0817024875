"""TCP and TLS under a machine: connecting, accepting, framing, and a bound on what waits."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from transport.address import TransportAddress
from transport.errors import DecodeError
from transport.machine import ConnectRequested, Path, TransportProtocol

from .sockaddr import from_sockaddr
from .tls import ClientTls

logger = logging.getLogger(__name__)

MAX_STREAMS = 1024
"""Open or opening, of one driver: each has file descriptor, buffers, and TLS state."""

MAX_UNSENT_BYTES = 256 * 1024
"""Per stream. What a peer does not read, it loses by whole messages, as over UDP."""

CONNECT_TIMEOUT = 30.0
"""TCP and TLS together; below the 39.5 s that RFC 8489 section 6.2.2 gives the request."""

TLS_HANDSHAKE_TIMEOUT = 10.0
"""Who connects and then says nothing holds a slot for no longer."""

CLOSE_TIMEOUT = 1.0
"""What a closed stream may take to hand over its last bytes before it is cut."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""struct linger: on, and no time."""

_UNKNOWN = {
    4: TransportAddress.parse("0.0.0.0", 0),
    6: TransportAddress.parse("::", 0),
}


class StreamFramer(Protocol):
    """Finds the messages in a stream; stun and ice have one each."""

    def push(self, data: bytes) -> list[bytes]:
        """Take the next bytes; the messages that are whole now.

        Raises:
            DecodeError: the stream makes no sense any more, and will be closed.
        """
        ...


class StreamSink(Protocol):
    """Whom ``Streams`` reports to. None of these calls may raise."""

    def stream_connected(self, path: Path) -> None: ...

    def stream_received(self, path: Path, messages: Sequence[bytes]) -> None: ...

    def stream_disconnected(self, path: Path, reason: str) -> None: ...


class StreamConnection(asyncio.Protocol):
    """One open stream: bytes in, messages out."""

    def __init__(self, streams: Streams, kind: TransportProtocol, framer: StreamFramer) -> None:
        self._streams = streams
        self._kind = kind
        self._framer = framer
        self._transport: asyncio.Transport | None = None
        self._closing_timer: asyncio.TimerHandle | None = None
        self._reason = ""
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
        if self._streams.opened(self, path):
            self.path = path
            self._streams.sink.stream_connected(path)
        else:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self.path is None or self._reason:
            return
        try:
            messages = self._framer.push(data)
        except DecodeError as error:
            self.abort(str(error))
            return
        if messages:
            self._streams.sink.stream_received(self.path, messages)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._closing_timer is not None:
            self._closing_timer.cancel()
        reason = self._reason or (str(exc) if exc else "closed by the peer")
        self._streams.lost(self, self.path, reason)

    def write(self, messages: Sequence[bytes]) -> int:
        """Write what fits, message by message; how many did not."""
        assert self._transport is not None
        for written, message in enumerate(messages):
            waiting = self._transport.get_write_buffer_size()
            if waiting + len(message) > MAX_UNSENT_BYTES:
                return len(messages) - written
            self._transport.write(message)
        return 0

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close once the last bytes are handed over, or too long was waited for that."""
        if self._transport is None or self._reason:
            return
        self._reason = "closed"
        self._closing_timer = loop.call_later(CLOSE_TIMEOUT, self._transport.abort)
        self._transport.close()

    def reset(self) -> None:
        """Cut it, and tell the peer with a RST."""
        if self._transport is not None and (sock := self._transport.get_extra_info("socket")):
            with contextlib.suppress(OSError):  # it is gone by itself
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.abort("reset")

    def abort(self, reason: str) -> None:
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.abort()


class Streams:
    """All streams of one driver.

    ``framer`` makes a framer for each stream; ``tls`` is for those that the machine
    asks for with ConnectRequested.
    """

    def __init__(
        self,
        sink: StreamSink,
        framer: Callable[[], StreamFramer],
        *,
        loop: asyncio.AbstractEventLoop,
        tls: ssl.SSLContext | ClientTls | None = None,
    ) -> None:
        self.sink = sink
        self._framer = framer
        self._loop = loop
        self._tls = ClientTls() if tls is None else tls
        self._connections: dict[Path, StreamConnection] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._all_gone = asyncio.Event()
        self._is_open = True
        self.dropped_messages = 0

    async def listen(self, listener: socket.socket, *, tls: ssl.SSLContext | None) -> None:
        """Accept streams from a bound socket; with ``tls``, only after its handshake."""
        server = await self._loop.create_server(
            self._factory(tls),
            sock=listener,
            ssl=tls,
            ssl_handshake_timeout=TLS_HANDSHAKE_TIMEOUT if tls else None,
            ssl_shutdown_timeout=CLOSE_TIMEOUT if tls else None,
        )
        self._servers.append(server)

    async def adopt(self, sock: socket.socket) -> None:
        """Take over a TCP connection that somebody else has opened."""
        await self._loop.create_connection(self._factory(None), sock=sock)

    def connect(self, request: ConnectRequested) -> None:
        """Open a stream; the sink hears of it, or why not."""
        if not self._is_open:
            return
        if not request.transport.is_reliable:
            self._refuse(request, f"{request.transport.value} has no streams")
        elif len(self._connections) + len(self._connecting) >= MAX_STREAMS:
            self._refuse(request, f"more than {MAX_STREAMS} streams")
        else:
            task = self._loop.create_task(self._connect(request))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    def write(self, path: Path, messages: Sequence[bytes]) -> None:
        """Write framed messages; those that do not fit, or have no stream, are dropped."""
        connection = self._connections.get(path)
        self.dropped_messages += connection.write(messages) if connection else len(messages)

    def close(self, path: Path) -> None:
        """Close one stream after its last bytes; the sink hears when it is gone."""
        if connection := self._connections.get(path):
            connection.close(self._loop)

    def reset(self, path: Path) -> None:
        """Cut one stream with a RST; the sink hears when it is gone."""
        if connection := self._connections.get(path):
            connection.reset()

    async def aclose(self) -> None:
        """Close all and wait until nothing is left, at most ``CLOSE_TIMEOUT`` and a moment."""
        self._is_open = False
        for server in self._servers:
            server.close()
        connecting = list(self._connecting)
        for task in connecting:
            task.cancel()
        await asyncio.gather(*connecting, return_exceptions=True)
        for connection in list(self._connections.values()):
            connection.close(self._loop)
        if self._connections:
            await self._all_gone.wait()

    def opened(self, connection: StreamConnection, path: Path) -> bool:
        """Take a new stream in, if there is room for it."""
        is_full = len(self._connections) >= MAX_STREAMS
        if not self._is_open or is_full or path in self._connections:
            return False
        self._connections[path] = connection
        self._all_gone.clear()
        return True

    def lost(self, connection: StreamConnection, path: Path | None, reason: str) -> None:
        """Forget a stream that is gone."""
        if path is None or self._connections.get(path) is not connection:
            return
        del self._connections[path]
        if not self._connections:
            self._all_gone.set()
        if self._is_open:
            self.sink.stream_disconnected(path, reason)

    def _factory(self, tls: ssl.SSLContext | None) -> Callable[[], StreamConnection]:
        kind = TransportProtocol.TCP if tls is None else TransportProtocol.TLS
        return functools.partial(self._new_connection, kind)

    def _new_connection(self, kind: TransportProtocol) -> StreamConnection:
        return StreamConnection(self, kind, self._framer())

    async def _connect(self, request: ConnectRequested) -> None:
        remote = request.remote
        try:
            tls = self._client_tls(request)
            name = (request.server_name or remote.host) if tls else None
            async with asyncio.timeout(CONNECT_TIMEOUT):
                _, connection = await self._loop.create_connection(
                    self._factory(tls),
                    remote.host,
                    remote.port,
                    ssl=tls,
                    server_hostname=name,
                    ssl_handshake_timeout=TLS_HANDSHAKE_TIMEOUT if tls else None,
                    ssl_shutdown_timeout=CLOSE_TIMEOUT if tls else None,
                )
        except (OSError, ValueError) as error:  # ValueError: no name for a certificate
            self._refuse(request, str(error) or "timed out")
            return
        if connection.path is None:
            self._refuse(request, "reset at once")

    def _client_tls(self, request: ConnectRequested) -> ssl.SSLContext | None:
        if request.transport is not TransportProtocol.TLS:
            return None
        if isinstance(self._tls, ClientTls):
            self._tls = self._tls.context()
        return self._tls

    def _refuse(self, request: ConnectRequested, reason: str) -> None:
        if self._is_open:
            unknown = _UNKNOWN[request.remote.ip.version]
            path = Path(request.transport, unknown, request.remote)
            self.sink.stream_disconnected(path, reason)
