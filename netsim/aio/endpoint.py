"""asyncio's datagram transport over a simulated socket, for programs that use it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import cast

from transport import TransportAddress

from .sockets import SimulatedSocket

Buffer = bytes | bytearray | memoryview
SocketAddress = tuple[str, int] | tuple[str, int, int, int]


def socket_address(address: TransportAddress) -> SocketAddress:
    """An address as Python's sockets write it."""
    if address.is_ipv6:
        return (address.host, address.port, 0, 0)
    return (address.host, address.port)


class SimulatedDatagramTransport(asyncio.DatagramTransport):
    """What ``create_datagram_endpoint`` of a ``SimulatedLoop`` returns.

    With a ``remote``, it hears nobody else, like a connected socket.
    """

    def __init__(
        self,
        sock: SimulatedSocket,
        protocol: asyncio.DatagramProtocol,
        remote: TransportAddress | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        extra: dict[str, object] = {"sockname": socket_address(sock.local)}
        if remote is not None:
            extra["peername"] = socket_address(remote)
        super().__init__(extra)
        self._sock = sock
        self._protocol = protocol
        self._remote = remote
        self._loop = loop
        self._is_closing = False
        loop.call_soon(protocol.connection_made, self)
        loop.call_soon(sock.start, self._readable)

    def sendto(self, data: Buffer, addr: object = None) -> None:
        """Send one datagram, to ``addr`` unless the transport is connected.

        Raises:
            ValueError: an address other than that of the connection, or none at all.
        """
        remote = self._destination(addr)
        self._sock.send([bytes(data)], remote, None)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = cast(asyncio.DatagramProtocol, protocol)

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        """Close the socket; the protocol learns it in the next turn of the loop."""
        if not self._is_closing:
            self._is_closing = True
            self._sock.close()
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """The same: nothing is buffered."""
        self.close()

    def _destination(self, addr: object) -> TransportAddress:
        given = None
        if addr is not None:
            host, port = tuple(cast(Iterable[object], addr))[:2]
            given = TransportAddress.parse(str(host), int(cast(int, port)))
        remote = given or self._remote
        if remote is None or (self._remote is not None and remote != self._remote):
            raise ValueError(f"no datagram can go to {addr} from here")
        return remote

    def _readable(self) -> None:
        for data, source in self._sock.receive():
            if self._is_closing:
                return
            if self._remote is None or source == self._remote:
                self._protocol.datagram_received(data, socket_address(source))
