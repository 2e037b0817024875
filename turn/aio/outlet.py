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


class Outlet:
    """The sending side of a socket, for datagrams that lie in the slots."""

    __slots__ = ("_kernel", "_segmentable_below", "_sendmsg", "sendto")

    def __init__(self, sock: socket.socket, kernel: KernelSocket) -> None:
        self.sendto = sock.sendto
        self._sendmsg = sock.sendmsg
        self._kernel = kernel
        self._segmentable_below = kernel.segmentable_below

    def send(self, run: Sequence[memoryview], size: int, remote: SocketAddress) -> None:
        """Send a run: all of ``size`` bytes, the last perhaps shorter but not empty.

        What cannot be sent is dropped and counted.
        """
        try:
            if len(run) == 1:
                self.sendto(run[0], remote)
            elif (
                0 < size < self._segmentable_below
                and len(run) <= MAX_SEGMENTS_PER_CALL
                and len(run) * size <= MAX_BYTES_PER_CALL
            ):
                self._sendmsg(run, _segmentation(size), 0, remote)
            else:
                self._kernel.send_to(run, remote)
        except OSError:
            self.send_again(run, remote)

    def send_again(self, run: Sequence[memoryview], remote: SocketAddress) -> None:
        """Send what an attempt has failed to, as far as it can be."""
        self._kernel.send_to(run, remote)
        self._segmentable_below = self._kernel.segmentable_below
