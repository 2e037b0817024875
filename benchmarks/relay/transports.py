"""CPU per relayed packet over IPv6, with Send and Data indications, over TURN/TCP and TURN/TLS,
against coturn (``apt-get install coturn``).

Saturated as in ``python -m benchmarks.relay``: 16 flows, bursts of 4, both ways. Over TLS each
message is a record of its own, over TCP a burst is one write.

    python -m benchmarks.relay.transports [--rounds 5]
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from benchmarks.table import Row, print_rows

from . import servers
from .flow import Way
from .mmsg import pin
from .sample import Sample, cpu_ratio, flows_through, middle, take_turns
from .shapes import Direction, Saturated

SECONDS = 0.2
SIZES = (172, 1200)

WAYS = (
    (Way.IPV6, "over IPv6", 1.0, 0.6),
    (Way.INDICATIONS, "with indications", 1.5, 1.0),
    (Way.TCP, "over TCP", 1.5, 1.0),
    (Way.TLS, "over TLS", 1.5, 1.0),
)
"""Each with the ratio that must hold, and the one to aim at."""


def rows(rounds: int) -> Iterator[Row]:
    with pinned(), servers.both(on_every_way=True) as pair:
        for way, name, must_hold, aim in WAYS:
            with flows_through(pair, 16, way) as opened:
                for size in SIZES:
                    for direction in Direction:
                        shape = Saturated(name, size)
                        samples = take_turns(
                            pair, opened, shape, direction, rounds=rounds, seconds=SECONDS
                        )
                        ours, peer = (middle(column) for column in zip(*samples, strict=True))
                        yield Row(
                            f"relay {name}, {size} B, {direction.value}",
                            _figure(ours),
                            f"coturn {_figure(peer)}",
                            cpu_ratio(samples),
                            must_hold=must_hold,
                            aim=aim,
                            lower_is_better=True,
                        )


def _figure(sample: Sample) -> str:
    lost = f", {sample.lost:.1%} lost" if sample.lost >= 0.001 else ""
    return f"{sample.microseconds:.2f} us{lost}"


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """The load, meanwhile, on a core that is not the relay's."""
    before = os.sched_getaffinity(0)
    pin(servers.LOAD_CORE)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    print_rows(__doc__, rows)
