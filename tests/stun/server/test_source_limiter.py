"""How many answers go to one network (SEC-09)."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from stun.server import SourceLimiter
from stun.server.source_limiter import MAX_NETWORKS, UNPROVEN_BURST, UNPROVEN_RATE


def probe(limiter: SourceLimiter, host: str, now: float) -> bool:
    return limiter.allows(ip_address(host), now)


def burst(limiter: SourceLimiter, host: str, now: float) -> int:
    """How many answers go out one after the other."""
    count = 0
    while probe(limiter, host, now) and count < 1000:
        count += 1
    return count


@pytest.mark.requirement("stun-turn:SEC-09")
def test_a_network_has_a_burst_and_then_a_rate() -> None:
    limiter = SourceLimiter()

    assert burst(limiter, "192.0.2.1", 100.0) == UNPROVEN_BURST
    assert burst(limiter, "192.0.2.77", 100.0) == 0
    assert burst(limiter, "192.0.3.1", 100.0) == UNPROVEN_BURST
    assert burst(limiter, "192.0.2.1", 101.0) == UNPROVEN_RATE
    assert burst(limiter, "192.0.2.1", 200.0) == UNPROVEN_BURST


@pytest.mark.requirement("stun-turn:SEC-09")
def test_the_network_of_an_ipv6_source_is_a_64() -> None:
    limiter = SourceLimiter()
    burst(limiter, "2001:db8:0:1::1", 0.0)

    assert not probe(limiter, "2001:db8:0:1:ffff::1", 0.0)
    assert probe(limiter, "2001:db8:0:2::1", 0.0)


@pytest.mark.requirement("stun-turn:SEC-11")
def test_networks_beyond_the_bound_share_one_bucket() -> None:
    limiter = SourceLimiter()
    for number in range(MAX_NETWORKS):
        probe(limiter, f"{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.1", 10.0)

    assert burst(limiter, "100.0.0.1", 10.0) == UNPROVEN_BURST
    assert burst(limiter, "100.0.1.1", 10.0) == 0
    # The oldest has been quiet for long enough, and makes room.
    assert burst(limiter, "100.0.2.1", 15.0) == UNPROVEN_BURST
