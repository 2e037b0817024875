"""The order of RFC 2782."""

from __future__ import annotations

import collections
import random

import pytest

from stun.resolution import order_services

from .zone import srv


def test_the_lowest_priority_comes_first() -> None:
    records = [srv(f"{priority}.", 1, priority=priority) for priority in (30, 10, 20)]

    ordered = order_services(records, random.Random(1).randbytes)

    assert [record.priority for record in ordered] == [10, 20, 30]


@pytest.mark.requirement("stun-turn:STUNC-DNS-05")
def test_equals_are_drawn_as_their_weights_say() -> None:
    records = [srv("light.", 1, weight=1), srv("heavy.", 1, weight=3), srv("none.", 1, weight=0)]
    random_bytes = random.Random(7).randbytes

    first = collections.Counter(
        order_services(records, random_bytes)[0].target for _ in range(2000)
    )

    # Of the numbers 0 to 4: 0 takes the record without weight, 1 the light one, 2 to 4 the heavy.
    assert 300 < first["none."] < 500
    assert 300 < first["light."] < 500
    assert 1100 < first["heavy."] < 1300


@pytest.mark.parametrize(
    ("drawn", "winner"), [(0, "none."), (1, "light."), (2, "heavy."), (4, "heavy.")]
)
def test_the_running_sum_that_reaches_the_number_drawn_wins(drawn: int, winner: str) -> None:
    records = [srv("light.", 1, weight=1), srv("heavy.", 1, weight=3), srv("none.", 1, weight=0)]

    ordered = order_services(records, lambda count: drawn.to_bytes(count, "big"))

    assert ordered[0].target == winner
    assert sorted(map(repr, ordered)) == sorted(map(repr, records))
