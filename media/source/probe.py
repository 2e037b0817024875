"""Finding out how a video track is coded, from its first samples."""

from __future__ import annotations

PROBE_SECONDS = 12.5
PROBE_SAMPLES = 1000
"""How far is looked: just over the longest group of pictures that a joining viewer can
be given, at up to 80 frames per second."""


class OrderProbe:
    """Watches the times of samples, in decoding order.

    ``in_order`` says that no frame is shown before one decoded earlier; ``interval`` is
    the longest distance between key frames so far, in seconds.
    """

    def __init__(self) -> None:
        self.count = 0
        self.in_order = True
        self.interval = 0.0
        self._first = 0.0
        self._last = 0.0
        self._last_keyframe = 0.0

    def push(self, time: float, *, keyframe: bool) -> None:
        """Take the next sample, shown at ``time``."""
        if self.count == 0:
            self._first = self._last = self._last_keyframe = time
        self.count += 1
        self.in_order = self.in_order and time >= self._last
        self._last = max(self._last, time)
        self.interval = max(self.interval, time - self._last_keyframe)
        if keyframe:
            self._last_keyframe = time

    @property
    def is_done(self) -> bool:
        """Whether enough was seen."""
        return self.count >= PROBE_SAMPLES or self._last - self._first >= PROBE_SECONDS
