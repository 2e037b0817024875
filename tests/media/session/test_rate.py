from __future__ import annotations

import pytest

from media.session.rate import MAX_ENTRIES, RateMeter


def test_the_rate_is_that_of_the_media_whatever_the_clock() -> None:
    meter = RateMeter()
    for index in range(60):
        meter.add(10_000, index / 30)

    assert meter.bits_per_second == pytest.approx(10_000 * 8 * 30)


def test_there_is_no_rate_before_half_a_second() -> None:
    meter = RateMeter()
    assert meter.bits_per_second == 0
    for index in range(15):
        meter.add(10_000, index / 30)

    assert meter.bits_per_second == 0


def test_only_the_last_two_seconds_count() -> None:
    meter = RateMeter()
    for index in range(300):
        meter.add(100_000 if index < 100 else 1000, index / 30)

    assert meter.bits_per_second == pytest.approx(1000 * 8 * 30)


def test_a_timeline_that_jumps_back_begins_anew() -> None:
    meter = RateMeter()
    for index in range(60):
        meter.add(10_000, 100 + index / 30)
    meter.add(10_000, 0.0)

    assert meter.bits_per_second == 0


def test_a_timeline_that_stands_still_does_not_fill_the_memory() -> None:
    meter = RateMeter()
    for _ in range(3 * MAX_ENTRIES):
        meter.add(1, 5.0)
    meter.add(1, 6.0)

    assert meter.bits_per_second == pytest.approx((MAX_ENTRIES - 1) * 8)
