"""How often something may happen."""

from __future__ import annotations


class TokenBucket:
    """At most ``rate`` a second over time, ``rate * burst`` at once."""

    __slots__ = ("_capacity", "_tokens", "_updated", "rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self._capacity = rate * burst
        self._tokens = self._capacity
        self._updated = now

    def take(self, now: float) -> bool:
        """Use one token; False when there is none."""
        self._tokens = min(self._capacity, self._tokens + (now - self._updated) * self.rate)
        self._updated = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
