"""The one line of time on which a source plays, however often it begins again."""

from __future__ import annotations

CLOCK_TOLERANCE = 0.04
"""Seconds by which counted samples may differ from the container's times: two packets.
Containers round to milliseconds; a real gap is longer."""


class Timeline:
    """Places the times of a file that is played again and again.

    Each pass begins where the longest track of the one before ended, so that time
    never jumps back and audio stays with its video.
    """

    def __init__(self, origin: float = 0.0) -> None:
        self._origin = origin
        self._offset = 0.0
        self._end = 0.0

    def place(self, time: float, duration: float) -> float:
        """When something that the file has at ``time`` is to be played, in seconds."""
        placed = max(self._offset + time - self._origin, self._offset)
        self._end = max(self._end, placed + max(duration, 0.0))
        return placed

    def rewind(self) -> None:
        """The file begins again."""
        self._offset = self._end

    def resume(self, origin: float) -> None:
        """What comes now has times of its own, beginning with this one."""
        self._origin = origin
        self._offset = self._end

    @property
    def end(self) -> float:
        """When all that was placed so far is over."""
        return self._end


class FrameClock:
    """RTP timestamps of video frames: times in ticks, each later than the one before."""

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._last: int | None = None

    def timestamp(self, time: float) -> int:
        """Two frames of one timestamp would be one frame to a receiver (RFC 3550 section 5.1)."""
        ticks = round(time * self._clock_rate)
        if self._last is not None:
            ticks = max(ticks, self._last + 1)
        self._last = ticks
        return ticks


class SampleClock:
    """RTP timestamps of audio packets: counted samples, resynchronized at real gaps."""

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._next: int | None = None

    def timestamp(self, time: float, samples: int) -> int:
        """The timestamp of a packet of so many samples that begins at ``time``."""
        ticks = round(time * self._clock_rate)
        expected = self._next
        if expected is not None and ticks - expected <= CLOCK_TOLERANCE * self._clock_rate:
            ticks = expected  # never back: what overlaps is moved behind
        self._next = ticks + samples
        return ticks
