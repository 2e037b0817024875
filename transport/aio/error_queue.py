"""The queue in which Linux keeps ICMP errors for a socket (ip(7) and ipv6(7), IP_RECVERR)."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections.abc import Callable
from typing import Final

from transport.icmp import IcmpError

from .sockaddr import SocketAddress, from_sockaddr

MAX_ERRORS_PER_READ: Final = 64
"""As many as datagrams: one socket must not hold up the others. The rest wakes it again."""

_IP_RECVERR = 11
_IPV6_RECVERR = 25
_CONTROL = {(socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR)}
_CONTROL_BYTES = 128

_EXTENDED_ERROR = struct.Struct("=IBBBxII")
"""struct sock_extended_err: errno, origin, type, code, info, data."""

_ORIGIN_LOCAL = 1
_ORIGIN_ICMP = 2
_ORIGIN_ICMP6 = 3

_TOO_BIG = {4: (3, 4), 6: (2, 0)}
"""Type and code, by IP version: what a router would have said of a datagram that this
host itself found too long to be sent in one piece."""


class ErrorQueue:
    """Hands the ICMP errors for what left from a socket to ``on_icmp``, each from the loop.

    The kernel reports each of them at the next call that sends or receives as well, once,
    also where that is about another datagram. And the socket counts as readable until the
    queue is read.
    """

    def __init__(
        self,
        sock: socket.socket,
        on_icmp: Callable[[IcmpError], None],
        *,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        self._socket = sock
        self._on_icmp = on_icmp
        self._loop = loop

    def read(self, failed: SocketAddress | None = None) -> bool:
        """Take what waits; whether there was any that came from the network.

        ``failed`` is where a datagram was going that could not be sent just now: of what
        this host itself says the kernel tells no port.
        """
        has_come = False
        for _ in range(MAX_ERRORS_PER_READ):
            try:
                _, control, _, name = self._socket.recvmsg(0, _CONTROL_BYTES, socket.MSG_ERRQUEUE)
            except OSError:  # it is empty
                break
            for level, kind, value in control:
                if (level, kind) in _CONTROL and len(value) >= _EXTENDED_ERROR.size:
                    has_come |= self._report(value, name, failed)
        return has_come

    def _report(
        self, value: bytes, destination: SocketAddress, failed: SocketAddress | None
    ) -> bool:
        number: int
        origin: int
        number, origin, icmp_type, icmp_code, info, _ = _EXTENDED_ERROR.unpack_from(value)
        is_local = origin == _ORIGIN_LOCAL
        address = from_sockaddr(failed if is_local and failed is not None else destination)
        mtu = info if number == errno.EMSGSIZE else 0
        if is_local and mtu:
            icmp_type, icmp_code = _TOO_BIG[address.ip.version]
        elif origin not in (_ORIGIN_ICMP, _ORIGIN_ICMP6):
            return False
        self._loop.call_soon(self._on_icmp, IcmpError(address, icmp_type, icmp_code, mtu))
        return not is_local
