"""Compares relays: CPU per delivered packet, interleaved on one core, medians of ratios.

python -m benchmarks.relay [--rounds 5] [--seconds 1] [--only saturated]
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import sys
from collections.abc import Sequence

from . import servers
from .flow import Flow
from .mmsg import pin
from .sample import Sample, cpu_ratio, flows_through, middle, take_turns
from .servers import Server
from .shapes import SHAPES, Direction, Shape

TARGETS = {"saturated": (0.75, 0.55), "video": (0.95, 0.75), "light": (1.25, 1.0)}
"""By the first word of a shape: the ratio that must hold, and the one to aim at."""


def compare(
    pair: Sequence[Server],
    opened: Sequence[Sequence[Flow]],
    shape: Shape,
    direction: Direction,
    options: argparse.Namespace,
) -> str:
    """One row of the table."""
    rounds = take_turns(
        pair, opened, shape, direction, rounds=options.rounds, seconds=options.seconds
    )
    columns = [_column(middle(samples)) for samples in zip(*rounds, strict=True)]
    row = f"{shape.name:27}{direction.value:5}" + "".join(columns)
    if len(pair) > 1:
        ratio = cpu_ratio(rounds)
        limit, aim = TARGETS[shape.name.split()[0].strip(",")]
        verdict = "aim" if ratio <= aim else "holds" if ratio <= limit else "MISSED"
        row += f"{ratio:7.2f}x  {verdict} (<= {limit}, aim {aim})"
    return row


def _column(sample: Sample) -> str:
    rate = sample.packets_per_second / 1000
    lost = sample.lost * 100
    return (
        f"{sample.microseconds:7.2f} us {rate:5.0f} k/s {lost:4.1f} % {sample.slowest_share:5.2f} |"
    )


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
