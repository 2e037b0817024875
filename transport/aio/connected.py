"""A UDP socket of the kernel with one peer: what nobody takes there is told at once."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

from transport.address import TransportAddress

from .kernel import KernelSocket
from .sockaddr import from_sockaddr


class ConnectedSocket(KernelSocket):
    """A connected UDP socket; a ``ConnectedDatagramSocket``.

    The kernel takes datagrams from its peer alone, and hands over the hard ICMP errors
    (RFC 1122 section 4.2.3.9: protocol or port unreachable), at the next receive or send.
    """

    def __init__(
        self, sock: socket.socket, *, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(sock, loop=loop)
        self._remote = from_sockaddr(sock.getpeername())
        self._on_readable: Callable[[], None] | None = None
        self._was_refused = False

    @property
    def remote(self) -> TransportAddress:
        return self._remote

    def start(self, on_readable: Callable[[], None]) -> None:
        self._on_readable = on_readable
        super().start(on_readable)

    def take_refusal(self) -> bool:
        refused, self._was_refused = self._was_refused, False
        return refused

    def close(self) -> None:
        self._on_readable = None
        super().close()

    def _receive_failed(self, error: OSError) -> None:
        super()._receive_failed(error)
        self._note(error)

    def _drop(self, error: OSError, datagrams: int) -> None:
        super()._drop(error, datagrams)
        if self._note(error):
            # The error was taken out of the socket, which is not readable any more for it.
            self._loop.call_soon(self._wake)

    def _note(self, error: OSError) -> bool:
        if error.errno != errno.ECONNREFUSED:
            return False
        self._was_refused = True
        return True

    def _wake(self) -> None:
        if self._on_readable is not None:
            self._on_readable()
