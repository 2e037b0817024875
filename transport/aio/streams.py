"""All connections of one driver: TCP and TLS, asked for or accepted, and DTLS that is asked for."""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING

from transport.address import IPAddress, TransportAddress
from transport.machine import ConnectRequested, Path, TransportProtocol
from transport.places import Places

from .accepting import Acceptor
from .connection import (
    TLS_SHUTDOWN_TIMEOUT,
    Connection,
    DetachedStream,
    StreamConnection,
    StreamFramer,
    StreamSink,
)
from .sockaddr import ANY_ADDRESS
from .tls import ClientTls

if TYPE_CHECKING:
    from transport.dtls import DtlsClients

logger = logging.getLogger(__name__)

MAX_STREAMS = 1024
"""Open or opening, of one driver: each has file descriptor, buffers, and TLS state."""

MAX_ACCEPTED_PER_NETWORK = 128
"""Of one IPv4 address or IPv6 /64, those that shake hands among them: an office behind a
NAT has fewer, and nobody takes all of the places alone."""

CONNECT_TIMEOUT = 30.0
"""TCP and TLS together; below the 39.5 s that RFC 8489 section 6.2.2 gives the request."""

TLS_HANDSHAKE_TIMEOUT = 10.0
"""Who connects and then says nothing holds a slot for no longer."""


