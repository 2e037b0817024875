"""Bounds of everything that a client can make grow, and of answers to strangers."""

from __future__ import annotations

import collections
import ipaddress
from typing import Final

from transport import IPAddress, Path, TransportProtocol

MAX_PERMISSIONS: Final = 128
"""Of one allocation. ICE checks at most 100 pairs (RFC 8445 section 6.1.2.5), so no
agent needs a permission for more peers."""

MAX_CHANNELS: Final = 128
"""Of one allocation, for the same reason."""

MAX_WAITING: Final = 512
"""Allocate requests for which a socket is being bound; a driver answers at once, so
more than this says that it is stuck."""

WAITING_TIMEOUT: Final = 10.0
"""Seconds for the driver to bind a socket; the client gives up after 39.5."""

MAX_PORT_ATTEMPTS: Final = 16
"""Ports asked for before one Allocate request is refused: with half of the range taken
by other programs, this fails once in 65,536 times."""

MAX_RESERVATIONS: Final = 256
"""Ports held for who has asked for a pair: each costs a socket, and hardly any client has
asked since RTP and RTCP share a port."""

RESERVATION_LIFETIME: Final = 30.0
"""Seconds that a port is held: the least that RFC 8656 section 7.2 allows."""

MAX_STREAMS: Final = 4096
"""Open streams: each costs a timer here and a descriptor and buffers in the driver."""

STREAM_GRACE: Final = 60.0
"""Seconds that a stream may be open without an allocation."""

MAX_NETWORKS: Final = 10_000
"""Source networks whose unauthenticated answers are counted one by one."""

UNPROVEN_BURST: Final = 50.0
UNPROVEN_RATE: Final = 10.0
"""Answers and answers per second that one /24 or /64 may have to requests that are
small beside them, so that a forged source is not flooded through us."""

MAX_AMPLIFICATION: Final = 3.0
"""Size of an answer beside that of its request, with IP and UDP headers, up to which it
is not limited."""

SMALLEST_ALLOCATE_BYTES: Final = 28
"""A header and REQUESTED-TRANSPORT; what is shorter can only be a probe or a flood."""

_HEADER_BYTES: Final = {4: 28, 6: 48}


class UnprovenLimiter:
    """Limits answers to sources that may be forged, by token buckets of source networks.

    When more networks than MAX_NETWORKS are active, the further ones share one bucket.
    """

    __slots__ = ("_buckets", "_shared")

    def __init__(self) -> None:
        self._buckets: collections.OrderedDict[int, tuple[float, float]] = collections.OrderedDict()
        self._shared = (UNPROVEN_BURST, 0.0)

    def allows(self, path: Path, *, request_bytes: int, answer_bytes: int, now: float) -> bool:
        """Whether an answer of this size may be sent."""
        if path.transport is not TransportProtocol.UDP:
            return True
        headers = _HEADER_BYTES[path.remote.ip.version]
        factor = (answer_bytes + headers) / (request_bytes + headers)
        if request_bytes >= SMALLEST_ALLOCATE_BYTES and factor <= MAX_AMPLIFICATION:
            return True
        return answer_bytes <= request_bytes or self._take(_network(path.remote.ip), now)

    def _take(self, network: int, now: float) -> bool:
        bucket = self._buckets.get(network)
        if bucket is None and not self._has_room(now):
            allowed, self._shared = _spend(self._shared, now)
            return allowed
        allowed, self._buckets[network] = _spend(bucket or (UNPROVEN_BURST, now), now)
        self._buckets.move_to_end(network)
        return allowed

    def _has_room(self, now: float) -> bool:
        """Forget the network that was quiet for longest, if its bucket is full again."""
        if len(self._buckets) < MAX_NETWORKS:
            return True
        oldest, (_, touched) = next(iter(self._buckets.items()))
        if now - touched < UNPROVEN_BURST / UNPROVEN_RATE:
            return False
        del self._buckets[oldest]
        return True


def _spend(bucket: tuple[float, float], now: float) -> tuple[bool, tuple[float, float]]:
    tokens, touched = bucket
    tokens = min(UNPROVEN_BURST, tokens + (now - touched) * UNPROVEN_RATE)
    return (True, (tokens - 1, now)) if tokens >= 1 else (False, (tokens, now))


def _network(ip: IPAddress) -> int:
    """The /24 or the /64, as a number that no network of the other family has."""
    if isinstance(ip, ipaddress.IPv4Address):
        return int(ip) >> 8
    return int(ip) >> 64 | 1 << 64
