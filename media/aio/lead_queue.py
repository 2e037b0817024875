"""The bounded queue between a source's thread and the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque

from .demand import SourceUnit, TimeReached

LEAD = 0.04
"""Seconds that the thread works ahead of what was played last: one frame, so that a
keyframe asked for is not behind a queue, and the loop never waits for an encoder."""

MAX_QUEUED = 256
"""Units; also for those that all have the same time, or come live."""


class LeadQueue:
    """Units from the thread that makes them to the coroutine that plays them.

    ``wait_for_reader``, ``wait_for_close``, ``put`` and ``finish`` are the thread's, all else
    is the event loop's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ready = asyncio.Event()
        self._changed = threading.Condition()
        self._units: deque[SourceUnit | TimeReached] = deque()
        self._played = 0.0
        self._is_read = False
        self._is_closed = False
        self._is_finished = False
        self._error: BaseException | None = None

    def wait_for_reader(self) -> None:
        """Wait until the first ``get``, or ``close``."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_read or self._is_closed)

    def wait_for_close(self, seconds: float) -> bool:
        """Let time pass; True, and at once, when nobody wants any more."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_closed, seconds)

    def put(self, unit: SourceUnit | TimeReached) -> bool:
        """Hand a unit over, waiting for its turn; False when nobody wants any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or not self._is_ahead(unit))
            if self._is_closed:
                return False
            self._units.append(unit)
        self._wake()
        return True

    def finish(self, error: BaseException | None = None) -> None:
        """No more units will come; ``error`` is raised to the reader."""
        with self._changed:
            self._is_finished = True
            self._error = error
        self._wake()

    async def get(self) -> SourceUnit | TimeReached | None:
        """The next unit, or None after the last.

        Raises:
            MediaSourceError: what the thread ended with.
        """
        while True:
            with self._changed:
                if not self._is_read:
                    self._is_read = True
                    self._changed.notify_all()
                if self._units:
                    return self._units.popleft()
                if self._is_finished or self._is_closed:
                    break
                self._ready.clear()
            await self._ready.wait()
        if self._error is not None:
            raise self._error
        return None

    def played(self, time: float) -> None:
        """The unit of this time was played: the thread may go on."""
        with self._changed:
            self._played = time
            self._changed.notify_all()

    def close(self) -> None:
        """Let the thread and the reader stop."""
        with self._changed:
            self._is_closed = True
            self._units.clear()
            self._changed.notify_all()
        self._ready.set()

    def _is_ahead(self, unit: SourceUnit | TimeReached) -> bool:
        is_full = len(self._units) >= MAX_QUEUED
        return is_full or (bool(self._units) and unit.time - self._played > LEAD)

    def _wake(self) -> None:
        # A loop that was closed without closing the source has no reader to wake.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ready.set)
