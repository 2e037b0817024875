"""The same load as ``mmsg`` makes, over TCP and TLS."""

from __future__ import annotations

import socket
import ssl

_READ_BYTES = 64 * 1024


class StreamBurst:
    """So many copies of a framed message; over TLS each is a record of its own, as where an
    application writes them one by one."""

    def __init__(self, message: bytes, count: int) -> None:
        self._message = message
        self._run = message * count
        self.count = count

    def send(self, sock: socket.socket) -> int:
        """One after the other; how many were sent: a full buffer takes fewer."""
        return sum(_send(sock, self._message) for _ in range(self.count))

    def send_as_run(self, sock: socket.socket) -> int:
        """In one segment, where that is possible."""
        if isinstance(sock, ssl.SSLSocket):
            return self.send(sock)
        return self.count * _send(sock, self._run)


class StreamInbox:
    """Takes copies of one message from one stream, and looks at each byte of them."""

    def __init__(self, message: bytes) -> None:
        self._size = len(message)
        self._expected = message * (_READ_BYTES // len(message) + 2)
        self._offset = 0

    def receive(self, sock: socket.socket) -> int:
        """How many are complete now.

        Raises:
            AssertionError: something else came, or the end of the stream.
        """
        end = self._offset
        while True:
            try:
                data = sock.recv(_READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                break
            assert data, "the relay has closed the stream"
            start = end % self._size
            assert data == self._expected[start : start + len(data)], "not what was sent"
            end += len(data)
        count, self._offset = divmod(end, self._size)
        return count


def _send(sock: socket.socket, data: bytes) -> int:
    """Whether there was room; what has begun is brought to its end."""
    try:
        sent = sock.send(data)
    except (BlockingIOError, ssl.SSLWantWriteError):
        return 0
    if sent < len(data):
        sock.settimeout(2)
        sock.sendall(data[sent:])
        sock.setblocking(False)
    return 1
