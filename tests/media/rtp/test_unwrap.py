from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import SequenceUnwrapper, TimestampUnwrapper


@pytest.mark.requirement("sdp-media:RTP02")
@given(st.integers(0, 0xFFFF), st.lists(st.integers(-0x3FFF, 0x7FFF), max_size=200))
def test_sequence_numbers_come_out_as_a_64_bit_counter_has_them(
    start: int, steps: list[int]
) -> None:
    unwrapper = SequenceUnwrapper()
    highest = start
    assert unwrapper.unwrap(start) == start
    for step in steps:
        true = highest + step
        highest = max(highest, true)

        assert unwrapper.unwrap(true & 0xFFFF) == true
        assert unwrapper.highest == highest


def test_there_is_no_highest_before_the_first() -> None:
    assert SequenceUnwrapper().highest is None


def test_a_number_from_before_the_first_wrap_comes_out_below_zero() -> None:
    unwrapper = SequenceUnwrapper()

    assert [unwrapper.unwrap(n) for n in (0, 0xFFFF, 1)] == [0, -1, 1]


@pytest.mark.requirement("sdp-media:RTP03")
def test_timestamps_count_on_through_26_hours_of_video() -> None:
    unwrapper = TimestampUnwrapper()
    seconds = range(0, 26 * 3600, 60)

    unwrapped = [unwrapper.unwrap(second * 90_000 & 0xFFFFFFFF) for second in seconds]

    assert unwrapped == [second * 90_000 for second in seconds]
