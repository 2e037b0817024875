"""Resident memory that an allocation with a permission and a channel takes, against coturn
(``apt-get install coturn``).

The kernel's share, which is the same for both but for hairpin's connected sockets, is not in it.

    python -m benchmarks.relay.memory
"""

from __future__ import annotations

import contextlib
import functools
import resource
from collections.abc import Iterator

from benchmarks.table import Row, print_rows
from stun import ChannelNumber, Method, XorPeerAddress
from transport.aio import from_sockaddr

from . import servers
from .flow import CHANNEL, Way, client_socket, datagram_socket
from .servers import Server
from .session import Session
from .transports import pinned

ALLOCATIONS = 1000
FIRST = 300
"""Not counted: with them grow pools and caches that all share, and 256 of hairpin's clients have a
socket of their own, which later ones do not get."""
DESCRIPTORS = 8 * (FIRST + ALLOCATIONS)
"""For us, and for each relay, which has up to three per allocation."""


def rows(rounds: int) -> Iterator[Row]:
    """Once whatever ``rounds`` says: memory is the same each time."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(DESCRIPTORS, limits[1]), limits[1]))
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        stack.enter_context(pinned())
        pair = stack.enter_context(servers.both())
        ours, peer = (_bytes_per_allocation(server) for server in pair)
    yield Row(
        "relay: memory per allocation",
        f"{ours / 1024:.1f} KiB",
        f"coturn {peer / 1024:.1f} KiB",
        ours / peer,
        must_hold=0.35,
        aim=0.15,
        lower_is_better=True,
    )


def _bytes_per_allocation(server: Server) -> float:
    with contextlib.ExitStack() as stack:
        peer = stack.enter_context(datagram_socket(server.addresses[Way.CHANNEL]))
        address = XorPeerAddress(from_sockaddr(peer.getsockname()))
        connect = functools.partial(client_socket, server, Way.CHANNEL)

        def allocate() -> None:
            session = stack.enter_context(Session.open(connect))
            session.request(Method.CHANNEL_BIND, [ChannelNumber(CHANNEL), address])

        for _ in range(FIRST):
            allocate()
        before = server.resident_bytes()
        for _ in range(ALLOCATIONS):
            allocate()
        return (server.resident_bytes() - before) / ALLOCATIONS


if __name__ == "__main__":
    print_rows(__doc__, rows)
