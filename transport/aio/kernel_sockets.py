"""Where sockets of the kernel come from."""

from __future__ import annotations

import contextlib
import socket

from transport.address import TransportAddress

from .connected import ConnectedSocket
from .kernel import KernelSocket
from .sockaddr import to_sockaddr

RECEIVE_BUFFER_BYTES = 4 << 20
"""Against a pause of the loop: 10 ms at 30,000 packets per second overflow the usual 208 KiB."""

SEND_BUFFER_BYTES = 1 << 20

_SO_SNDBUFFORCE = 32
_SO_RCVBUFFORCE = 33


class KernelSockets:
    """Opens sockets of the kernel; a ``ConnectingSocketFactory``.

    The buffers are asked for, and the kernel gives what it allows (net.core.rmem_max,
    or all of it to a process with CAP_NET_ADMIN).
    """

    def __init__(
        self,
        *,
        receive_buffer_bytes: int = RECEIVE_BUFFER_BYTES,
        send_buffer_bytes: int = SEND_BUFFER_BYTES,
    ) -> None:
        self._receive_buffer_bytes = receive_buffer_bytes
        self._send_buffer_bytes = send_buffer_bytes

    async def open(self, local: TransportAddress) -> KernelSocket:
        """A socket bound to ``local``; an IPv6 one carries no IPv4.

        Raises:
            OSError: the address cannot be bound.
        """
        return KernelSocket(self.bind(local))

    async def open_connected(self, remote: TransportAddress) -> ConnectedSocket:
        """A socket for one peer, at the address that the system sends from to there.

        Raises:
            OSError: there is no way to it, or no socket is left.
        """
        sock = self._new(remote)
        try:
            sock.connect(to_sockaddr(remote))
            return ConnectedSocket(sock)
        except BaseException:
            sock.close()
            raise

    def bind(self, local: TransportAddress) -> socket.socket:
        """The bound socket alone, for a parent that hands it to a worker.

        Raises:
            OSError: the address cannot be bound.
        """
        sock = self._new(local)
        try:
            sock.bind(to_sockaddr(local))
        except BaseException:
            sock.close()
            raise
        return sock

    def _new(self, like: TransportAddress) -> socket.socket:
        """A socket of the family of an address."""
        family = socket.AF_INET6 if like.is_ipv6 else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            if like.is_ipv6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            _raise_buffer(sock, _SO_RCVBUFFORCE, socket.SO_RCVBUF, self._receive_buffer_bytes)
            _raise_buffer(sock, _SO_SNDBUFFORCE, socket.SO_SNDBUF, self._send_buffer_bytes)
        except BaseException:
            sock.close()
            raise
        return sock


def _raise_buffer(sock: socket.socket, force: int, option: int, size: int) -> None:
    try:
        sock.setsockopt(socket.SOL_SOCKET, force, size)
    except OSError:  # not privileged
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, option, size)
