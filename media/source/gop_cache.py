"""The group of pictures that a joining viewer starts with."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from media.units import CodecName

MAX_GOP_SECONDS = 12.0
"""Longer than this, catching up takes too long: the viewer gets an encode of its own."""

MAX_GOP_BYTES = 16 * 1024 * 1024
"""12 s at 10 Mbit/s; what one source may hold in memory for those who will join."""


class CodedUnit(Protocol):
    """An access unit in whatever form it is kept: as it was coded, or cut into payloads."""

    @property
    def codec(self) -> CodecName: ...

    @property
    def timestamp(self) -> int: ...

    @property
    def keyframe(self) -> bool: ...

    @property
    def size_bytes(self) -> int: ...


U = TypeVar("U", bound=CodedUnit)


class GopCache(Generic[U]):
    """All units from the last keyframe on, or nothing.

    When the group outgrows a bound the cache is empty until the next keyframe, and
    ``overflowed`` says so.
    """

    def __init__(
        self, *, max_seconds: float = MAX_GOP_SECONDS, max_bytes: int = MAX_GOP_BYTES
    ) -> None:
        self._max_seconds = max_seconds
        self._max_bytes = max_bytes
        self._units: list[U] = []
        self.size_bytes = 0
        self.overflowed = False

    def push(self, unit: U) -> None:
        """Take the stream's next unit, in decoding order."""
        if unit.keyframe:
            self.clear()
        elif not self._units:
            return
        self._units.append(unit)
        self.size_bytes += unit.size_bytes
        if self.size_bytes > self._max_bytes or self.duration > self._max_seconds:
            self.clear()
            self.overflowed = True

    def units(self) -> tuple[U, ...]:
        """What to send first to who joins now: a keyframe and all after it, or nothing."""
        return tuple(self._units)

    @property
    def duration(self) -> float:
        """Seconds from the keyframe to the newest unit."""
        if not self._units:
            return 0.0
        first, last = self._units[0], self._units[-1]
        return (last.timestamp - first.timestamp) / first.codec.clock_rate

    def clear(self) -> None:
        """Forget everything, such as at a jump in the source."""
        self._units.clear()
        self.size_bytes = 0
        self.overflowed = False

    def __len__(self) -> int:
        return len(self._units)
