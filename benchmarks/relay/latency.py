"""The round trip through a relay under light load, against coturn (``apt-get install coturn``):
client, relay, peer, relay, client, by a channel over UDP. One datagram is under way at a time,
now through the one relay and then through the other, with a pause before each.

    python -m benchmarks.relay.latency [--rounds 5]
"""

from __future__ import annotations

import contextlib
import gc
import os
import statistics
import time
from collections.abc import Iterator, Sequence

from benchmarks.table import Row, print_rows

from . import servers
from .flow import Flow
from .transports import pinned

PINGS = 500
"""Per round: the 99th percentile is the fifth highest."""
PAUSE = 0.001
"""Seconds: more than a round trip takes, so that all sleep when the next begins."""
SIZE = 172
PERCENTILES = (50, 99)


def rows(rounds: int) -> Iterator[Row]:
    with contextlib.ExitStack() as stack:
        stack.enter_context(pinned())
        pair = stack.enter_context(servers.both())
        flows = [stack.enter_context(Flow(server)) for server in pair]
        for flow in flows:
            flow.client.settimeout(1)
            flow.peer.settimeout(1)
        gc.freeze()
        _round_trips(flows, PINGS // 5)
        measured = [_round_trips(flows, PINGS) for _ in range(rounds)]
    for percentile in PERCENTILES:
        pairs = [[_percentile(column, percentile) for column in each] for each in measured]
        ours, peer = (statistics.median(column) for column in zip(*pairs, strict=True))
        yield Row(
            f"relay: round trip, p{percentile}",
            f"{ours * 1e6:.0f} us",
            f"coturn {peer * 1e6:.0f} us",
            statistics.median(mine / theirs for mine, theirs in pairs),
            must_hold=1.25,
            aim=1.0,
            lower_is_better=True,
        )


def _round_trips(flows: Sequence[Flow], count: int) -> list[list[float]]:
    """Seconds, for each flow."""
    data = os.urandom(SIZE)
    times: list[list[float]] = [[] for _ in flows]
    for _ in range(count):
        for flow, column in zip(flows, times, strict=True):
            time.sleep(PAUSE)
            column.append(_round_trip(flow, flow.frame(data), data))
    return times


def _round_trip(flow: Flow, framed: bytes, data: bytes) -> float:
    begin = time.perf_counter()
    flow.client.send(framed)
    there = flow.peer.recv(2048)
    flow.peer.send(there)
    back = flow.client.recv(2048)
    taken = time.perf_counter() - begin
    assert there == data
    assert back == framed
    return taken


def _percentile(values: Sequence[float], percentile: int) -> float:
    return sorted(values)[len(values) * percentile // 100]


if __name__ == "__main__":
    print_rows(__doc__, rows)
