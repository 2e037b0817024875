"""How many answers go to a network that may not have asked for them."""

from __future__ import annotations

import collections
import ipaddress
from typing import Final

from transport import IPAddress

MAX_NETWORKS: Final = 10_000
"""Source networks whose answers are counted one by one."""

UNPROVEN_BURST: Final = 50.0
UNPROVEN_RATE: Final = 10.0
"""Answers, and answers per second, that one /24 or /64 may have of those that could serve to
flood it through us: what a few clients behind one NAT need."""


class SourceLimiter:
    """A token bucket for each source network.

    When more networks than MAX_NETWORKS are active, the further ones share one bucket.
    """

    __slots__ = ("_buckets", "_shared")

    def __init__(self) -> None:
        self._buckets: collections.OrderedDict[int, tuple[float, float]] = collections.OrderedDict()
        self._shared = (UNPROVEN_BURST, 0.0)

    def allows(self, ip: IPAddress, now: float) -> bool:
        """Whether one more answer may go to the network of this address; it is counted."""
        network = _network(ip)
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
