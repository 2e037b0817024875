from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.history import ResendRefusal, SendHistory

TARGET = 4_000_000  # 20 % are 100 kB/s; half a second of that is saved up at most


def filled(count: int = 10, *, max_age: float = 2.0, rtt: float = 0.1) -> SendHistory[str]:
    history: SendHistory[str] = SendHistory(target_bps=TARGET, max_age=max_age, rtt=rtt)
    for number in range(count):
        history.store(number, f"packet {number}", 1000, now=0.0)
    return history


@pytest.mark.requirement("sdp-media:REC03")
def test_a_packet_that_was_sent_can_be_sent_again() -> None:
    history = filled()

    assert history.take_for_resend(3, now=0.5) == "packet 3"
    assert (history.resent_packets, history.resent_bytes) == (1, 1000)


@pytest.mark.requirement("sdp-media:REC03")
def test_a_packet_is_sent_again_once_per_round_trip_or_little_less() -> None:
    history = filled(rtt=0.1)

    answers = [history.take_for_resend(3, now) for now in (0.5, 0.55, 0.574, 0.58)]

    assert answers == ["packet 3", ResendRefusal.TOO_SOON, ResendRefusal.TOO_SOON, "packet 3"]


@pytest.mark.requirement("sdp-media:REC03")
def test_a_packet_is_kept_for_its_age_and_no_longer() -> None:
    history = filled(max_age=1.0)

    assert history.take_for_resend(3, now=1.0) == "packet 3"
    assert history.take_for_resend(4, now=1.01) is ResendRefusal.TOO_OLD


@pytest.mark.requirement("sdp-media:REC03")
def test_the_last_1024_packets_are_kept_at_least() -> None:
    history: SendHistory[int] = SendHistory(target_bps=1e9, capacity=1024)
    for number in range(65_000, 65_000 + 1025):
        history.store(number & 0xFFFF, number, 100, now=0.0)

    kept = [history.take_for_resend(number & 0xFFFF, 0.1) for number in range(65_001, 66_025)]

    assert kept == list(range(65_001, 66_025))
    assert history.take_for_resend(65_000, 0.1) is ResendRefusal.UNKNOWN


@pytest.mark.requirement("sdp-media:REC03")
def test_retransmissions_take_at_most_a_fifth_of_the_target() -> None:
    history = filled(2000, max_age=100.0)
    resent = 0

    for tick in range(1000):  # ten seconds, everything asked for all the time
        answer = history.take_for_resend(tick, now=tick / 100)
        resent += 1000 if isinstance(answer, str) else 0
        answer = history.take_for_resend(tick + 1000, now=tick / 100)
        resent += 1000 if isinstance(answer, str) else 0

    budget = 0.2 * TARGET / 8
    assert 9.9 * budget <= resent <= 10.5 * budget
    assert history.refused[ResendRefusal.OVER_BUDGET] == 2000 - resent // 1000


def test_a_lower_target_cuts_what_was_saved_up() -> None:
    history = filled()
    history.set_target(16_000, now=0.1)  # 20 % of half a second: 200 bytes

    assert history.take_for_resend(1, now=0.1) is ResendRefusal.OVER_BUDGET


def test_a_number_used_again_is_a_new_packet() -> None:
    history = filled(rtt=10.0)
    history.take_for_resend(3, now=0.1)
    history.store(3, "the next round", 1000, now=0.2)

    assert history.take_for_resend(3, now=0.3) == "the next round"


def test_what_was_never_sent_or_was_cleared_is_unknown() -> None:
    history = filled()
    history.clear()

    assert history.take_for_resend(3, now=0.1) is ResendRefusal.UNKNOWN
    assert history.take_for_resend(99, now=0.1) is ResendRefusal.UNKNOWN
    assert history.refused == {ResendRefusal.UNKNOWN: 2}


@pytest.mark.parametrize(
    "options", [{"capacity": 1000}, {"capacity": 512}, {"capacity": 65_536}, {"max_age": 0.9}]
)
def test_bounds_below_the_promise_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not "):
        SendHistory(target_bps=TARGET, **options)


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.booleans()), max_size=60))
def test_what_comes_back_is_what_was_stored_last_under_that_number(
    steps: list[tuple[int, bool]],
) -> None:
    history: SendHistory[int] = SendHistory(target_bps=1e9, rtt=0.0, capacity=1024)
    stored: dict[int, int] = {}

    for index, (number, is_store) in enumerate(steps):
        if is_store:
            history.store(number, index, 10, now=0.0)
            stored[number] = index
        else:
            answer = history.take_for_resend(number, now=0.0)
            assert answer is ResendRefusal.UNKNOWN or answer == stored[number]


@given(st.integers(0, 0xFFFF), st.integers(1, 60))
def test_a_run_is_stored_as_its_packets_one_by_one(start: int, count: int) -> None:
    at_once: SendHistory[int] = SendHistory(target_bps=1e9, rtt=0.0, capacity=1024)
    one_by_one: SendHistory[int] = SendHistory(target_bps=1e9, rtt=0.0, capacity=1024)
    numbers = [number & 0xFFFF for number in range(start, start + count)]

    at_once.store_run(start, numbers, [10] * count, now=0.0)
    for number in numbers:
        one_by_one.store(number, number, 10, now=0.0)

    for number in range(0x10000):
        if (number - start) & 0xFFFF < count + 5:
            answer = at_once.take_for_resend(number, now=0.1)
            assert answer == one_by_one.take_for_resend(number, now=0.1)


def test_a_run_in_place_of_resent_packets_may_be_resent_at_once() -> None:
    history: SendHistory[int] = SendHistory(target_bps=TARGET, capacity=1024)
    history.store_run(0, [0, 1, 2], [10] * 3, now=0.0)
    assert history.take_for_resend(1, now=0.2) == 1

    history.store_run(1024, [10, 11, 12], [10] * 3, now=0.21)

    assert history.take_for_resend(1025, now=0.22) == 11
