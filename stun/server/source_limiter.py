"""How many answers go to a network that may not have asked for them."""

from __future__ import annotations

import collections
import ipaddress
from typing import Final

from transport import IPAddress, TokenBucket

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
        self._buckets: collections.OrderedDict[int, TokenBucket] = collections.OrderedDict()
        self._shared = _new_bucket(0.0)

    def allows(self, ip: IPAddress, now: float) -> bool:
        """Whether one more answer may go to the network of this address; it is counted."""
        network = _network(ip)
        bucket = self._buckets.get(network)
        if bucket is None and not self._has_room(now):
            return self._shared.take(now)
        if bucket is None:
            bucket = self._buckets[network] = _new_bucket(now)
        self._buckets.move_to_end(network)
        return bucket.take(now)

    def _has_room(self, now: float) -> bool:
        """Forget the network that was quiet for longest, if its bucket is full again."""
        if len(self._buckets) < MAX_NETWORKS:
            return True
        oldest, bucket = next(iter(self._buckets.items()))
        if not bucket.is_full(now):
            return False
        del self._buckets[oldest]
        return True


def _new_bucket(now: float) -> TokenBucket:
    return TokenBucket(UNPROVEN_RATE, UNPROVEN_BURST, now)


def _network(ip: IPAddress) -> int:
    """The /24 or the /64, as a number that no network of the other family has."""
    if isinstance(ip, ipaddress.IPv4Address):
        return int(ip) >> 8
    return int(ip) >> 64 | 1 << 64
