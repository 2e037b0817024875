"""Sending runs of datagrams that the data plane has switched.

Every relayed packet takes this way, so the call that mostly succeeds is made here,
and whatever it could not send goes to ``transport.aio.KernelSocket``: that one cuts
runs, knows when an interface refuses them, and counts drops.
"""

from __future__ import annotations

import functools
import socket
import struct
from collections.abc import Sequence

from transport.aio import (
    MAX_BYTES_PER_CALL,
    MAX_SEGMENTS_PER_CALL,
    KernelSocket,
    SocketAddress,
)

_SOL_UDP = 17
_UDP_SEGMENT = 103
_SEGMENT_SIZE = struct.Struct("=H")

_MAX_CACHED_SIZES = 1500
"""Most runs are of packets, and those fit into a link."""


@functools.lru_cache(_MAX_CACHED_SIZES)
def _segmentation(size: int) -> list[tuple[int, int, bytes]]:
    return [(_SOL_UDP, _UDP_SEGMENT, _SEGMENT_SIZE.pack(size))]


class DatagramOutlet:
    """The way to one remote, for datagrams that lie in the slots.

    ``is_connected`` says that the socket knows no other remote: then the kernel need not
    be told each time, and keeps the route.
    """

    __slots__ = ("_address", "_kernel", "_remote", "_segmentable_below", "_send", "_sendmsg")

    def __init__(
        self,
        sock: socket.socket,
        kernel: KernelSocket,
        *,
        remote: SocketAddress,
        is_connected: bool = False,
    ) -> None:
        self._remote = remote
        self._address = None if is_connected else remote
        self._send = sock.send if is_connected else lambda data: sock.sendto(data, remote)
        self._sendmsg = sock.sendmsg
        self._kernel = kernel
        self._segmentable_below = kernel.segmentable_below

    def send_one(self, datagram: memoryview) -> None:
        """Send a datagram; if it cannot be sent, it is dropped and counted."""
        try:
            self._send(datagram)
        except OSError:
            self._send_again((datagram,))

    def send(self, run: Sequence[memoryview], size: int) -> None:
        """Send a run: all of ``size`` bytes, the last perhaps shorter but not empty."""
        try:
            if len(run) == 1:
                self._send(run[0])
            elif (
                0 < size < self._segmentable_below
                and len(run) <= MAX_SEGMENTS_PER_CALL
                and len(run) * size <= MAX_BYTES_PER_CALL
            ):
                self._sendmsg(run, _segmentation(size), 0, self._address)
            else:
                self._kernel.send_to(run, self._remote)
        except OSError:
            self._send_again(run)

    def _send_again(self, run: Sequence[memoryview]) -> None:
        """Send what an attempt has failed to, as far as it can be."""
        self._kernel.send_to(run, self._remote)
        self._kernel.read_errors()
        self._segmentable_below = self._kernel.segmentable_below
