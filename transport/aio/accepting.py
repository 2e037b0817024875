"""Accepting streams: as many as there is room for, and as one network may have."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

from transport.address import TransportAddress

from .sockaddr import from_sockaddr
from .stream_socket import send_at_once

logger = logging.getLogger(__name__)

MAX_ACCEPTED_PER_WAKE_UP = 64
"""Connections taken before the loop has its turn."""

BACKLOG = 256
"""Connections that the kernel keeps until they are taken."""

PAUSE_WITHOUT_DESCRIPTORS = 1.0
"""Seconds until the next attempt, where the process may have no more descriptors."""

_NO_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

Accepted = Callable[[socket.socket, TransportAddress], None]


class Acceptor:
    """Takes connections from a bound socket, which is its own from now on.

    ``accept`` gets each of them, in its non-blocking form, and where it comes from.
    """

    def __init__(
        self, listener: socket.socket, accept: Accepted, *, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._listener = listener
        self._accept = accept
        self._loop = loop
        self._pause: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        listener.listen(BACKLOG)
        self._resume()

    def close(self) -> None:
        """Accept no more."""
        if self._pause is not None:
            self._pause.cancel()
        else:
            self._loop.remove_reader(self._listener)
        self._listener.close()

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listener, self._readable)

    def _readable(self) -> None:
        for _ in range(MAX_ACCEPTED_PER_WAKE_UP):
            try:
                sock, remote = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _NO_DESCRIPTORS:
                    self._wait(error)
                    return
                logger.debug("a connection was gone before it was accepted: %s", error)
                continue
            sock.setblocking(False)
            send_at_once(sock)
            self._accept(sock, from_sockaddr(remote))

    def _wait(self, error: OSError) -> None:
        logger.warning("no connections are accepted for a moment: %s", error)
        self._loop.remove_reader(self._listener)
        self._pause = self._loop.call_later(PAUSE_WITHOUT_DESCRIPTORS, self._resume)
