"""A UDP socket whose datagrams the plane looks at before the machine hears of them.

Towards ``MachineDriver`` it is a ``DatagramSocket`` like any other, that only ever
receives what found no entry in the forwarding table.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import socket
from collections.abc import Callable, Sequence

from transport import TransportAddress
from transport.aio import KernelSocket, SocketAddress, SocketStats, from_sockaddr, to_sockaddr

from .outlet import Outlet
from .selector import unwatch, watch

logger = logging.getLogger(__name__)

MAX_CACHED_SOURCES = 4096
"""Sources whose two forms are remembered: enough for a relay's clients, a flood gains nothing."""

address_of = functools.lru_cache(MAX_CACHED_SOURCES)(from_sockaddr)
"""The transport address of what recvfrom names as a source."""


def name_of(address: TransportAddress) -> SocketAddress:
    """An address exactly as recvfrom names it, so that it serves as a key.

    Python and the C library do not write every IPv6 address alike.

    Raises:
        OSError: there is no interface of the address's zone.
    """
    sockaddr = to_sockaddr(address)
    if not address.is_ipv6:
        return sockaddr
    return (socket.inet_ntop(socket.AF_INET6, address.ip.packed), *sockaddr[1:])


class PlaneSocket:
    """What listening and relayed sockets have in common: the machine's side."""

    def __init__(self, sock: socket.socket, *, loop: asyncio.AbstractEventLoop) -> None:
        self._kernel = KernelSocket(sock, loop=loop)
        self._loop = loop
        self._fd = sock.fileno()
        self._recvfrom_into = sock.recvfrom_into
        self._on_readable: Callable[[], None] | None = None
        self._waiting: list[tuple[bytes, TransportAddress]] = []
        self._is_open = True
        self._receive_errors = 0
        self._comes_in_bursts = False
        self.outlet = Outlet(sock, self._kernel)

    @property
    def local(self) -> TransportAddress:
        return self._kernel.local

    def start(self, on_readable: Callable[[], None]) -> None:
        if self._is_open:
            self._on_readable = on_readable
            watch(self._loop, self)

    def fileno(self) -> int:
        return self._fd

    def take_one(self) -> None:
        """Switch the datagram that waits, or call the machine for it."""
        raise NotImplementedError

    def drain(self) -> None:
        """Switch what waits, a slot each, and call the machine for the rest."""
        raise NotImplementedError

    def receive(self) -> list[tuple[bytes, TransportAddress]]:
        waiting, self._waiting = self._waiting, []
        return waiting

    def send(self, segments: Sequence[bytes], remote: TransportAddress, dscp: int | None) -> None:
        self._kernel.send(segments, remote, dscp)

    def stats(self) -> SocketStats:
        """What was sent for the machine, and all drops and errors; meters count the flows."""
        return dataclasses.replace(self._kernel.stats(), receive_errors=self._receive_errors)

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        if self._on_readable is not None:
            unwatch(self._loop, self)
        self._waiting.clear()
        self._kernel.close()

    def _keep(self, data: memoryview, source: SocketAddress) -> None:
        """Keep a datagram for the machine, which is called at the end of this drain."""
        self._waiting.append((bytes(data), address_of(source)))

    def _wake(self) -> None:
        """Call the machine for what waits."""
        if self._waiting and self._on_readable is not None:
            self._on_readable()

    def _receive_failed(self, error: OSError) -> None:
        """What the kernel reports of an earlier datagram says nothing about the next one."""
        self._receive_errors += 1
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s: %s", self.local, error)
