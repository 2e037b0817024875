"""How many bits per second a track takes, by its own timestamps.

Units that are handed over faster than they play (a cached group of pictures) must
not look like a high bitrate; so media time is what counts, not the clock.
"""

from __future__ import annotations

from collections import deque

MIN_TARGET_BPS = 1_500_000.0
"""What a viewer's pacer reckons with at least: 640x360 video and audio. Pacing slower
than that would only delay what any path for video carries."""

WINDOW = 2.0
"""Seconds of media that the rate is taken over: longer than most keyframe intervals
are short, so that a keyframe does not double it."""

MAX_ENTRIES = 1024
"""Units remembered; a source with mad timestamps must not fill the memory."""


class RateMeter:
    """The bitrate of the units of the last two seconds of media time."""

    __slots__ = ("_entries", "_total_bytes")

    def __init__(self) -> None:
        self._entries: deque[tuple[float, int]] = deque()
        self._total_bytes = 0

    def add(self, size_bytes: int, media_time: float) -> None:
        """Count one unit that is to be played at ``media_time``, in seconds."""
        if self._entries and media_time < self._entries[-1][0]:
            self._clear()
        self._entries.append((media_time, size_bytes))
        self._total_bytes += size_bytes
        while len(self._entries) > MAX_ENTRIES or media_time - self._entries[0][0] > WINDOW:
            self._total_bytes -= self._entries.popleft()[1]

    @property
    def bits_per_second(self) -> float:
        """0 until half a second has been seen."""
        if len(self._entries) < 2:
            return 0.0
        span = self._entries[-1][0] - self._entries[0][0]
        if span < WINDOW / 4:
            return 0.0
        return (self._total_bytes - self._entries[-1][1]) * 8 / span

    def _clear(self) -> None:
        self._entries.clear()
        self._total_bytes = 0
