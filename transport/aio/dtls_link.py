"""A DTLS association that a machine has asked for, over a socket of its own (RFC 7350)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self

from transport.dtls import (
    DtlsClient,
    DtlsClients,
    DtlsClosed,
    DtlsDataReceived,
    DtlsEstablished,
    DtlsFailed,
)
from transport.machine import ConnectRequested, Event, Path, TransportProtocol

from .connected import ConnectedSocket
from .connection import ConnectionOwner
from .driver import MachineDriver
from .kernel_sockets import KernelSockets


class DtlsLink:
    """One association; a ``Connection`` whose messages are records.

    ``failed`` becomes the reason why the handshake did not succeed, or None once it has
    and the path was reported to the owner's sink.
    """

    def __init__(
        self,
        owner: ConnectionOwner,
        sock: ConnectedSocket,
        client: DtlsClient,
        *,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._owner = owner
        self._client = client
        self._secured = Path(TransportProtocol.DTLS, sock.local, sock.remote)
        self._path: Path | None = None
        self._driver = MachineDriver(client, self._on_event, loop=loop)
        self._driver.add_socket(sock)
        self.failed: asyncio.Future[str | None] = loop.create_future()

    @classmethod
    async def open(
        cls,
        owner: ConnectionOwner,
        clients: DtlsClients,
        request: ConnectRequested,
        *,
        handshake_timeout: float,
    ) -> Self:
        """A link that is to be started.

        Raises:
            OSError: there is no way to the remote.
            ValueError: no server can have this name.
        """
        sock = await KernelSockets().open_connected(request.remote)
        try:
            client = clients.associate(
                Path(TransportProtocol.UDP, sock.local, sock.remote),
                request.server_name or request.remote.host,
                handshake_timeout=handshake_timeout,
            )
        except ValueError:
            sock.close()
            raise
        return cls(owner, sock, client, loop=asyncio.get_running_loop())

    def start(self) -> None:
        """Begin the handshake."""
        self._driver.call(self._client.start)

    def write(self, messages: Sequence[bytes]) -> int:
        return self._driver.call(lambda _: sum(not self._send(each) for each in messages))

    def flush(self) -> None:
        """Records do not wait for each other."""

    def close(self) -> None:
        self._driver.call(self._client.close)

    def reset(self) -> None:
        self.close()

    def detach(self, protocol: asyncio.BaseProtocol) -> None:
        """An association is no stream, and stays where it is."""

    def _send(self, message: bytes) -> bool:
        is_open = self._path is not None and 0 < len(message) <= self._client.max_data_bytes
        return is_open and self._client.send(message)

    def _on_event(self, event: Event) -> None:
        match event:
            case DtlsEstablished():
                self._established()
            case DtlsDataReceived(data) if self._path is not None:
                self._owner.sink.stream_received(self._path, (data,))
            case DtlsClosed():
                self._end("closed")
            case DtlsFailed(reason):
                self._end(reason)

    def _established(self) -> None:
        if not self._owner.opened(self, self._secured):
            self._end("there is no room for it")
            return
        self._path = self._secured
        self.failed.set_result(None)
        self._owner.sink.stream_connected(self._secured)

    def _end(self, reason: str) -> None:
        self._driver.close()
        path, self._path = self._path, None
        if not self.failed.done():
            self.failed.set_result(reason)
        self._owner.lost(self, path, reason)
