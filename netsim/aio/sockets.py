"""UDP sockets of simulated hosts, as the drivers of hairpin use them."""

from __future__ import annotations

import asyncio
import collections
import errno
import os
from collections.abc import Callable, Sequence

from netsim.errors import AddressInUse
from netsim.host import Host
from transport import IPAddress, Path, TransportAddress
from transport.aio import MAX_DATAGRAMS_PER_WAKE_UP, SocketStats

RECEIVE_BUFFER_BYTES = 212_992
"""What waits to be read, as Linux has it by default; beyond it the newest is dropped."""


class SimulatedSocket:
    """A ``transport.aio.DatagramSocket`` on a simulated host.

    Bound to the unspecified address, it has the port on every address that the host
    has by then, and sends from the first one of them (from loopback to loopback).
    """

    def __init__(
        self,
        host: Host,
        local: TransportAddress,
        sources: Sequence[TransportAddress],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._host = host
        self._local = local
        self._sources = tuple(sources)
        self._loop = loop
        self._on_readable: Callable[[], None] | None = None
        self._waiting: collections.deque[tuple[bytes, TransportAddress]] = collections.deque()
        self._waiting_bytes = 0
        self._wake_up: asyncio.Handle | None = None
        self._is_closed = False
        self._received = self._received_bytes = 0
        self._sent = self._sent_bytes = self._calls = 0
        for address in self._sources:
            host.assign(address, self)

    @property
    def local(self) -> TransportAddress:
        return self._local

    def start(self, on_readable: Callable[[], None]) -> None:
        self._on_readable = on_readable
        self._notify()

    def deliver(self, data: bytes, path: Path) -> None:
        """Take a datagram from the network."""
        if self._waiting_bytes + len(data) > RECEIVE_BUFFER_BYTES:
            return
        self._waiting.append((data, path.remote))
        self._waiting_bytes += len(data)
        self._notify()

    def receive(self) -> list[tuple[bytes, TransportAddress]]:
        count = min(len(self._waiting), MAX_DATAGRAMS_PER_WAKE_UP)
        batch = [self._waiting.popleft() for _ in range(count)]
        size_bytes = sum(len(data) for data, _ in batch)
        self._waiting_bytes -= size_bytes
        self._received += count
        self._received_bytes += size_bytes
        return batch

    def send(self, segments: Sequence[bytes], remote: TransportAddress, dscp: int | None) -> None:
        if self._is_closed:
            return
        source = self._source(remote.ip)
        self._calls += 1
        for segment in segments:
            self._sent += 1
            self._sent_bytes += len(segment)
            self._host.send(bytes(segment), source, remote, dscp=dscp)

    def stats(self) -> SocketStats:
        return SocketStats(
            datagrams_received=self._received,
            bytes_received=self._received_bytes,
            datagrams_sent=self._sent,
            bytes_sent=self._sent_bytes,
            send_calls=self._calls,
        )

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._waiting.clear()
        if self._wake_up is not None:
            self._wake_up.cancel()
        for address in self._sources:
            self._host.release(address)

    def _source(self, remote: IPAddress) -> TransportAddress:
        matching = [each for each in self._sources if each.ip.is_loopback == remote.is_loopback]
        return (matching or self._sources)[0]

    def _notify(self) -> None:
        if self._waiting and self._on_readable is not None and self._wake_up is None:
            self._wake_up = self._loop.call_soon(self._readable, self._on_readable)

    def _readable(self, on_readable: Callable[[], None]) -> None:
        self._wake_up = None
        on_readable()
        if not self._is_closed:
            self._notify()


class SimulatedSockets:
    """The ``transport.aio.SocketFactory`` of a simulated host."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def open(self, local: TransportAddress) -> SimulatedSocket:
        """A socket bound to ``local``; port 0 lets the host choose.

        Raises:
            OSError: the host does not have the address, or it is taken.
        """
        return open_socket(self._host, local, asyncio.get_running_loop())


def open_socket(
    host: Host, local: TransportAddress, loop: asyncio.AbstractEventLoop
) -> SimulatedSocket:
    """Bind a socket on a host, with the errors of the kernel.

    Raises:
        OSError: EADDRNOTAVAIL, the host does not have the address; EADDRINUSE.
    """
    bound: list[TransportAddress] = []
    port = local.port
    try:
        for ip in _addresses(host, local.ip):
            bound.append(host.bind(ip, port))
            port = bound[-1].port
    except (ValueError, AddressInUse) as error:
        for address in bound:
            host.release(address)
        taken = isinstance(error, AddressInUse)
        code = errno.EADDRINUSE if taken else errno.EADDRNOTAVAIL
        raise OSError(code, f"{os.strerror(code)}: {local}") from error
    return SimulatedSocket(host, TransportAddress(local.ip, port), bound, loop)


def _addresses(host: Host, ip: IPAddress) -> list[IPAddress]:
    if not ip.is_unspecified:
        return [ip]
    loopback = type(ip)("127.0.0.1" if ip.version == 4 else "::1")
    return [each for each in host.addresses if each.version == ip.version] + [loopback]
