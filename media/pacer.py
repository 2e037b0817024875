"""Spreading packets over time, so that no queue on the way overflows.

A key frame of 200 packets sent at once is lost in the first small buffer. The pacer
lets bursts of a few packets go at a multiple of the target bitrate, audio before
video; bursts are what one system call carries (UDP_SEGMENT).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

PACING_FACTOR = 2.5
"""Times the target: what an encoder's frames vary by, and WebRTC senders use."""

PEAK_FACTOR = 8.0
"""Times the target at most, when much waits: a cached group of pictures goes out at this."""

BURST_PACKETS = 4
"""In one burst, a run of UDP_SEGMENT: about 5 kB."""

BURST_SECONDS = 0.002
"""At rates so high that several bursts are due within this time, they go together: a timer
for each would cost more than the packets, and spread them no better than it fires."""

MAX_SPREAD = 0.2
"""Seconds over which what waits is spread; longer would be seen as a stutter."""

CATCH_UP = 0.005
"""Seconds of lateness of a timer that are made good by a larger burst."""

MAX_QUEUED_BYTES = 24 * 1024 * 1024
"""The largest cached group of pictures (16 MB), and what comes while it goes out."""


class Pacer(Generic[T]):
    """Queues of packets, and when the next burst may go. One for each viewer.

    ``push`` and ``push_audio``, then ``pop`` at once and again at ``next_timeout``. What
    is pushed is one packet, or a run of several that leave together.
    """

    __slots__ = (
        "_audio",
        "_due",
        "_media",
        "_rate",
        "_target_bps",
        "_waited",
        "queued_bytes",
        "refused",
    )

    def __init__(self, *, target_bps: float) -> None:
        if target_bps <= 0:
            raise ValueError(f"a target is over 0 bit/s, not {target_bps}")
        self._target_bps = target_bps
        self._audio: deque[tuple[T, int]] = deque()
        self._media: deque[tuple[T, int, int]] = deque()
        self._rate = self._floor
        self._due: float | None = None
        self._waited = False
        self.queued_bytes = 0
        self.refused = 0

    def push(self, item: T, size_bytes: int, packets: int = 1) -> bool:
        """Queue video: so many packets of ``size_bytes`` together.

        Returns False when too much waits: the packet is not queued, and the viewer
        is to be taken to the next keyframe.
        """
        return self.push_all(((item, size_bytes, packets),), size_bytes)

    def push_all(self, entries: Sequence[tuple[T, int, int]], size_bytes: int) -> bool:
        """``push`` for several at once: item, bytes and packets of each; all or none."""
        if self.queued_bytes + size_bytes > MAX_QUEUED_BYTES:
            self.refused += 1
            return False
        self._media.extend(entries)
        self.queued_bytes += size_bytes
        self._speed_up()
        return True

    def push_audio(self, item: T, size_bytes: int) -> bool:
        """Queue audio: it overtakes all video, and waits for nothing."""
        if self.queued_bytes + size_bytes > MAX_QUEUED_BYTES:
            self.refused += 1
            return False
        self._audio.append((item, size_bytes))
        self.queued_bytes += size_bytes
        return True

    def pop(self, now: float) -> list[T]:
        """Take what may go now, in order of sending; empty when it is too early."""
        ready: list[T] = []
        sent = self._take_audio(ready) if self._audio else 0
        earliest = now - CATCH_UP if self._waited else now
        due = max(self._due or earliest, earliest) + sent / self._rate
        if due <= now:
            until = now + BURST_SECONDS
            while self._media and due < until:
                if self.queued_bytes <= (until - due) * self._rate:
                    due += self._take_all(ready) / self._rate
                else:
                    due += self._take_burst(ready) / self._rate
        self._due = due
        self._waited = bool(self._media)
        if not self._media:
            self._rate = self._floor
        return ready

    def next_timeout(self) -> float | None:
        """When the next burst may go, or None when nothing waits.

        Audio is for the ``pop`` that follows its push, not for a timer.
        """
        return self._due if self._media else None

    def set_target(self, target_bps: float) -> None:
        """Follow the bandwidth estimate."""
        if target_bps <= 0:
            raise ValueError(f"a target is over 0 bit/s, not {target_bps}")
        self._target_bps = target_bps
        self._rate = self._floor
        self._speed_up()

    def clear(self) -> None:
        """Throw away what waits, such as before a keyframe that makes it useless."""
        self._audio.clear()
        self._media.clear()
        self.queued_bytes = 0
        self._rate = self._floor

    def discard(self, is_obsolete: Callable[[T], bool]) -> None:
        """Throw away the video among what waits that a keyframe will make useless."""
        kept: deque[tuple[T, int, int]] = deque()
        for entry in self._media:
            if is_obsolete(entry[0]):
                self.queued_bytes -= entry[1]
            else:
                kept.append(entry)
        self._media = kept

    @property
    def _floor(self) -> float:
        """Bytes per second at which nothing special is sent."""
        return PACING_FACTOR * self._target_bps / 8

    def _speed_up(self) -> None:
        """So fast that what waits is out within MAX_SPREAD, up to the peak."""
        wanted = self.queued_bytes / MAX_SPREAD
        if wanted > self._rate:
            self._rate = max(self._rate, min(wanted, PEAK_FACTOR * self._target_bps / 8))

    def _take_audio(self, ready: list[T]) -> int:
        """Move all audio; returns its bytes."""
        taken = sum(size for _, size in self._audio)
        ready.extend(item for item, _ in self._audio)
        self._audio.clear()
        self.queued_bytes -= taken
        return taken

    def _take_all(self, ready: list[T]) -> int:
        """Move what there is; returns its bytes."""
        ready.extend([item for item, _, _ in self._media])
        self._media.clear()
        taken, self.queued_bytes = self.queued_bytes, 0
        return taken

    def _take_burst(self, ready: list[T]) -> int:
        """Move up to BURST_PACKETS, or one run that is longer; returns their bytes."""
        item, taken, count = self._media.popleft()
        ready.append(item)
        while self._media and count + self._media[0][2] <= BURST_PACKETS:
            item, size, packets = self._media.popleft()
            ready.append(item)
            taken += size
            count += packets
        self.queued_bytes -= taken
        return taken
