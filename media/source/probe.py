"""Finding out how a video track is coded, from its samples."""

from __future__ import annotations

PROBE_SECONDS = 12.5
PROBE_SAMPLES = 1000
"""How far is looked: just over the longest group of pictures that a joining viewer can
be given, at up to 80 frames per second."""


class OrderProbe:
    """Watches the times at which samples are shown, in decoding order.

    ``in_order`` says that no frame is shown before one decoded earlier.
    """

    def __init__(self) -> None:
        self.count = 0
        self.in_order = True
        self._first = 0.0
        self._last = 0.0

    def push(self, time: float) -> None:
        """Take the next sample, shown at ``time``."""
        if self.count == 0:
            self._first = self._last = time
        self.count += 1
        self.in_order = self.in_order and time >= self._last
        self._last = max(self._last, time)

    @property
    def is_done(self) -> bool:
        """Whether enough was seen."""
        return self.count >= PROBE_SAMPLES or self._last - self._first >= PROBE_SECONDS


class GroupProbe:
    """Watches the groups of pictures: the longest and the largest so far."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.size_bytes = 0
        self._begin: float | None = None
        self._group_bytes = 0

    def push(self, time: float, size_bytes: int, *, keyframe: bool) -> None:
        """Take the next sample, in decoding order."""
        if self._begin is None:
            self._begin = time
        self.seconds = max(self.seconds, time - self._begin)
        if keyframe:
            self._begin = time
            self._group_bytes = 0
        self._group_bytes += size_bytes
        self.size_bytes = max(self.size_bytes, self._group_bytes)

    def restart(self) -> None:
        """The samples that come now begin anew; what was found remains."""
        self._begin = None
        self._group_bytes = 0
