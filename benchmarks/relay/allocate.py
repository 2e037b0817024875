"""What an authenticated Allocate takes of a relay's CPU, with the request before it that is
answered with 401 and the nonce, against coturn (``apt-get install coturn``).

    python -m benchmarks.relay.allocate [--rounds 5]
"""

from __future__ import annotations

import contextlib
import functools
import statistics
from collections.abc import Iterator

from benchmarks.table import Row, print_rows

from . import servers
from .flow import Way, client_socket
from .servers import Server
from .session import Session
from .transports import pinned

ALLOCATIONS = 150


def rows(rounds: int) -> Iterator[Row]:
    with pinned(), servers.both() as pair:
        for server in pair:
            _microseconds(server)
        measured = [[_microseconds(server) for server in pair] for _ in range(rounds)]
    ours, peer = (statistics.median(column) for column in zip(*measured, strict=True))
    yield Row(
        "relay: authenticated Allocate, CPU",
        f"{ours:.0f} us",
        f"coturn {peer:.0f} us",
        statistics.median(mine / theirs for mine, theirs in measured),
        must_hold=1.0,
        aim=0.6,
        lower_is_better=True,
    )


def _microseconds(server: Server) -> float:
    """For one client: each has a port of its own, and none is freed meanwhile."""
    connect = functools.partial(client_socket, server, Way.CHANNEL)
    with contextlib.ExitStack() as stack:
        before = server.cpu_seconds()
        sessions = [stack.enter_context(Session.open(connect)) for _ in range(ALLOCATIONS)]
        used = server.cpu_seconds() - before
        assert len({session.relayed for session in sessions}) == ALLOCATIONS
    return used / ALLOCATIONS * 1e6


if __name__ == "__main__":
    print_rows(__doc__, rows)
