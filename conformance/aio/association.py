"""DTLS associations with the server under test (RFC 7350)."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, Self

from transport import Event, Path, TransportAddress, TransportProtocol
from transport.aio import ConnectedSocket, KernelSockets, MachineDriver, to_sockaddr

if TYPE_CHECKING:
    from transport.dtls import DtlsClient, DtlsClients

MAX_WAITING: Final = 4096
"""Records that wait to be looked at; a flood beyond is dropped, as by a socket."""


class Association:
    """One association, over a socket of its own; ``conformance.wire.AssociationLink``."""

    def __init__(
        self, sock: ConnectedSocket, client: DtlsClient, pace: Callable[[], Awaitable[None]]
    ) -> None:
        loop = asyncio.get_running_loop()
        self.local = sock.local
        self.remote = sock.remote
        self.protocol: str | None = None
        self._client = client
        self._pace = pace
        self._is_open = False
        self._has_ended = False
        self._received: collections.deque[bytes] = collections.deque()
        self._changed = asyncio.Event()
        self._begun: asyncio.Future[str | None] = loop.create_future()
        self._driver = MachineDriver(client, self._on_event, loop=loop)
        self._driver.add_socket(sock)

    @classmethod
    async def open(
        cls,
        sock: ConnectedSocket,
        clients: DtlsClients,
        server_name: str,
        *,
        patience: float,
        pace: Callable[[], Awaitable[None]],
    ) -> Self:
        """Make one over a socket, which is its own from then on.

        Raises:
            OSError: there is none to be had.
        """
        path = Path(TransportProtocol.UDP, sock.local, sock.remote)
        try:
            client = clients.associate(path, server_name, handshake_timeout=patience)
        except ValueError as error:
            sock.close()
            raise OSError(str(error)) from error
        made = cls(sock, client, pace)
        try:
            await made._begin()
        except BaseException:
            made.close()
            raise
        return made

    async def send(self, data: bytes) -> None:
        await self._pace()
        self._driver.call(lambda _: self._is_open and self._client.send(data))

    async def receive(self, seconds: float) -> bytes | None:
        if not self._received and not self._has_ended:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), max(seconds, 0))
            except TimeoutError:
                return None
        return self._received.popleft() if self._received else b""

    def close(self) -> None:
        """With close_notify: the server may let go of it."""
        self._driver.call(self._client.close)
        self._end("closed")

    async def _begin(self) -> None:
        await self._pace()
        self._driver.call(self._client.start)
        problem = await self._begun
        if problem is not None:
            raise OSError(problem)

    def _on_event(self, event: Event) -> None:
        from transport.dtls import DtlsClosed, DtlsDataReceived, DtlsEstablished, DtlsFailed

        match event:
            case DtlsEstablished(protocol):
                self.protocol, self._is_open = protocol, True
                self._begun.set_result(None)
            case DtlsDataReceived(data):
                if len(self._received) < MAX_WAITING:
                    self._received.append(data)
                    self._changed.set()
            case DtlsClosed():
                self._end("closed by the server")
            case DtlsFailed(reason):
                self._end(reason)

    def _end(self, reason: str) -> None:
        self._is_open, self._has_ended = False, True
        self._driver.close()
        self._changed.set()
        if not self._begun.done():
            self._begun.set_result(reason)


def connected(local: TransportAddress, remote: TransportAddress) -> ConnectedSocket:
    """A socket for one association.

    Raises:
        OSError: the address cannot be bound, or there is no way to the remote.
    """
    sock = KernelSockets().bind(local)
    try:
        sock.connect(to_sockaddr(remote))
        return ConnectedSocket(sock)
    except BaseException:
        sock.close()
        raise
