"""Ports that are closed as long as a test needs them to be, and what the kernel says of it."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterator

from transport import TransportAddress
from transport.aio import from_sockaddr


@contextlib.contextmanager
def both_ports(host: str = "127.0.0.1") -> Iterator[tuple[socket.socket, socket.socket]]:
    """Sockets of UDP and TCP at the same port, which nobody else gets meanwhile.

    The one takes datagrams, and says nothing; connections to the other are refused.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        with (
            socket.socket(family, socket.SOCK_DGRAM) as udp,
            socket.socket(family, socket.SOCK_STREAM) as tcp,
        ):
            udp.bind((host, 0))
            try:
                tcp.bind(udp.getsockname())
            except OSError:
                continue  # somebody has that port over TCP
            yield udp, tcp
            return


@contextlib.contextmanager
def closed_port(host: str = "127.0.0.1") -> Iterator[TransportAddress]:
    """Where nobody listens, over UDP or TCP, and nobody else, in this process or another one,
    comes to.

    The UDP socket hears itself alone: to others the kernel says that the port is closed.
    """
    with both_ports(host) as (udp, _):
        udp.connect(udp.getsockname())
        yield from_sockaddr(udp.getsockname())


PATIENCE_MS = 15_000


def wait_for_error(sock: socket.socket | int) -> None:
    """Until the kernel has told a socket, which may be a while after the send that was for it."""
    poll = select.poll()
    poll.register(sock, 0)  # errors are told to who asks for nothing, too
    assert poll.poll(PATIENCE_MS), "the kernel says nothing"
