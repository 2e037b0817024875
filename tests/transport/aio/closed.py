"""Ports that are closed for as long as a test needs them to be."""

from __future__ import annotations

import contextlib
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
