"""The kernel's UDP sockets: drained in batches, runs sent with one system call."""

from __future__ import annotations

import asyncio
import collections
import errno
import logging
import socket
import struct
from collections.abc import Callable, Iterator, Sequence

from transport.address import TransportAddress
from transport.icmp import IcmpError

from .datagram import MAX_DATAGRAMS_PER_WAKE_UP, DropReason, SocketStats
from .error_queue import ErrorQueue
from .fragments import unfragmented
from .sockaddr import SocketAddress, from_sockaddr, to_sockaddr

logger = logging.getLogger(__name__)

MAX_SEGMENTS_PER_CALL = 60
"""Linux takes 64 (UDP_MAX_SEGMENTS) before 6.9, and 128 since."""

MAX_BYTES_PER_CALL = 65_000
"""A run is one IP packet of 65,535 bytes until it is cut."""

MAX_CACHED_ADDRESSES = 4096
"""Sources and destinations whose two forms are remembered; a flood empties the cache, no more."""

_SOL_UDP = 17
_UDP_SEGMENT = 103
_MAX_DATAGRAM_BYTES = 65_535
_SEGMENT_SIZE = struct.Struct("=H")
_CODE_POINT = struct.Struct("=i")

_SEGMENTATION_FAILURES = frozenset({errno.EINVAL, errno.EMSGSIZE, errno.EIO, errno.EOPNOTSUPP})
_DROP_REASONS = {
    errno.EAGAIN: DropReason.BUFFER_FULL,
    errno.ENOBUFS: DropReason.BUFFER_FULL,
    errno.ENOMEM: DropReason.BUFFER_FULL,
    errno.ECONNREFUSED: DropReason.UNREACHABLE,
    errno.EHOSTUNREACH: DropReason.UNREACHABLE,
    errno.ENETUNREACH: DropReason.UNREACHABLE,
    errno.ENETDOWN: DropReason.UNREACHABLE,
    errno.EADDRNOTAVAIL: DropReason.UNREACHABLE,
    errno.EAFNOSUPPORT: DropReason.UNREACHABLE,
    errno.EPERM: DropReason.UNREACHABLE,
    errno.EACCES: DropReason.UNREACHABLE,
    errno.EMSGSIZE: DropReason.TOO_LONG,
}

_ControlMessages = list[tuple[int, int, bytes]]

Buffer = bytes | memoryview


