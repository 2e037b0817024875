"""How much one may ask for, and how often (the API's documented quotas, and ours).

Enforced is what protects the service or its other clients; docs/signaling.md lists
the quotas that are not.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Hashable

from signaling.errors import ErrorName, ServiceError
from transport import TokenBucket

MAX_BUCKETS = 10_000
"""Rates are kept for as many channels as an account may have; the longest unused go first."""


@dataclasses.dataclass(frozen=True, slots=True)
class ServiceQuotas:
    """The limits of one service; rates are per second."""

    channels: int = 10_000
    """Per account and region (KVS: 10,000 in its largest regions)."""

    connects: float = 3.0
    """Of a role to one channel (KVS: ConnectAsMaster and ConnectAsViewer, 3 TPS each)."""

    ice_configs: float = 5.0
    """GetIceServerConfig of one channel (KVS: 5 TPS)."""

    burst_seconds: float = 10.0
    """Rates hold over this time, so that ten viewers may come at once after a restart."""


class RateLimiter:
    """One token bucket per key, for the keys that were used last."""

    def __init__(self, what: str, rate: float, burst: float) -> None:
        self._what = what
        self._rate = rate
        self._burst = burst
        self._buckets: collections.OrderedDict[Hashable, TokenBucket] = collections.OrderedDict()

    def charge(self, key: Hashable, now: float) -> None:
        """Count one use.

        Raises:
            ServiceError: ClientLimitExceededException, there were too many.
        """
        bucket = self._buckets.pop(key, None) or TokenBucket(
            self._rate, self._rate * self._burst, now
        )
        self._buckets[key] = bucket
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        if not bucket.take(now):
            raise ServiceError(
                ErrorName.CLIENT_LIMIT_EXCEEDED,
                f"more than {self._rate:g} {self._what} a second",
            )
