"""What strangers may have sent to an address that they may have forged."""

from __future__ import annotations

import pytest

from stun.server.source_limiter import MAX_NETWORKS, UNPROVEN_BURST, UNPROVEN_RATE
from transport import Path, TransportAddress, TransportProtocol
from turn.server.limits import UnprovenLimiter

LISTENING = TransportAddress.parse("5.5.5.5", 3478)


def path(host: str, transport: TransportProtocol = TransportProtocol.UDP) -> Path:
    return Path(transport, LISTENING, TransportAddress.parse(host, 1))


def probe(limiter: UnprovenLimiter, host: str, now: float) -> bool:
    return limiter.allows(path(host), request_bytes=20, answer_bytes=112, now=now)


def burst(limiter: UnprovenLimiter, host: str, now: float) -> int:
    """How many answers go out one after the other."""
    count = 0
    while probe(limiter, host, now) and count < 1000:
        count += 1
    return count


@pytest.mark.requirement("stun-turn:SEC-09")
def test_a_network_has_a_burst_and_then_a_rate() -> None:
    limiter = UnprovenLimiter()

    assert burst(limiter, "192.0.2.1", 100.0) == UNPROVEN_BURST
    assert burst(limiter, "192.0.2.77", 100.0) == 0
    assert burst(limiter, "192.0.3.1", 100.0) == UNPROVEN_BURST
    assert burst(limiter, "192.0.2.1", 101.0) == UNPROVEN_RATE
    assert burst(limiter, "192.0.2.1", 200.0) == UNPROVEN_BURST


@pytest.mark.requirement("stun-turn:SEC-09")
def test_the_network_of_an_ipv6_source_is_a_64() -> None:
    limiter = UnprovenLimiter()
    burst(limiter, "2001:db8:0:1::1", 0.0)

    assert not probe(limiter, "2001:db8:0:1:ffff::1", 0.0)
    assert probe(limiter, "2001:db8:0:2::1", 0.0)


@pytest.mark.parametrize(
    ("host", "request_bytes", "answer_bytes", "limited"),
    [
        pytest.param("192.0.2.1", 28, 140, False, id="3-times-with-headers"),
        pytest.param("192.0.2.1", 28, 141, True, id="above"),
        pytest.param("2001:db8::1", 28, 180, False, id="3-times-over-ipv6"),
        pytest.param("2001:db8::1", 28, 181, True, id="above-over-ipv6"),
        pytest.param("192.0.2.1", 20, 60, True, id="a-header-alone"),
        pytest.param("192.0.2.1", 20, 20, False, id="a-header-for-a-header"),
    ],
)
@pytest.mark.requirement("stun-turn:SEC-09")
def test_what_is_limited(host: str, request_bytes: int, answer_bytes: int, limited: bool) -> None:
    limiter = UnprovenLimiter()
    burst(limiter, host, 0.0)

    allowed = limiter.allows(
        path(host), request_bytes=request_bytes, answer_bytes=answer_bytes, now=0.0
    )

    assert allowed is not limited


@pytest.mark.parametrize(
    "transport", [TransportProtocol.TCP, TransportProtocol.TLS, TransportProtocol.DTLS]
)
def test_a_source_that_has_shaken_hands_is_not_forged(transport: TransportProtocol) -> None:
    limiter = UnprovenLimiter()
    burst(limiter, "192.0.2.1", 0.0)

    assert limiter.allows(path("192.0.2.1", transport), request_bytes=20, answer_bytes=500, now=0.0)


@pytest.mark.requirement("stun-turn:SEC-11")
def test_networks_beyond_the_bound_share_one_bucket() -> None:
    limiter = UnprovenLimiter()
    for number in range(MAX_NETWORKS):
        probe(limiter, f"{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.1", 10.0)

    assert burst(limiter, "100.0.0.1", 10.0) == UNPROVEN_BURST
    assert burst(limiter, "100.0.1.1", 10.0) == 0
    # The oldest has been quiet for long enough, and makes room.
    assert burst(limiter, "100.0.2.1", 15.0) == UNPROVEN_BURST
