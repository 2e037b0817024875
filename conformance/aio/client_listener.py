"""Where clients under test come to: two addresses of one transport, and the sockets there."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from conformance.clients import PortClosed, PortOpened, ScriptedServer
from transport import (
    CloseRequested,
    Event,
    Path,
    ResetRequested,
    TransportAddress,
    TransportProtocol,
)
from transport.aio import Acceptor, from_sockaddr, to_sockaddr

READ_BYTES: Final = 65_536
MAX_DATAGRAMS_PER_WAKE_UP: Final = 64
MAX_CONNECTIONS: Final = 64

SO_TIMESTAMPNS: Final = 35
"""Of Linux: when the kernel got a datagram (socket(7)); Python has no name for it."""

ANCILLARY_BYTES: Final = 64
OLDEST: Final = 5.0
"""Seconds that a datagram waits for us at most."""

_TIMESPEC: Final = struct.Struct("qq")
_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of a socket that closes with RST."""


class Listener:
    """The two addresses of one transport, and what goes over them.

    The second one, ``elsewhere``, is the same host's: a script redirects there, or sends from
    there what a client must not take.
    """

    def __init__(self, protocol: TransportProtocol, address: TransportAddress) -> None:
        self.protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._server: ScriptedServer | None = None
        self._on_change: Callable[[], None] = lambda: None
        self._sockets: dict[TransportAddress, socket.socket] = {}
        self._acceptors: list[Acceptor] = []
        self._streams: dict[Path, socket.socket] = {}
        self.listening = self._bind(address)
        self.elsewhere = self._bind(TransportAddress(address.ip, 0))

    def serve(self, server: ScriptedServer, on_change: Callable[[], None]) -> None:
        """From now on this machine gets what comes; ``on_change`` is called after that."""
        self._server = server
        self._on_change = on_change

    def rest(self) -> None:
        """Nobody gets what comes, and all connections end."""
        self._server = None
        for path in list(self._streams):
            self._end(path)
        self._reopen()

    def close(self) -> None:
        self.rest()
        for address in list(self._sockets):
            self._unbind(address)
        for acceptor in self._acceptors:
            acceptor.close()

    def drain(self, server: ScriptedServer) -> None:
        """Send what the machine sends, and do what it asks for."""
        while (transmit := server.poll_transmit()) is not None:
            for segment in transmit.segments:
                self._send(transmit.path, segment)
        while (event := server.poll_event()) is not None:
            self._do(event)

    # Inside

    def _bind(self, address: TransportAddress) -> TransportAddress:
        """Raises:
        OSError: it cannot be bound.
        """
        family = socket.AF_INET6 if address.is_ipv6 else socket.AF_INET
        is_stream = self.protocol.is_reliable
        sock = socket.socket(family, socket.SOCK_STREAM if is_stream else socket.SOCK_DGRAM)
        try:
            if is_stream:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            elif sys.platform == "linux":
                sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            sock.bind(to_sockaddr(address))
        except OSError:
            sock.close()
            raise
        bound = from_sockaddr(sock.getsockname())
        if is_stream:
            self._acceptors.append(
                Acceptor(
                    sock, lambda peer, remote: self._accept(bound, peer, remote), loop=self._loop
                )
            )
            return bound
        sock.setblocking(False)
        self._sockets[bound] = sock
        self._loop.add_reader(sock, self._readable, bound)
        return bound

    def _unbind(self, address: TransportAddress) -> None:
        sock = self._sockets.pop(address, None)
        if sock is not None:
            self._loop.remove_reader(sock)
            sock.close()

    def _reopen(self) -> None:
        if not self.protocol.is_reliable and self.listening not in self._sockets:
            self._bind(self.listening)

    def _readable(self, local: TransportAddress) -> None:
        for _ in range(MAX_DATAGRAMS_PER_WAKE_UP):
            sock = self._sockets.get(local)
            if sock is None:
                return
            try:
                data, extra, _, source = sock.recvmsg(READ_BYTES, ANCILLARY_BYTES)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error of what was sent before
            path = Path(self.protocol, local, from_sockaddr(source))
            self._hand_over(data, path, _age(extra))

    def _hand_over(self, data: bytes, path: Path, age: float = 0.0) -> None:
        if self._server is not None:
            now = self._loop.time()
            self._server.receive(data, path, now, at=now - age)
            self._on_change()

    def _accept(
        self, local: TransportAddress, sock: socket.socket, remote: TransportAddress
    ) -> None:
        if self._server is None or len(self._streams) >= MAX_CONNECTIONS:
            sock.close()
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        path = Path(self.protocol, local, remote)
        self._streams[path] = sock
        self._loop.add_reader(sock, self._stream_readable, path)
        self._server.connected(path, self._loop.time())
        self._on_change()

    def _stream_readable(self, path: Path) -> None:
        sock = self._streams.get(path)
        if sock is None:
            return
        try:
            data = sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._hand_over(data, path)
            return
        self._end(path)
        if self._server is not None:
            self._server.disconnected(path, "closed by the client", self._loop.time())
            self._on_change()

    def _end(self, path: Path, *, with_reset: bool = False) -> None:
        sock = self._streams.pop(path, None)
        if sock is None:
            return
        self._loop.remove_reader(sock)
        if with_reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        sock.close()

    def _send(self, path: Path, data: bytes) -> None:
        with contextlib.suppress(OSError):  # whoever is gone gets nothing
            if self.protocol.is_reliable:
                sock = self._streams.get(path)
                if sock is not None and sock.send(data) < len(data):
                    self._end(path)  # it reads nothing
            elif path.local in self._sockets:
                self._sockets[path.local].sendto(data, to_sockaddr(path.remote))

    def _do(self, event: Event) -> None:
        match event:
            case PortClosed():
                self._unbind(self.listening)
            case PortOpened():
                self._reopen()
            case CloseRequested(path=path):
                self._end(path)
            case ResetRequested(path=path):
                self._end(path, with_reset=True)
            case _:
                pass


def _age(extra: Sequence[tuple[int, int, bytes]]) -> float:
    """Seconds since a datagram came to this host, which may have been busy."""
    for level, kind, value in extra:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack(value[: _TIMESPEC.size])
            age = time.time() - seconds - nanoseconds / 1e9
            return age if 0 < age < OLDEST else 0.0  # or the clock was set
    return 0.0
