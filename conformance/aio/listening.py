"""Peers that are connected to over TCP, by asyncio."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from transport import IPAddress, TransportAddress
from transport.aio import from_sockaddr, to_sockaddr

FULL_AFTER: Final = 0.05
"""Seconds without a connection that show that a queue is full: this host answers at once."""

MAX_FILLERS: Final = 8
"""A backlog of 0 has room for one connection, or a few."""

S = TypeVar("S")


class ListeningSocket(Generic[S]):
    """A TCP socket that others connect to; ``conformance.wire.StreamListener``.

    ``adopt`` makes streams of connections. ``fillers`` are closed with it.
    """

    def __init__(
        self,
        sock: socket.socket,
        adopt: Callable[[asyncio.StreamReader, asyncio.StreamWriter], S],
        fillers: Sequence[socket.socket] = (),
    ) -> None:
        self._sock = sock
        self._local = from_sockaddr(sock.getsockname())
        self._adopt = adopt
        self._fillers = fillers

    @property
    def local(self) -> TransportAddress:
        return self._local

    async def accept(self, seconds: float) -> S | None:
        """The next connection, or None if none comes in time."""
        loop = asyncio.get_running_loop()
        try:
            sock, _ = await asyncio.wait_for(loop.sock_accept(self._sock), max(seconds, 0))
        except TimeoutError:
            return None
        return self._adopt(*await asyncio.open_connection(sock=sock))

    def close(self) -> None:
        for sock in (self._sock, *self._fillers):
            sock.close()


def listen(ip: IPAddress, *, backlog: int) -> socket.socket:
    """Listen at a port of the kernel's choice.

    Raises:
        OSError: it cannot be bound.
    """
    sock = _new_socket(ip)
    try:
        sock.bind(to_sockaddr(TransportAddress(ip, 0)))
        sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    return sock


async def deafen(listener: socket.socket) -> Sequence[socket.socket]:
    """Fill the queue of a socket that accepts nothing: what asks for a connection is dropped.

    What is connected is returned, and has to be kept open.

    Raises:
        OSError: the queue has no end.
    """
    address = from_sockaddr(listener.getsockname())
    fillers: list[socket.socket] = []
    try:
        for _ in range(MAX_FILLERS):
            fillers.append(_new_socket(address.ip))
            fillers[-1].connect_ex(to_sockaddr(address))
            await asyncio.sleep(FULL_AFTER)
            if not _is_connected(fillers[-1]):
                fillers.pop().close()
                return fillers
        raise OSError("a socket that accepts nothing is connected to all the same")
    except BaseException:
        for sock in (listener, *fillers):
            sock.close()
        raise


def _is_connected(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True


def _new_socket(ip: IPAddress) -> socket.socket:
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    return socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
