from __future__ import annotations

from transport import TokenBucket


def taken(bucket: TokenBucket, now: float) -> int:
    count = 0
    while bucket.take(now):
        count += 1
    return count


def test_a_burst_goes_at_once_and_the_rest_comes_with_time() -> None:
    bucket = TokenBucket(2.0, 5.0, 100.0)

    assert [taken(bucket, now) for now in (100.0, 100.25, 100.5, 103.0, 1000.0)] == [5, 0, 1, 5, 5]


def test_it_is_full_as_soon_as_forgetting_it_would_give_nobody_more() -> None:
    bucket = TokenBucket(2.0, 5.0, 0.0)
    assert bucket.is_full(0.0)

    bucket.take(0.0)

    assert not bucket.is_full(0.25)
    assert bucket.is_full(0.5)
