"""Measuring one relay, and the other, round after round."""

from __future__ import annotations

import contextlib
import dataclasses
import statistics
from collections.abc import Iterator, Sequence

from .flow import Flow, Way
from .servers import Server
from .shapes import Direction, Shape

WARM_UP = 0.1
"""Seconds."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """One run of one relay, or the middle of several."""

    microseconds: float
    """Of CPU per delivered packet."""
    packets_per_second: float
    lost: float
    slowest_share: float


@contextlib.contextmanager
def flows_through(
    all_servers: Sequence[Server], count: int, way: Way = Way.CHANNEL
) -> Iterator[list[list[Flow]]]:
    """So many flows through each server."""
    with contextlib.ExitStack() as stack:
        yield [
            [stack.enter_context(Flow(server, way)) for _ in range(count)] for server in all_servers
        ]


def take_turns(
    all_servers: Sequence[Server],
    opened: Sequence[Sequence[Flow]],
    shape: Shape,
    direction: Direction,
    *,
    rounds: int,
    seconds: float,
) -> list[list[Sample]]:
    """For each round a sample of each server."""
    pairs = list(zip(all_servers, opened, strict=True))
    for server, flows in pairs:
        _measure(server, flows, shape, direction, WARM_UP)
    return [
        [_measure(server, flows, shape, direction, seconds) for server, flows in pairs]
        for _ in range(rounds)
    ]


def middle(samples: Sequence[Sample]) -> Sample:
    """Of each figure."""
    columns = zip(*(dataclasses.astuple(sample) for sample in samples), strict=True)
    return Sample(*map(statistics.median, columns))


def cpu_ratio(rounds: Sequence[Sequence[Sample]]) -> float:
    """What the first takes of what the second does."""
    return statistics.median(ours.microseconds / peer.microseconds for ours, peer in rounds)


def _measure(
    server: Server, flows: Sequence[Flow], shape: Shape, direction: Direction, seconds: float
) -> Sample:
    before = server.cpu_seconds()
    count = shape.run(flows, direction, seconds)
    used = server.cpu_seconds() - before
    assert count.delivered, f"{server.name} delivered nothing"
    return Sample(
        used / count.delivered * 1e6,
        count.delivered / count.seconds,
        max(0.0, 1 - count.delivered / count.sent),
        count.slowest_share,
    )
