"""RFC 3264 section 6.1: what may answer a direction."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdp import Direction

BOTH, SEND, RECEIVE, NEITHER = (
    Direction.SENDRECV,
    Direction.SENDONLY,
    Direction.RECVONLY,
    Direction.INACTIVE,
)

ANSWERS = [
    (BOTH, BOTH, BOTH),
    (BOTH, SEND, SEND),
    (BOTH, RECEIVE, RECEIVE),
    (BOTH, NEITHER, NEITHER),
    (SEND, BOTH, RECEIVE),
    (SEND, SEND, NEITHER),
    (SEND, RECEIVE, RECEIVE),
    (SEND, NEITHER, NEITHER),
    (RECEIVE, BOTH, SEND),
    (RECEIVE, SEND, SEND),
    (RECEIVE, RECEIVE, NEITHER),
    (RECEIVE, NEITHER, NEITHER),
    (NEITHER, BOTH, NEITHER),
    (NEITHER, SEND, NEITHER),
    (NEITHER, RECEIVE, NEITHER),
    (NEITHER, NEITHER, NEITHER),
]


@pytest.mark.requirement("sdp-media:SDP-O02")
@pytest.mark.parametrize(("offered", "wanted", "answer"), ANSWERS)
def test_an_answer_takes_what_the_offer_gives_and_we_want(
    offered: Direction, wanted: Direction, answer: Direction
) -> None:
    assert offered.answered(wanted) is answer


@given(st.sampled_from(Direction), st.sampled_from(Direction))
def test_directions_are_sets_of_two(one: Direction, other: Direction) -> None:
    assert one.reversed.reversed is one
    assert (one & other).sends == (one.sends and other.sends)
    assert (one | other).receives == (one.receives or other.receives)
