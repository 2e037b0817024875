"""When the next check may start (RFC 8445 sections 6.1.4.2 and 14.2)."""

from __future__ import annotations

DEFAULT_TA = 0.05
"""Seconds between new transactions, unless both sides signal another value."""

SHORTEST_INTERVAL = 0.005
"""Seconds between new transactions of all agents of a process together (section 14.2)."""


def agreed_ta(ours_ms: int, theirs_ms: int | None) -> float:
    """Ta in seconds: the higher proposal, or 50 ms without one of theirs (RFC 8839 5.5)."""
    return DEFAULT_TA if theirs_ms is None else max(ours_ms, theirs_ms) / 1000


class SharedPacer:
    """Lets the agents of one process together start one transaction every 5 ms."""

    __slots__ = ("_free_at", "_interval")

    def __init__(self, interval: float = SHORTEST_INTERVAL) -> None:
        self._interval = interval
        self._free_at = float("-inf")

    def reserve(self, now: float) -> float:
        """Take the next free slot: the time, at or after ``now``, when it may be used."""
        slot = max(now, self._free_at)
        self._free_at = slot + self._interval
        return slot
