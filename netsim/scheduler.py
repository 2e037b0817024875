"""Virtual time: a heap of what happens next."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from .errors import TooManyEvents


class Scheduled:
    """Something that will happen, unless it is cancelled before."""

    __slots__ = ("action", "at", "owner")

    def __init__(self, at: float, action: Callable[[], object], owner: str) -> None:
        self.at = at
        self.action: Callable[[], object] | None = action
        self.owner = owner

    def cancel(self) -> None:
        self.action = None


class Scheduler:
    """The clock of a network. What is due at the same time happens in the order of asking.

    ``limit`` is how many events one run may take: beyond it, something goes
    round in circles.
    """

    def __init__(self, limit: int) -> None:
        self._now = 0.0
        self._heap: list[tuple[float, int, Scheduled]] = []
        self._serial = 0
        self._limit = limit
        self._last_owner = ""

    @property
    def now(self) -> float:
        """Seconds since the network began."""
        return self._now

    def call_at(self, at: float, action: Callable[[], object], *, owner: str) -> Scheduled:
        """Let ``action`` happen at that time, or now if that is past."""
        entry = Scheduled(max(at, self._now), action, owner)
        self._serial += 1
        heapq.heappush(self._heap, (entry.at, self._serial, entry))
        return entry

    def next_at(self) -> float | None:
        """When the next thing happens, or None if nothing is left."""
        while self._heap and self._heap[0][2].action is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run(self, until: float | None, stop: Callable[[], object]) -> bool:
        """Let things happen up to ``until`` (None: all that is left).

        Stops early, and returns True, as soon as ``stop()`` is true. Otherwise the
        clock stands at ``until`` afterwards.
        """
        for _ in range(self._limit):
            if stop():
                return True
            at = self.next_at()
            if at is None or (until is not None and at > until):
                self._now = self._now if until is None else max(self._now, until)
                return False
            self._step()
        raise TooManyEvents(self._limit, self._now, self._last_owner)

    def _step(self) -> None:
        self._now, _, entry = heapq.heappop(self._heap)
        action, entry.action = entry.action, None
        self._last_owner = entry.owner
        if action is not None:
            action()
