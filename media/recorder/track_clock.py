"""Where the timeline of one received track stands on that of a recording.

A track's RTP timestamps count from an origin of their own (RFC 3550 section 5.1).
Sender reports tell the peer's wall clock at some of them (section 6.4.1), which is what
tracks are synchronized by; before the first one there is only the time of arrival.
"""

from __future__ import annotations

import dataclasses

MAX_STEP_BACK = 0.25
"""Seconds that a timestamp may lie before the one in front of it; beyond, the peer's
source began anew."""

MAX_STEP_AHEAD = 2.0
"""Seconds that timestamps may advance more than time of arrival does; as above."""


@dataclasses.dataclass(slots=True)
class TrackClock:
    """One run of RTP timestamps. All times are seconds.

    ``arrival_zero`` is the time of arrival at timestamp 0, by the unit that was on its
    way the shortest; ``wall_zero`` the peer's wall clock, if a sender report told it;
    ``place`` the position in the recording, once that is decided.
    """

    clock_rate: int
    arrival_zero: float = float("inf")
    wall_zero: float | None = None
    place: float | None = None
    _last: tuple[float, float] | None = None

    def continues_with(self, timestamp: int, now: float) -> bool:
        """Whether a timestamp belongs to this run, or begins another one."""
        if self._last is None:
            return True
        last, arrived = self._last
        step = timestamp / self.clock_rate - last
        return -MAX_STEP_BACK <= step <= now - arrived + MAX_STEP_AHEAD

    def observe(self, timestamp: int, captured_at: float | None, now: float) -> None:
        """Note that a unit of this run arrived."""
        time = timestamp / self.clock_rate
        self._last = (time, now)
        self.arrival_zero = min(self.arrival_zero, now - time)
        if captured_at is not None:
            self.wall_zero = captured_at - time

    def position(self, timestamp: int) -> float:
        """Where a unit stands in the recording."""
        assert self.place is not None, "the run has no place yet"
        return self.place + timestamp / self.clock_rate
