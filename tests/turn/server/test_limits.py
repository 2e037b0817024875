"""What strangers may have sent to an address that they may have forged."""

from __future__ import annotations

import pytest

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
