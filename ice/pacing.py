"""When the next check may start (RFC 8445 sections 6.1.4.2 and 14.2)."""

from __future__ import annotations

from .context import SessionTimers, TimerKind

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


class Pacer:
    """Starts at most one check per Ta; the first one at once."""

    def __init__(self, proposal_ms: int, timers: SessionTimers, shared: SharedPacer | None) -> None:
        self._proposal_ms = proposal_ms
        self._timers = timers
        self._shared = shared
        self._ta = DEFAULT_TA
        self._free_at = float("-inf")
        self._has_slot = False

    def agree(self, theirs_ms: int | None) -> None:
        """Settle Ta with what the peer proposes, or does not."""
        self._ta = agreed_ta(self._proposal_ms, theirs_ms)

    def wake(self, now: float) -> None:
        """There is a check to start: fire as soon as Ta allows."""
        if (TimerKind.PACING, None) not in self._timers:
            self._timers.set((TimerKind.PACING, None), max(now, self._free_at))

    def take(self, now: float) -> bool:
        """The timer fired and a check is at hand: False if other agents are before us."""
        if self._shared is not None and not self._has_slot:
            slot = self._shared.reserve(now)
            if slot > now:
                self._has_slot = True
                self._timers.set((TimerKind.PACING, None), slot)
                return False
        self._has_slot = False
        self._free_at = now + self._ta
        return True
