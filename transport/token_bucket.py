"""How often something may happen."""

from __future__ import annotations


class TokenBucket:
    """At most ``rate`` a second over time, ``burst`` at once."""

    __slots__ = ("_burst", "_tokens", "_updated", "rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self._burst = burst
        self._tokens = burst
        self._updated = now

    def take(self, now: float) -> bool:
        """Use one token; False when there is none."""
        self._tokens = self._tokens_at(now)
        self._updated = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def is_full(self, now: float) -> bool:
        """Whether nothing is lost if the bucket is forgotten."""
        return self._tokens_at(now) >= self._burst

    def _tokens_at(self, now: float) -> float:
        return min(self._burst, self._tokens + (now - self._updated) * self.rate)
