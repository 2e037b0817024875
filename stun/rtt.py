"""The retransmission timeout of a server, from its round-trip times (RFC 8489 section 6.2.1).

RFC 6298's estimator with two changes that RFC 8489 makes: it starts at 500 ms, and
nothing is rounded to seconds. Karn's algorithm lies with the caller, who gives no
sample for a transaction that was retransmitted (``ResponseReceived`` has None then).
"""

from __future__ import annotations

import collections
from typing import Final

from transport import IPAddress

from .transaction import INITIAL_RTO

GRANULARITY: Final = 0.001
"""The accuracy to keep, 1 ms; also RFC 6298's clock granularity G."""

MAX_RTO: Final = 60.0
"""RFC 6298 section 2.5 allows such a bound if it is at least 60 s."""

STALE_AFTER: Final = 600.0
"""Seconds after which an estimate says nothing any more (section 6.2.1)."""

MAX_SERVERS: Final = 1024
"""Estimates kept; above it the one longest unused goes. A client has a handful of
servers, so that this bounds only what redirections could add."""

_ALPHA: Final = 1 / 8
_BETA: Final = 1 / 4
_K: Final = 4


class RttEstimator:
    """Smooths the round-trip times to one server into an RTO (RFC 6298 section 2)."""

    __slots__ = ("_smoothed", "_variation", "minimum", "rto")

    def __init__(self, *, minimum: float = INITIAL_RTO) -> None:
        self.minimum = minimum
        self.rto = minimum
        self._smoothed: float | None = None
        self._variation = 0.0

    def sample(self, round_trip_time: float) -> None:
        """Take the time of a transaction that was not retransmitted."""
        if self._smoothed is None:
            self._smoothed = round_trip_time
            self._variation = round_trip_time / 2
        else:
            error = abs(self._smoothed - round_trip_time)
            self._variation += _BETA * (error - self._variation)
            self._smoothed += _ALPHA * (round_trip_time - self._smoothed)
        rto = self._smoothed + max(GRANULARITY, _K * self._variation)
        self.rto = min(max(rto, self.minimum), MAX_RTO)


class RtoCache:
    """Remembers the estimate for each server's IP address."""

    __slots__ = ("_entries", "_minimum")

    def __init__(self, *, minimum: float = INITIAL_RTO) -> None:
        self._minimum = minimum
        self._entries: collections.OrderedDict[IPAddress, tuple[RttEstimator, float]] = (
            collections.OrderedDict()
        )

    def __len__(self) -> int:
        return len(self._entries)

    def rto(self, server: IPAddress, now: float) -> float:
        """Where to start the next transaction to this server."""
        entry = self._entries.get(server)
        if entry is None or now - entry[1] > STALE_AFTER:
            return self._minimum
        return entry[0].rto

    def completed(self, server: IPAddress, round_trip_time: float | None, now: float) -> None:
        """A transaction was answered; None for the time if it was retransmitted."""
        entry = self._entries.pop(server, None)
        if entry is None or now - entry[1] > STALE_AFTER:
            entry = (RttEstimator(minimum=self._minimum), now)
        if round_trip_time is not None:
            entry[0].sample(round_trip_time)
        self._entries[server] = (entry[0], now)
        if len(self._entries) > MAX_SERVERS:
            self._entries.popitem(last=False)