class Streams:
    """The connections of one driver.

    ``framer`` makes a framer for each stream; ``tls`` is for what the machine asks for
    with ConnectRequested, over TLS and DTLS.
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
        self._dtls: DtlsClients | None = None
        self._connections: dict[Path, Connection] = {}
        self._unflushed: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._acceptors: list[Acceptor] = []
        self._accepted = Places(MAX_STREAMS, per_network=MAX_ACCEPTED_PER_NETWORK)
        self._all_gone = asyncio.Event()
        self._is_open = True
        self.dropped_messages = 0
        self.refused_connections = 0

    def listen(self, listener: socket.socket, *, tls: ssl.SSLContext | None) -> None:
        """Accept streams from a bound socket; with ``tls``, only after its handshake."""
        accept = functools.partial(self._accept, tls)
        self._acceptors.append(Acceptor(listener, accept, loop=self._loop))

    async def adopt(self, sock: socket.socket) -> None:
        """Take over a TCP connection that somebody else has opened."""
        await self._loop.create_connection(self._factory(None), sock=sock)

    def connect(self, request: ConnectRequested) -> None:
        """Open a connection; the sink hears of it, or why not."""
        if not self._is_open:
            return
        if request.transport is TransportProtocol.UDP:
            self._refuse(request, "there are no connections over UDP")
        elif len(self._connections) + len(self._opening) >= MAX_STREAMS:
            self._refuse(request, f"more than {MAX_STREAMS} streams")
        elif request.transport is TransportProtocol.DTLS:
            self._run(self._associate(request))
        else:
            self._run(self._connect(request))

    def write(self, path: Path, messages: Sequence[bytes]) -> None:
        """Take framed messages, to be sent by ``flush``; those that do not fit, or have no
        connection, are dropped."""
        connection = self._connections.get(path)
        if connection is None:
            self.dropped_messages += len(messages)
        else:
            self.dropped_messages += connection.write(messages)
            self._unflushed.add(connection)

    def writer(self, path: Path) -> StreamWriter | None:
        """For who writes to one connection again and again; None if there is none."""
        connection = self.connection(path)
        return None if connection is None else StreamWriter(self, path, connection)

    def connection(self, path: Path) -> Connection | None:
        return self._connections.get(path)

    def flush(self) -> None:
        """Send what was written: what goes one way, in one call."""
        while self._unflushed:
            self._unflushed.pop().flush()

    def close(self, path: Path) -> None:
        """Close one connection after its last bytes; the sink hears when it is gone."""
        if connection := self._connections.get(path):
            connection.close()

    def reset(self, path: Path) -> None:
        """Cut one connection, a stream with a RST; the sink hears when it is gone."""
        if connection := self._connections.get(path):
            connection.reset()

    def detach(self, path: Path, protocol: asyncio.BaseProtocol) -> DetachedStream | None:
        """Give a stream away, with its reading paused; the sink hears of it no more."""
        connection = self._connections.get(path)
        detached = connection.detach(protocol) if connection else None
        if detached is not None:
            del self._connections[path]
            if not self._connections:
                self._all_gone.set()
        return detached

    async def aclose(self) -> None:
        """Close all and wait until nothing is left, at most ``CLOSE_TIMEOUT`` and a moment."""
        self._is_open = False
        for acceptor in self._acceptors:
            acceptor.close()
        opening = list(self._opening)
        for task in opening:
            task.cancel()
        await asyncio.gather(*opening, return_exceptions=True)
        for connection in list(self._connections.values()):
            connection.close()
        if self._connections:
            await self._all_gone.wait()

    def opened(self, connection: Connection, path: Path) -> bool:
        """Take a new connection in, if there is room for it."""
        is_full = len(self._connections) >= MAX_STREAMS
        if not self._is_open or is_full or path in self._connections:
            return False
        self._connections[path] = connection
        self._all_gone.clear()
        return True

    def lost(self, connection: Connection, path: Path | None, reason: str) -> None:
        """Forget a connection that is gone."""
        self._unflushed.discard(connection)
        if path is None or self._connections.get(path) is not connection:
            return
        del self._connections[path]
        if not self._connections:
            self._all_gone.set()
        if self._is_open:
            self.sink.stream_disconnected(path, reason)

    def _run(self, opening: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(opening)
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def _factory(
        self, tls: ssl.SSLContext | None, place: _Place | None = None
    ) -> Callable[[], StreamConnection]:
        kind = TransportProtocol.TCP if tls is None else TransportProtocol.TLS
        on_gone = place.give_back if place else None
        return lambda: StreamConnection(
            self, kind, self._framer(), loop=self._loop, on_gone=on_gone
        )

    def _accept(
        self, tls: ssl.SSLContext | None, sock: socket.socket, remote: TransportAddress
    ) -> None:
        if self._is_open and self._accepted.take(remote.ip):
            self._run(self._shake_hands(tls, sock, _Place(self._accepted, remote.ip)))
        else:
            self.refused_connections += 1
            sock.close()

    async def _shake_hands(
        self, tls: ssl.SSLContext | None, sock: socket.socket, place: _Place
    ) -> None:
        """Make a connection of an accepted socket; its place is held until it is gone."""
        try:
            await self._loop.connect_accepted_socket(
                self._factory(tls, place),
                sock,
                ssl=tls,
                ssl_handshake_timeout=TLS_HANDSHAKE_TIMEOUT if tls else None,
                ssl_shutdown_timeout=TLS_SHUTDOWN_TIMEOUT if tls else None,
            )
        except OSError as error:
            logger.debug("no connection with %s: %s", place.ip, error or "timed out")
            place.give_back()
        except BaseException:
            place.give_back()
            raise

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
                    ssl_shutdown_timeout=TLS_SHUTDOWN_TIMEOUT if tls else None,
                )
        except (OSError, ValueError) as error:  # ValueError: no name for a certificate
            self._refuse(request, str(error) or "timed out")
            return
        if connection.path is None:
            self._refuse(request, "reset at once")

    async def _associate(self, request: ConnectRequested) -> None:
        """The same over DTLS."""
        try:
            from .dtls_link import DtlsLink
            from .dtls_trust import dtls_clients
        except ImportError:
            self._refuse(request, "DTLS needs pyOpenSSL: pip install 'hairpin[dtls]'")
            return
        try:
            if self._dtls is None:
                self._dtls = dtls_clients(self._tls)
            link = await DtlsLink.open(self, self._dtls, request, handshake_timeout=CONNECT_TIMEOUT)
        except (OSError, ValueError) as error:
            self._refuse(request, str(error))
            return
        try:
            link.start()
            reason = await link.failed
        except asyncio.CancelledError:
            link.close()
            raise
        if reason is not None:
            link.close()
            self._refuse(request, reason)

    def _client_tls(self, request: ConnectRequested) -> ssl.SSLContext | None:
        if request.transport is not TransportProtocol.TLS:
            return None
        if isinstance(self._tls, ClientTls):
            return self._tls.context()
        return self._tls

    def _refuse(self, request: ConnectRequested, reason: str) -> None:
        if self._is_open:
            unknown = ANY_ADDRESS[request.remote.ip.version]
            path = Path(request.transport, unknown, request.remote)
            self.sink.stream_disconnected(path, reason)


class StreamWriter:
    """Writes framed messages to the connection with one path, and sends them at once; those
    that do not fit are dropped and counted."""

    __slots__ = ("_connection", "_path", "_streams")

    def __init__(self, streams: Streams, path: Path, connection: Connection) -> None:
        self._streams = streams
        self._path = path
        self._connection = connection

    def write(self, messages: Sequence[bytes]) -> None:
        dropped = self._connection.write(messages)
        if dropped:
            current = self._streams.connection(self._path)
            if current is not None and current is not self._connection:
                self._connection = current
                dropped = current.write(messages)
            self._streams.dropped_messages += dropped
        self._connection.flush()


class _Place:
    """What an accepted connection holds; given back once, whoever sees its end."""

    def __init__(self, places: Places, ip: IPAddress) -> None:
        self._places: Places | None = places
        self.ip = ip

    def give_back(self) -> None:
        places, self._places = self._places, None
        if places is not None:
            places.give_back(self.ip)
