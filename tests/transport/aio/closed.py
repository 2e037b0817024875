"""Ports that are closed as long as a test needs them to be, and what the kernel says of it."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterator

from transport import TransportAddress, TransportProtocol
from transport.aio import from_sockaddr


@contextlib.contextmanager
def closed_port(
    host: str = "127.0.0.1", transport: TransportProtocol = TransportProtocol.UDP
) -> Iterator[TransportAddress]:
    """Where nobody listens, and nobody else, in this process or another one, comes to.

    A TCP socket is bound and does not listen, a UDP socket hears itself alone: to others the
    kernel says that the port is closed, and gives it to none of them.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_STREAM if transport.is_reliable else socket.SOCK_DGRAM
    with socket.socket(family, kind) as sock:
        sock.bind((host, 0))
        if not transport.is_reliable:
            sock.connect(sock.getsockname())
        yield from_sockaddr(sock.getsockname())


PATIENCE_MS = 15_000


def wait_for_error(sock: socket.socket | int) -> None:
    """Until the kernel has told a socket, which may be a while after the send that was for it."""
    poll = select.poll()
    poll.register(sock, 0)  # errors are told to who asks for nothing, too
    assert poll.poll(PATIENCE_MS), "the kernel says nothing"
