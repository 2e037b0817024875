from __future__ import annotations

import pytest

from signaling import ServiceError
from signaling.control import RateLimiter
from signaling.control.quotas import MAX_BUCKETS


def charges(limiter: RateLimiter, key: str, *, count: int, now: float) -> int:
    """How many of ``count`` uses are allowed."""
    allowed = 0
    for _ in range(count):
        try:
            limiter.charge(key, now)
        except ServiceError:
            break
        allowed += 1
    return allowed


def test_a_burst_is_allowed_and_then_the_rate() -> None:
    limiter = RateLimiter("uses", 3.0, 10.0)

    assert charges(limiter, "a", count=100, now=0.0) == 30
    assert charges(limiter, "a", count=100, now=1.0) == 3
    assert charges(limiter, "b", count=100, now=1.0) == 30


def test_too_many_is_a_limit_exceeded_that_names_the_rate() -> None:
    limiter = RateLimiter("uses", 1.0, 1.0)
    limiter.charge("a", 0.0)

    with pytest.raises(ServiceError, match="more than 1 uses a second"):
        limiter.charge("a", 0.0)


def test_only_so_many_keys_are_remembered_and_the_longest_unused_is_forgotten() -> None:
    limiter = RateLimiter("uses", 1.0, 1.0)
    limiter.charge("first", 0.0)
    limiter.charge("second", 0.0)
    for number in range(MAX_BUCKETS - 1):
        limiter.charge(number, 0.0)

    with pytest.raises(ServiceError):
        limiter.charge("second", 0.0)
    limiter.charge("first", 0.0)