def split_runs(segments: Sequence[Buffer]) -> Iterator[Sequence[Buffer]]:
    """Cut datagrams into runs that one call may carry, in their order.

    All of a run are as long as the first, but the last may be shorter. An empty
    datagram goes alone: the kernel's segmentation has no word for it.
    """
    sizes = list(map(len, segments))
    start = 0
    while start < len(sizes):
        size = sizes[start]
        most = min(MAX_SEGMENTS_PER_CALL, MAX_BYTES_PER_CALL // size) if size else 1
        end = start + _run_length(sizes[start : start + most])
        yield segments[start:end]
        start = end


def _run_length(sizes: list[int]) -> int:
    """How many from the first on are as long as it, with a shorter one behind them."""
    size, count = sizes[0], len(sizes)
    equal = sizes.count(size)  # mostly all, or all but the last: no need to look at each
    if equal < count - 1 or (equal < count and sizes[-1] == size):
        equal = next(index for index, other in enumerate(sizes) if other != size)
    return equal + (equal < count and 0 < sizes[equal] < size)


class KernelSocket:
    """A bound UDP socket of the kernel; a ``DatagramSocket``.

    Takes over ``sock``, which a parent process may have bound. ICMP errors for what it
    has sent go to ``on_icmp``, from the loop.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        on_icmp: Callable[[IcmpError], None] | None = None,
    ) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._loop = loop or asyncio.get_running_loop()
        self._errors = None if on_icmp is None else ErrorQueue(sock, on_icmp, loop=self._loop)
        self._local = from_sockaddr(sock.getsockname())
        self._is_open = True
        self._is_reading = False
        self._sources: dict[SocketAddress, TransportAddress] = {}
        self._destinations: dict[TransportAddress, SocketAddress] = {}
        # Mostly there is one peer, and no need to hash its address each time.
        self._last_remote: TransportAddress | None = None
        self._last_sockaddr: SocketAddress = ("", 0)
        self._segmentable_below = _MAX_DATAGRAM_BYTES
        self._datagrams_received = 0
        self._bytes_received = 0
        self._datagrams_sent = 0
        self._bytes_sent = 0
        self._send_calls = 0
        self._receive_errors = 0
        self._drops: collections.Counter[DropReason] = collections.Counter()

    @property
    def local(self) -> TransportAddress:
        return self._local

    def start(self, on_readable: Callable[[], None]) -> None:
        if self._is_open:
            self._is_reading = True
            self._loop.add_reader(self._socket.fileno(), on_readable)

    def receive(self) -> list[tuple[bytes, TransportAddress]]:
        if not self._is_open:
            return []
        batch: list[tuple[bytes, TransportAddress]] = []
        recvfrom, sources = self._socket.recvfrom, self._sources
        for _ in range(MAX_DATAGRAMS_PER_WAKE_UP):
            try:
                data, sockaddr = recvfrom(_MAX_DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                self._receive_failed(error)
                continue
            batch.append((data, sources.get(sockaddr) or self._source(sockaddr)))
            self._bytes_received += len(data)
        self._datagrams_received += len(batch)
        if not batch:
            self.read_errors()
        return batch

    def read_errors(self, failed: SocketAddress | None = None) -> bool:
        """Take the ICMP errors that wait, if anybody asks for them; whether any had come.

        ``failed`` is where a datagram was going that could not be sent just now.
        """
        return self._errors is not None and self._is_open and self._errors.read(failed)

    def send(self, segments: Sequence[bytes], remote: TransportAddress, dscp: int | None) -> None:
        if not self._is_open:
            return
        if remote is not self._last_remote:
            try:
                self._last_sockaddr = self._destinations.get(remote) or self._destination(remote)
            except OSError as error:
                self._drop(error, len(segments))
                return
            self._last_remote = remote
        control = [] if dscp is None else self._code_point(dscp)
        self._send_segments(segments, self._last_sockaddr, control)

    def send_unfragmented(
        self, segments: Sequence[bytes], remote: TransportAddress, dscp: int | None
    ) -> None:
        if self._is_open:
            with unfragmented(self._socket):
                self.send(segments, remote, dscp)

    def send_to(self, segments: Sequence[Buffer], sockaddr: SocketAddress) -> None:
        """As ``send``, for who keeps destinations in the kernel's form."""
        if self._is_open:
            self._send_segments(segments, sockaddr, [])

    def _send_segments(
        self, segments: Sequence[Buffer], sockaddr: SocketAddress, control: _ControlMessages
    ) -> None:
        if len(segments) == 1:
            self._send_one(segments[0], sockaddr, control)
            return
        for run in split_runs(segments):
            if len(run) > 1 and len(run[0]) < self._segmentable_below:
                self._send_run(run, sockaddr, control)
            else:
                self._send_singly(run, sockaddr, control)

    @property
    def segmentable_below(self) -> int:
        """Runs of datagrams of this many bytes, or more, were refused here: they go singly."""
        return self._segmentable_below

    def stats(self) -> SocketStats:
        return SocketStats(
            datagrams_received=self._datagrams_received,
            bytes_received=self._bytes_received,
            datagrams_sent=self._datagrams_sent,
            bytes_sent=self._bytes_sent,
            send_calls=self._send_calls,
            receive_errors=self._receive_errors,
            drops=dict(self._drops),
        )

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        if self._is_reading:
            self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _send_one(self, data: Buffer, sockaddr: SocketAddress, control: _ControlMessages) -> bool:
        try:
            if control:
                self._socket.sendmsg((data,), control, 0, sockaddr)
            else:
                self._socket.sendto(data, sockaddr)
        except OSError as error:
            if not self._repeat((data,), sockaddr, control):
                self._drop(error, 1)
                return False
        self._count_sent(1, len(data))
        return True

    def _repeat(
        self, run: Sequence[Buffer], sockaddr: SocketAddress, control: _ControlMessages
    ) -> bool:
        """Send again what has failed, if the error was that of an earlier datagram."""
        if not self.read_errors(sockaddr):
            return False
        try:
            self._socket.sendmsg(run, control, 0, sockaddr)
        except OSError:
            return False
        return True

    def _send_run(
        self, run: Sequence[Buffer], sockaddr: SocketAddress, control: _ControlMessages
    ) -> None:
        size = len(run[0])
        segmentation = (_SOL_UDP, _UDP_SEGMENT, _SEGMENT_SIZE.pack(size))
        try:
            self._socket.sendmsg(run, [*control, segmentation], 0, sockaddr)
        except OSError as error:
            if not self._repeat(run, sockaddr, [*control, segmentation]):
                self._run_failed(error, run, sockaddr, control)
                return
        self._count_sent(len(run), size * (len(run) - 1) + len(run[-1]))

    def _run_failed(
        self,
        error: OSError,
        run: Sequence[Buffer],
        sockaddr: SocketAddress,
        control: _ControlMessages,
    ) -> None:
        if error.errno not in _SEGMENTATION_FAILURES:
            self._drop(error, len(run))
        elif self._send_singly(run, sockaddr, control):
            self._segmentation_failed(error, len(run[0]))

    def _send_singly(
        self, run: Sequence[Buffer], sockaddr: SocketAddress, control: _ControlMessages
    ) -> bool:
        """Send one by one; whether any of them went out."""
        sent = sum(self._send_one(data, sockaddr, control) for data in run)
        return sent > 0

    def _segmentation_failed(self, error: OSError, size: int) -> None:
        """The datagrams were good, the run was not: send none of this size as a run again.

        EIO comes from an interface without checksum offload (Linux before 6.11), whatever
        the size; the others when a segment is longer than the path's MTU.
        """
        self._segmentable_below = 0 if error.errno == errno.EIO else size
        logger.debug("%s: no runs of %d bytes any more: %s", self._local, size, error)

    def _count_sent(self, datagrams: int, size: int) -> None:
        self._send_calls += 1
        self._datagrams_sent += datagrams
        self._bytes_sent += size

    def _drop(self, error: OSError, datagrams: int) -> None:
        reason = _DROP_REASONS.get(error.errno or 0, DropReason.REFUSED)
        self._drops[reason] += datagrams
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s: dropped %d: %s", self._local, datagrams, error)

    def _receive_failed(self, error: OSError) -> None:
        """An ICMP error for something sent before; it says nothing about the next datagram."""
        self._receive_errors += 1
        self.read_errors()
        logger.debug("%s: %s", self._local, error)

    def _code_point(self, dscp: int) -> _ControlMessages:
        value = _CODE_POINT.pack(dscp << 2)
        if self._local.is_ipv6:
            return [(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, value)]
        return [(socket.IPPROTO_IP, socket.IP_TOS, value)]

    def _source(self, sockaddr: SocketAddress) -> TransportAddress:
        address = from_sockaddr(sockaddr)
        if len(self._sources) >= MAX_CACHED_ADDRESSES:
            self._sources.clear()
        self._sources[sockaddr] = address
        return address

    def _destination(self, remote: TransportAddress) -> SocketAddress:
        if remote.is_ipv6 != self._local.is_ipv6:
            raise OSError(errno.EAFNOSUPPORT, f"no way from {self._local} to {remote}")
        sockaddr = to_sockaddr(remote)
        if len(self._destinations) >= MAX_CACHED_ADDRESSES:
            self._destinations.clear()
        self._destinations[remote] = sockaddr
        return sockaddr
