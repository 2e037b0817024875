"""The order in which the servers of SRV records are tried (RFC 2782)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from transport import RandomBytes

from .records import SrvRecord

_RANDOM_BYTES = 8


def order_services(records: Iterable[SrvRecord], random_bytes: RandomBytes) -> list[SrvRecord]:
    """By priority, the lowest first; among equals by chance, as their weights say."""
    by_priority = sorted(records, key=lambda record: record.priority)
    return [
        record
        for _, equals in itertools.groupby(by_priority, key=lambda record: record.priority)
        for record in _draw(list(equals), random_bytes)
    ]


def _draw(records: list[SrvRecord], random_bytes: RandomBytes) -> Iterator[SrvRecord]:
    # Those without weight stand first: the draw of 0 alone takes one of them.
    left = sorted(records, key=lambda record: record.weight > 0)
    while left:
        sums = list(itertools.accumulate(record.weight for record in left))
        drawn = int.from_bytes(random_bytes(_RANDOM_BYTES), "big") % (sums[-1] + 1)
        place = next(place for place, running in enumerate(sums) if running >= drawn)
        yield left.pop(place)
