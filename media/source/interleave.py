"""Bringing the tracks of a container into the order of their times."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

MAX_LAG = 1.0
"""Seconds that one track may be behind in the file before the others stop waiting."""

MAX_WAITING = 4096
"""Items held back at most; a file that needs more is not interleaved at all."""


class Interleaver(Generic[K, T]):
    """Holds items back until no track can bring an earlier one."""

    def __init__(self, tracks: Iterable[K]) -> None:
        self._newest: dict[K, float | None] = dict.fromkeys(tracks)
        self._heap: list[tuple[float, int, T]] = []
        self._serial = itertools.count()

    def push(self, track: K, time: float, item: T) -> None:
        """Take the next item of a track; times within a track may be a little disordered."""
        heapq.heappush(self._heap, (time, next(self._serial), item))
        newest = self._newest[track]
        self._newest[track] = time if newest is None else max(newest, time)

    def pop(self) -> T | None:
        """The earliest item if its turn has come, or None: push more first."""
        if not self._heap:
            return None
        earliest = self._heap[0][0]
        times = [time for time in self._newest.values() if time is not None]
        is_turn = len(times) == len(self._newest) and min(times) >= earliest
        if is_turn or max(times) - earliest > MAX_LAG or len(self._heap) > MAX_WAITING:
            return heapq.heappop(self._heap)[2]
        return None

    def drain(self) -> list[T]:
        """Everything left, in order; the tracks begin again."""
        rest = [heapq.heappop(self._heap)[2] for _ in range(len(self._heap))]
        self._newest = dict.fromkeys(self._newest)
        return rest
