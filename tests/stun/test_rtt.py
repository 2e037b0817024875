from __future__ import annotations

import ipaddress

import pytest

from stun import RtoCache, RttEstimator
from stun.rtt import MAX_RTO, MAX_SERVERS

SERVER = ipaddress.ip_address("192.0.2.1")


@pytest.mark.requirement("stun-turn:STUNC-UDP-01")
def test_the_first_rto_is_half_a_second() -> None:
    assert RttEstimator().rto == 0.5
    assert RtoCache().rto(SERVER, 0) == 0.5


@pytest.mark.requirement("stun-turn:STUNC-UDP-05")
def test_samples_are_smoothed_as_rfc_6298_says() -> None:
    estimator = RttEstimator()

    estimator.sample(1.0)
    first = estimator.rto
    estimator.sample(2.0)

    assert first == 3.0  # 1 + 4 * 0.5
    assert estimator.rto == 1.125 + 4 * 0.625


@pytest.mark.requirement("stun-turn:STUNC-UDP-05")
def test_the_rto_is_kept_to_the_millisecond() -> None:
    estimator = RttEstimator(minimum=0.001)
    for _ in range(200):
        estimator.sample(0.123)

    assert estimator.rto == pytest.approx(0.124)


def test_the_rto_stays_between_its_bounds() -> None:
    estimator = RttEstimator()

    estimator.sample(0.001)
    low = estimator.rto
    estimator.sample(1000)

    assert (low, estimator.rto) == (0.5, MAX_RTO)


@pytest.mark.requirement("stun-turn:STUNC-UDP-06")
def test_the_estimate_of_a_server_is_kept_for_ten_minutes_of_silence() -> None:
    cache = RtoCache()
    cache.completed(SERVER, 1.0, 0)

    kept, discarded = cache.rto(SERVER, 600), cache.rto(SERVER, 600.1)

    assert (kept, discarded) == (3.0, 0.5)


@pytest.mark.requirement("stun-turn:STUNC-UDP-05")
@pytest.mark.requirement("stun-turn:STUNC-UDP-06")
def test_a_retransmitted_transaction_keeps_an_estimate_alive_without_changing_it() -> None:
    cache = RtoCache()
    cache.completed(SERVER, 1.0, 0)

    cache.completed(SERVER, None, 500)

    assert cache.rto(SERVER, 1000) == 3.0


def test_a_stale_estimate_is_begun_anew() -> None:
    cache = RtoCache()
    cache.completed(SERVER, 10.0, 0)

    cache.completed(SERVER, 1.0, 700)

    assert cache.rto(SERVER, 700) == 3.0


def test_the_server_longest_unused_is_forgotten_first() -> None:
    cache = RtoCache()
    for number in range(MAX_SERVERS):
        cache.completed(ipaddress.ip_address(number), 1.0, 0)
    cache.completed(ipaddress.ip_address(0), 1.0, 0)

    cache.completed(SERVER, 1.0, 0)

    assert len(cache) == MAX_SERVERS
    assert cache.rto(ipaddress.ip_address(0), 0) > 0.5
    assert cache.rto(ipaddress.ip_address(1), 0) == 0.5
