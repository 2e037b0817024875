"""Sockets that share an address, each for one remote alone.

For a connected socket the kernel does what else is done per packet: it tells the flows
apart, keeps the route, and needs no addresses translated back and forth.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import re
import socket
import struct
from collections.abc import Callable

from transport import IcmpError
from transport.aio import KernelSocket, SocketAddress, SocketStats, allow_fragments

from .outlet import DatagramOutlet
from .selector import unwatch, watch

logger = logging.getLogger(__name__)

BUFFER_BYTES = 1 << 20
"""Some hundred packets of one flow; there may be thousands of them."""

_SO_ATTACH_FILTER = 26
_SO_DETACH_FILTER = 27

_DROP_ALL = struct.pack("=HBBI", 0x06, 0, 0, 0)
"""A program for the kernel's packet filter: return 0 bytes."""

_FOUR_TUPLE_HASH = (6, 13)
"""The Linux that finds a connected UDP socket without looking at all of its port."""


def kernel_finds_connected_sockets() -> bool:
    """Whether the way to one of many connected sockets of a port is short."""
    version = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return version is not None and tuple(map(int, version.groups())) >= _FOUR_TUPLE_HASH


def connect_beside(first: socket.socket, remote: SocketAddress) -> socket.socket:
    """Another socket at the address of ``first``, connected to a remote.

    Until it is connected it would get what is for others too, so it drops all until then.
    ``first`` allows to share its address only now: while it was bound, a second relay at
    the same address was an error.

    Raises:
        OSError: there are no more descriptors, or no way to the remote.
    """
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock = socket.socket(first.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        if first.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        allow_fragments(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        program = ctypes.create_string_buffer(_DROP_ALL)
        filter_ = struct.pack("HL", 1, ctypes.addressof(program))
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_)
        sock.bind(first.getsockname())
        sock.connect(remote)
        sock.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
    except BaseException:
        sock.close()
        raise
    return sock


class ConnectedSocket:
    """Read by the plane alone; the base of its two kinds."""

    def __init__(
        self,
        sock: socket.socket,
        remote: SocketAddress,
        *,
        loop: asyncio.AbstractEventLoop,
        on_icmp: Callable[[IcmpError], None] | None = None,
    ) -> None:
        self._kernel = KernelSocket(sock, loop=loop, on_icmp=on_icmp)
        self._loop = loop
        self._fd = sock.fileno()
        self._recv_into = sock.recv_into
        self._comes_in_bursts = False
        self.outlet = DatagramOutlet(sock, self._kernel, remote=remote, is_connected=True)
        watch(loop, self)

    def fileno(self) -> int:
        return self._fd

    def take_one(self) -> None:
        """Switch the datagram that waits."""
        raise NotImplementedError

    def drain(self) -> None:
        """Switch what waits, a slot each."""
        raise NotImplementedError

    def stats(self) -> SocketStats:
        return self._kernel.stats()

    def close(self) -> None:
        unwatch(self._loop, self)
        self._kernel.close()

    def _receive_failed(self, error: OSError) -> None:
        """What came back of an earlier datagram says nothing about the next one."""
        self._kernel.read_errors()
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("a connected socket: %s", error)
