from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.loss import KeyframeRequested, LossRecovery, NackRequested
from transport import Event


def events(recovery: LossRecovery) -> list[Event]:
    found = []
    while (event := recovery.poll_event()) is not None:
        found.append(event)
    return found


def run(recovery: LossRecovery, *, until: float) -> list[tuple[float, Event]]:
    """Let time pass; returns what was asked for, and when."""
    found = [(0.0, event) for event in events(recovery)]
    while (now := recovery.next_timeout()) is not None and now <= until:
        recovery.handle_timeout(now)
        found += [(round(now, 6), event) for event in events(recovery)]
        deadline = recovery.next_timeout()
        assert deadline is None or deadline > now
    return found


@pytest.mark.requirement("sdp-media:REC04")
def test_a_gap_is_asked_for_after_the_reorder_tolerance_then_each_round_trip_then_given_up() -> (
    None
):
    recovery = LossRecovery(rtt=0.1, max_wait=0.5)
    recovery.received(10, 0.0)
    recovery.received(12, 0.0)

    nack = NackRequested((11,))
    assert run(recovery, until=0.9) == [
        (0.01, nack),
        (0.11, nack),
        (0.21, nack),
        (0.31, nack),
        (0.41, nack),
        (0.5, KeyframeRequested()),
    ]
    assert recovery.packets_given_up == 1


@pytest.mark.requirement("sdp-media:REC04")
def test_a_packet_is_asked_for_ten_times_at_most() -> None:
    recovery = LossRecovery(rtt=0.03, max_wait=10.0)
    recovery.received(10, 0.0)
    recovery.received(12, 0.0)

    asked = run(recovery, until=0.5)

    assert [round(now, 2) for now, event in asked if isinstance(event, NackRequested)] == [
        0.01, 0.04, 0.07, 0.1, 0.13, 0.16, 0.19, 0.22, 0.25, 0.28,
    ]  # fmt: skip
    assert asked[-1] == (0.31, KeyframeRequested())


@pytest.mark.requirement("sdp-media:REC04")
def test_a_packet_that_is_only_late_is_not_asked_for() -> None:
    recovery = LossRecovery()
    recovery.received(10, 0.0)
    recovery.received(12, 0.001)
    recovery.received(11, 0.009)

    assert run(recovery, until=10.0) == []
    assert recovery.packets_recovered == 0


@pytest.mark.requirement("sdp-media:REC04")
def test_a_retransmission_ends_the_asking() -> None:
    recovery = LossRecovery(rtt=0.1)
    recovery.received(65_534, 0.0)
    recovery.received(1, 0.0)
    recovery.handle_timeout(0.01)
    recovery.received(65_535, 0.06)
    recovery.received(0, 0.06)

    assert events(recovery) == [NackRequested((65_535, 0))]
    assert recovery.next_timeout() is None
    assert recovery.packets_recovered == 2


@pytest.mark.requirement("sdp-media:REC04")
def test_several_gaps_due_together_are_one_nack_in_order() -> None:
    recovery = LossRecovery()
    for number in (10, 13, 15):
        recovery.received(number, 0.0)
    recovery.handle_timeout(0.01)

    assert events(recovery) == [NackRequested((11, 12, 14))]
    assert (recovery.nacks_sent, recovery.packets_nacked) == (1, 3)


@pytest.mark.requirement("sdp-media:REC04")
def test_a_keyframe_is_asked_for_again_until_it_comes() -> None:
    recovery = LossRecovery()
    recovery.keyframe_needed(0.0)
    recovery.keyframe_needed(0.1)

    assert run(recovery, until=1.2) == [
        (0.0, KeyframeRequested()),
        (0.5, KeyframeRequested()),
        (1.0, KeyframeRequested()),
    ]
    recovery.keyframe_received()
    assert recovery.next_timeout() is None
    assert recovery.keyframes_requested == 3


@pytest.mark.requirement("sdp-media:REC04")
def test_what_the_jitter_buffer_skips_is_given_up_and_needs_a_keyframe() -> None:
    recovery = LossRecovery()
    for number in (65_534, 1, 3):
        recovery.received(number, 0.0)
    recovery.skipped(1, 0.005)
    recovery.handle_timeout(0.01)

    assert events(recovery) == [KeyframeRequested(), NackRequested((2,))]
    assert recovery.packets_given_up == 2


def test_what_is_missing_between_the_first_to_arrive_and_one_before_it_is_asked_for() -> None:
    recovery = LossRecovery()
    recovery.received(1, 0.0)
    recovery.received(65_534, 0.005)
    recovery.received(65_530, 0.02)
    recovery.handle_timeout(0.02)

    assert events(recovery) == [NackRequested((65_535, 0))]


def test_skipping_nothing_that_is_missing_needs_no_keyframe() -> None:
    recovery = LossRecovery()
    recovery.skipped(5, 0.0)
    recovery.received(10, 0.0)
    recovery.skipped(10, 0.0)

    assert events(recovery) == []


@pytest.mark.parametrize("jump", [1002, 5000])
def test_an_outage_needs_a_keyframe_and_no_thousand_nacks(jump: int) -> None:
    recovery = LossRecovery()
    recovery.received(10, 0.0)
    recovery.received(12, 0.0)
    recovery.received(12 + jump, 0.0)

    assert events(recovery) == [KeyframeRequested()]
    recovery.handle_timeout(0.01)
    assert events(recovery) == []
    assert recovery.packets_given_up == 1


@pytest.mark.parametrize("rtt", [0.0, 0.001])
def test_an_unmeasurably_short_round_trip_does_not_spin(rtt: float) -> None:
    recovery = LossRecovery(rtt=rtt)
    recovery.received(10, 0.0)
    recovery.received(12, 0.0)

    times = [now for now, event in run(recovery, until=0.05) if isinstance(event, NackRequested)]

    assert times == [0.01, 0.03, 0.05]


@pytest.mark.requirement("sdp-media:REC04")
@given(st.sets(st.integers(1, 200), max_size=100), st.integers(0, 0xFFFF))
def test_exactly_what_is_missing_is_asked_for(lost: set[int], first: int) -> None:
    recovery = LossRecovery()
    for number in range(202):
        if number not in lost:
            recovery.received((first + number) & 0xFFFF, 0.0)
    recovery.handle_timeout(0.01)

    asked = {number for event in events(recovery) for number in numbers(event)}

    assert asked == {(first + number) & 0xFFFF for number in lost}


def numbers(event: Event) -> tuple[int, ...]:
    return event.sequence_numbers if isinstance(event, NackRequested) else ()
