"""Many datagrams per call: the load generator must cost less than what it loads."""

from __future__ import annotations

import ctypes
import os
import socket
import struct

BATCH = 64
_SLOT_BYTES = 2048
_MSG_DONTWAIT = 0x40
_UDP_SEGMENT = 103
_SIZE = struct.Struct("=H")

_libc = ctypes.CDLL(None, use_errno=True)


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Header(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("vectors", ctypes.POINTER(_Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    _fields_ = (("header", _Header), ("length", ctypes.c_uint))


class Burst:
    """So many copies of a datagram, to be sent any number of times on a connected socket."""

    def __init__(self, datagram: bytes, count: int) -> None:
        self._data = ctypes.create_string_buffer(datagram, len(datagram))
        self._vector = _Vector(ctypes.cast(self._data, ctypes.c_void_p), len(datagram))
        self._messages = (_Message * count)()
        for message in self._messages:
            message.header.vectors = ctypes.pointer(self._vector)
            message.header.vector_count = 1
        self._run = [datagram * count]
        self._segmentation = [(socket.IPPROTO_UDP, _UDP_SEGMENT, _SIZE.pack(len(datagram)))]
        self.count = count

    def send(self, sock: socket.socket) -> int:
        """One after the other; how many were sent: a full buffer takes fewer."""
        sent: int = _libc.sendmmsg(sock.fileno(), self._messages, self.count, _MSG_DONTWAIT)
        return max(sent, 0)

    def send_as_run(self, sock: socket.socket) -> int:
        """All at once: they are cut apart on the way to the receiver, who pays nothing for it."""
        try:
            sock.sendmsg(self._run, self._segmentation)
        except BlockingIOError:
            return 0
        return self.count


class Inbox:
    """Takes datagrams from sockets, and looks at no more than their length and number."""

    def __init__(self) -> None:
        self._memory = ctypes.create_string_buffer(BATCH * _SLOT_BYTES)
        base = ctypes.addressof(self._memory)
        self._vectors = (_Vector * BATCH)()
        self._messages = (_Message * BATCH)()
        for i, message in enumerate(self._messages):
            self._vectors[i] = _Vector(base + i * _SLOT_BYTES, _SLOT_BYTES)
            message.header.vectors = ctypes.pointer(self._vectors[i])
            message.header.vector_count = 1

    def receive(self, sock: socket.socket, size: int) -> int:
        """How many came, all of them expected to be ``size`` bytes long.

        Raises:
            AssertionError: the first or the last of them has another length.
        """
        count: int = _libc.recvmmsg(sock.fileno(), self._messages, BATCH, _MSG_DONTWAIT, None)
        if count <= 0:
            return 0
        lengths = {self._messages[0].length, self._messages[count - 1].length}
        assert lengths == {size}, f"{lengths} bytes long, not {size}"
        return count


def pin(core: int) -> None:
    """Keep this process on one core, if the machine has so many."""
    os.sched_setaffinity(0, {core % (os.cpu_count() or 1)})
