"""Deadlines of a machine: a heap with lazy deletion, so that the next one is O(1)."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_COMPACT_ABOVE = 64
"""Below this size a heap is not worth rebuilding."""


class Timers(Generic[K]):
    """At most one deadline per key.

    Setting a key again moves its deadline. ``next_timeout`` is what a machine
    answers with; ``expired`` hands out the keys that are due, in order of time.
    """

    __slots__ = ("_deadlines", "_heap", "_serial")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, K]] = []
        self._deadlines: dict[K, tuple[float, int]] = {}
        self._serial = 0

    def __len__(self) -> int:
        return len(self._deadlines)

    def __contains__(self, key: K) -> bool:
        return key in self._deadlines

    def set(self, key: K, deadline: float) -> None:
        """Let ``key`` be due at ``deadline``, in place of any earlier setting."""
        self._serial += 1
        self._deadlines[key] = (deadline, self._serial)
        heapq.heappush(self._heap, (deadline, self._serial, key))
        self._tidy()

    def cancel(self, key: K) -> None:
        """Forget ``key``; it need not be set."""
        if self._deadlines.pop(key, None) is not None:
            self._tidy()

    def deadline(self, key: K) -> float | None:
        """When ``key`` is due, or None."""
        entry = self._deadlines.get(key)
        return None if entry is None else entry[0]

    def next_timeout(self) -> float | None:
        """The earliest deadline, or None."""
        return self._heap[0][0] if self._heap else None

    def expired(self, now: float) -> Iterator[K]:
        """Yield and forget each key that is due, earliest first.

        Keys set while iterating are seen when they are due by ``now`` too.
        """
        while self._heap and self._heap[0][0] <= now:
            _, _, key = heapq.heappop(self._heap)
            del self._deadlines[key]
            self._tidy()
            yield key

    def _is_stale(self, entry: tuple[float, int, K]) -> bool:
        current = self._deadlines.get(entry[2])
        return current is None or current[1] != entry[1]

    def _tidy(self) -> None:
        """Keep the top of the heap alive, and the heap at most twice the live size."""
        if len(self._heap) > _COMPACT_ABOVE and len(self._heap) > 2 * len(self._deadlines):
            self._heap = [entry for entry in self._heap if not self._is_stale(entry)]
            heapq.heapify(self._heap)
        while self._heap and self._is_stale(self._heap[0]):
            heapq.heappop(self._heap)
