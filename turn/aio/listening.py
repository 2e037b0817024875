"""From clients to peers: the sockets at the listening addresses."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import socket
from collections.abc import Callable, Sequence

from transport import TransportAddress
from transport.aio import KernelSocket, SocketAddress, SocketStats, from_sockaddr

from .flows import ToPeer
from .outlet import DatagramOutlet
from .selector import unwatch, watch
from .slots import CHANNEL_HEADER, HEADER_BYTES, SLOT, SLOTS

logger = logging.getLogger(__name__)

MAX_CACHED_SOURCES = 4096
"""Sources whose two forms are remembered: enough for a relay's clients, a flood gains nothing."""

address_of = functools.lru_cache(MAX_CACHED_SOURCES)(from_sockaddr)
"""The transport address of what recvfrom names as a source."""


class ListeningSocket:
    """One listening address; ``flows`` has the channels of clients without a socket.

    Towards ``MachineDriver`` it is a ``DatagramSocket`` like any other, that only ever
    receives what found no entry in the forwarding table.
    """

    def __init__(self, sock: socket.socket, *, loop: asyncio.AbstractEventLoop) -> None:
        self._kernel = KernelSocket(sock, loop=loop)
        self._loop = loop
        self._fd = sock.fileno()
        self._recvfrom_into = sock.recvfrom_into
        self._on_readable: Callable[[], None] | None = None
        self._waiting: list[tuple[bytes, TransportAddress]] = []
        self._is_open = True
        self._comes_in_bursts = False
        self._receive_errors = 0
        self.socket = sock
        self.flows: dict[tuple[SocketAddress, int], ToPeer] = {}

    @property
    def local(self) -> TransportAddress:
        return self._kernel.local

    def fileno(self) -> int:
        return self._fd

    def start(self, on_readable: Callable[[], None]) -> None:
        if self._is_open:
            self._on_readable = on_readable
            watch(self._loop, self)

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

    def outlet_to(self, remote: SocketAddress) -> DatagramOutlet:
        """The way to a client without a socket of its own."""
        return DatagramOutlet(self.socket, self._kernel, remote=remote)

    def keep(self, data: memoryview, source: TransportAddress) -> None:
        """Keep a datagram for the machine, which ``wake`` calls at the end of a drain."""
        self._waiting.append((bytes(data), source))

    def wake(self) -> None:
        """Call the machine for what waits."""
        if self._waiting and self._on_readable is not None:
            self._on_readable()

    def take_one(self) -> None:
        """Switch the datagram that waits, or call the machine for it."""
        if self._comes_in_bursts:
            self.drain()
            return
        try:
            received, source = self._recvfrom_into(SLOT)
        except BlockingIOError:
            return
        except OSError as error:
            self._receive_failed(error)
            return
        if received >= HEADER_BYTES:
            channel, size = CHANNEL_HEADER.unpack_from(SLOT)
            flow = self.flows.get((source, channel))
            if flow is not None and size <= received - HEADER_BYTES:
                flow.send_one(SLOT[flow.offset : HEADER_BYTES + size], size)
                return
        self.keep(SLOT[:received], address_of(source))
        self.wake()

    def drain(self) -> None:
        """Switch what waits, a slot each, and call the machine for the rest."""
        recvfrom_into = self._recvfrom_into
        find, unpack = self.flows.get, CHANNEL_HEADER.unpack_from
        touched: list[ToPeer] = []
        for number, slot, _ in SLOTS:  # noqa: B007 - looked at behind the loop
            try:
                received, source = recvfrom_into(slot)
            except BlockingIOError:
                break
            except OSError as error:
                self._receive_failed(error)
                continue
            if received >= HEADER_BYTES:
                channel, size = unpack(slot)
                flow = find((source, channel))
                if flow is not None and size <= received - HEADER_BYTES:
                    part = slot[flow.offset : HEADER_BYTES + size]
                    if size == flow.size:
                        flow.run.append(part)
                    else:
                        touched.append(flow)
                        flow.begin(part, size)
                    continue
            self.keep(slot[:received], address_of(source))
        for flow in touched:
            flow.flush()
        self._comes_in_bursts = number > 1
        self.wake()

    def _receive_failed(self, error: OSError) -> None:
        """What the kernel reports of an earlier datagram says nothing about the next one."""
        self._receive_errors += 1
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s: %s", self.local, error)
