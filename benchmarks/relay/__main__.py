"""Compares relays: CPU per delivered packet, interleaved on one core, medians of ratios.

python -m benchmarks.relay [--rounds 5] [--seconds 1] [--only saturated]
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import gc
import statistics
import sys
from collections.abc import Iterator, Sequence

from . import servers
from .mmsg import pin
from .servers import Server
from .session import Flow
from .shapes import SHAPES, Direction, Shape, open_flows

TARGETS = {"saturated": (0.75, 0.55), "video": (0.95, 0.75), "light": (1.25, 1.0)}
"""By the first word of a shape: the ratio that must hold, and the one to aim at."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """One run of one relay."""

    microseconds: float
    """Of CPU per delivered packet."""
    packets_per_second: float
    lost: float
    slowest_share: float


def measure(
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


@contextlib.contextmanager
def flows_through(all_servers: Sequence[Server], count: int) -> Iterator[list[list[Flow]]]:
    opened = [open_flows(server.address, count) for server in all_servers]
    try:
        yield opened
    finally:
        for flow in (flow for flows in opened for flow in flows):
            flow.close()


def compare(
    pair: Sequence[Server],
    opened: Sequence[Sequence[Flow]],
    shape: Shape,
    direction: Direction,
    options: argparse.Namespace,
) -> str:
    """One row of the table."""
    for server, flows in zip(pair, opened, strict=True):
        measure(server, flows, shape, direction, 0.2)
    rounds = [
        [
            measure(server, flows, shape, direction, options.seconds)
            for server, flows in zip(pair, opened, strict=True)
        ]
        for _ in range(options.rounds)
    ]
    columns = [_column(samples) for samples in zip(*rounds, strict=True)]
    row = f"{shape.name:27}{direction.value:5}" + "".join(columns)
    if len(pair) > 1:
        ratio = statistics.median(ours.microseconds / peer.microseconds for ours, peer in rounds)
        limit, aim = TARGETS[shape.name.split()[0].strip(",")]
        verdict = "aim" if ratio <= aim else "holds" if ratio <= limit else "MISSED"
        row += f"{ratio:7.2f}x  {verdict} (<= {limit}, aim {aim})"
    return row


def _column(samples: Sequence[Sample]) -> str:
    middle = statistics.median
    microseconds = middle(sample.microseconds for sample in samples)
    rate = middle(sample.packets_per_second for sample in samples)
    lost = middle(sample.lost for sample in samples)
    share = middle(sample.slowest_share for sample in samples)
    return f"{microseconds:7.2f} us {rate / 1000:5.0f} k/s {lost * 100:4.1f} % {share:5.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relay", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--only", default="", help="shapes whose name has this in it")
    parser.add_argument("--alone", action="store_true", help="our relay without a peer")
    options = parser.parse_args()
    pin(servers.LOAD_CORE)
    with contextlib.ExitStack() as stack:
        pair = [stack.enter_context(servers.hairpin())]
        if not options.alone:
            try:
                pair.append(stack.enter_context(servers.coturn()))
            except FileNotFoundError as error:
                print(error, file=sys.stderr)
        head = "".join(f"{server.name:>10}   delivered  lost share |" for server in pair)
        print(f"{'CPU per delivered packet':32}{head}   ratio")
        gc.freeze()
        for shape in SHAPES:
            if options.only not in shape.name:
                continue
            with flows_through(pair, shape.flows) as opened:
                for direction in Direction:
                    print(compare(pair, opened, shape, direction, options), flush=True)


if __name__ == "__main__":
    main()
