"""Counting allocations."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stun import ErrorNumber
from turn.server.quotas import Quotas

ids = st.sampled_from(["a", "b", None])


@given(st.lists(st.tuples(st.booleans(), ids), max_size=60))
def test_no_id_and_no_sum_exceeds_its_bound(steps: list[tuple[bool, str | None]]) -> None:
    quotas = Quotas(per_id=3, total=7)
    held: list[str | None] = []
    for takes, quota_id in steps:
        if not takes:
            if quota_id in held:
                held.remove(quota_id)
                quotas.give_back(quota_id)
            continue
        error = quotas.take(quota_id)
        if quota_id is not None and held.count(quota_id) == 3:
            assert error is ErrorNumber.ALLOCATION_QUOTA_REACHED
        elif len(held) == 7:
            assert error is ErrorNumber.INSUFFICIENT_CAPACITY
        else:
            assert error is None
            held.append(quota_id)
