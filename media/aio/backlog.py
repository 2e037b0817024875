"""The bounded queue from the event loop to a thread that does what may block."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Backlog(Generic[T]):
    """What the event loop puts, a thread iterates over, until ``close``.

    ``max_bytes`` bounds what waits; a single item may be larger.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._items: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._is_closed = False
        self._changed = threading.Condition()

    def put(self, item: T, size_bytes: int) -> bool:
        """Hand an item over; False if it was not taken, as too much waits."""
        with self._changed:
            is_full = bool(self._items) and self._bytes + size_bytes > self._max_bytes
            if is_full or self._is_closed:
                return False
            self._items.append((item, size_bytes))
            self._bytes += size_bytes
            self._changed.notify()
        return True

    def close(self) -> None:
        """No more is put; iteration ends behind what waits."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def __iter__(self) -> Iterator[T]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._is_closed)
                if not self._items:
                    return
                item, size_bytes = self._items.popleft()
                self._bytes -= size_bytes
            yield item
