"""Priorities (RFC 8445 sections 5.1.2 and 6.1.2.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ice import CandidateType
from ice.priority import TYPE_PREFERENCES, as_peer_reflexive, candidate_priority, pair_priority

priorities = st.integers(1, 2**31 - 1)


@pytest.mark.requirement("ice:P01")
@pytest.mark.requirement("ice:P04")
@pytest.mark.parametrize(
    ("kind", "priority"),
    [
        (CandidateType.HOST, 2130706431),
        (CandidateType.PEER_REFLEXIVE, 1862270975),
        (CandidateType.SERVER_REFLEXIVE, 1694498815),
        (CandidateType.RELAYED, 16777215),
    ],
)
def test_the_priority_of_a_single_address(kind: CandidateType, priority: int) -> None:
    assert candidate_priority(kind, 65535, 1) == priority


@pytest.mark.requirement("ice:P02")
@given(st.sampled_from(CandidateType), st.integers(0, 65535), st.integers(1, 255))
def test_priorities_are_in_range_and_ordered_by_type_first(
    kind: CandidateType, preference: int, component: int
) -> None:
    priority = candidate_priority(kind, preference, component)

    assert 1 <= priority <= 2**31 - 1
    assert priority >> 24 == TYPE_PREFERENCES[kind]


@pytest.mark.requirement("ice:P03")
def test_type_preferences_differ_and_peer_reflexive_beats_server_reflexive() -> None:
    values = list(TYPE_PREFERENCES.values())

    assert len(set(values)) == len(CandidateType) == len(values)
    assert all(0 <= value <= 126 for value in values)
    assert (
        TYPE_PREFERENCES[CandidateType.PEER_REFLEXIVE]
        > TYPE_PREFERENCES[CandidateType.SERVER_REFLEXIVE]
    )


@pytest.mark.requirement("ice:P07")
@given(st.sampled_from(CandidateType), st.integers(0, 65535), st.integers(1, 256))
def test_a_check_states_the_priority_as_peer_reflexive(
    kind: CandidateType, preference: int, component: int
) -> None:
    expected = candidate_priority(CandidateType.PEER_REFLEXIVE, preference, component)

    assert as_peer_reflexive(candidate_priority(kind, preference, component)) == expected


@pytest.mark.requirement("ice:L04")
@pytest.mark.parametrize(
    ("controlling", "controlled", "priority"),
    [
        (2130706431, 2130706431, 0x7EFFFFFFFDFFFFFE),
        (2130706431, 1694498815, 0x64FFFFFFFDFFFFFF),
        (1694498815, 2130706431, 0x64FFFFFFFDFFFFFE),
        (1, 2, 0x100000004),
    ],
)
def test_the_priority_of_a_pair(controlling: int, controlled: int, priority: int) -> None:
    assert pair_priority(controlling, controlled) == priority


@pytest.mark.requirement("ice:H05")
@given(st.lists(st.tuples(priorities, priorities), max_size=20))
def test_both_sides_order_pairs_alike(pairs: list[tuple[int, int]]) -> None:
    """Each side puts its own priority in its own place; the numbers agree."""
    ours = [pair_priority(controlling, controlled) for controlling, controlled in pairs]
    theirs = [pair_priority(*pair) for pair in pairs]

    assert sorted(ours) == sorted(theirs)
    assert all(priority < 2**64 for priority in ours)
