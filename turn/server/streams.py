"""Streams that clients hold open (RFC 8489 section 6.2.2)."""

from __future__ import annotations

from collections.abc import Callable

from transport import CloseRequested, Path, Timers

from .limits import MAX_STREAMS, STREAM_GRACE
from .state import Outbox


class StreamWatch:
    """Has streams closed that are used for nothing.

    Closing is the client's business while it has an allocation; without one, a stream
    gets STREAM_GRACE seconds to make one, and as long once it has lost it.
    """

    __slots__ = ("_is_used", "_outbox", "_timers")

    def __init__(self, outbox: Outbox, is_used: Callable[[Path], bool]) -> None:
        self._outbox = outbox
        self._is_used = is_used
        self._timers: Timers[Path] = Timers()

    def connected(self, path: Path, now: float) -> None:
        if len(self._timers) < MAX_STREAMS:
            self._timers.set(path, now + STREAM_GRACE)
        else:
            self._outbox.events.append(CloseRequested(path))

    def disconnected(self, path: Path) -> None:
        self._timers.cancel(path)

    def next_timeout(self) -> float | None:
        return self._timers.next_timeout()

    def handle_timeout(self, now: float) -> None:
        for path in self._timers.expired(now):
            if self._is_used(path):
                self._timers.set(path, now + STREAM_GRACE)
            else:
                self._outbox.events.append(CloseRequested(path))
