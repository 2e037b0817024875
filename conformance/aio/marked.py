"""UDP sockets that choose and see TOS bytes (RFC 8656 sections 14 and 15)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from transport import IPAddress, TransportAddress
from transport.aio import from_sockaddr, to_sockaddr

READ_BYTES: Final = 1 << 16
ANCILLARY_BYTES: Final = 256
MAX_WAITING: Final = 256
"""Datagrams that wait to be looked at; what comes beyond is dropped."""

_CHOOSE: Final = {
    4: (socket.IPPROTO_IP, socket.IP_TOS),
    6: (socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
}
_TELL: Final = {
    4: (socket.IPPROTO_IP, socket.IP_RECVTOS),
    6: (socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS),
}
"""By IP version."""

_TOLD: Final = frozenset(_CHOOSE.values())

_Received = tuple[bytes, TransportAddress, int | None]


class MarkedSocket:
    """``conformance.wire.MarkedLink``; each send waits for ``wait``.

    Raises:
        OSError: it cannot be bound, or the system does not tell TOS bytes.
    """

    def __init__(self, ip: IPAddress, wait: Callable[[], Awaitable[None]]) -> None:
        self.tos = 0
        self.last_tos: int | None = None
        self._wait = wait
        self._received: asyncio.Queue[_Received] = asyncio.Queue(MAX_WAITING)
        family = socket.AF_INET6 if ip.version == 6 else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(*_TELL[ip.version], 1)
            self._socket.bind(to_sockaddr(TransportAddress(ip, 0))[:2])
        except OSError:
            self._socket.close()
            raise
        self._local = from_sockaddr(self._socket.getsockname())
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._readable)

    @property
    def local(self) -> TransportAddress:
        return self._local

    async def send(self, data: bytes, remote: TransportAddress) -> None:
        await self._wait()
        self._socket.setsockopt(*_CHOOSE[self._local.ip.version], self.tos)
        with contextlib.suppress(BlockingIOError, ConnectionError):
            self._socket.sendto(data, to_sockaddr(remote)[:2])

    async def receive(self, seconds: float) -> tuple[bytes, TransportAddress] | None:
        if self._received.empty():
            try:
                found = await asyncio.wait_for(self._received.get(), max(seconds, 0))
            except TimeoutError:
                return None
        else:
            found = self._received.get_nowait()
        data, source, self.last_tos = found
        return data, source

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _readable(self) -> None:
        try:
            data, ancillary, _, source = self._socket.recvmsg(READ_BYTES, ANCILLARY_BYTES)
        except OSError:
            return  # an error of an earlier send
        tos = next((value[0] for level, kind, value in ancillary if (level, kind) in _TOLD), None)
        with contextlib.suppress(asyncio.QueueFull):
            self._received.put_nowait((data, from_sockaddr(source), tos))
