"""What passes between a source's thread and those who use the source."""

from __future__ import annotations

import dataclasses

from media.source import SourceStream
from media.units import AccessUnit


@dataclasses.dataclass(frozen=True, slots=True)
class SourceUnit:
    """An access unit of one of a source's streams, to be played at ``time``.

    ``time`` is in seconds from the beginning of playing, and runs on when the source
    begins again.
    """

    stream: SourceStream
    unit: AccessUnit
    time: float


@dataclasses.dataclass(frozen=True, slots=True)
class TimeReached:
    """Nothing is to be sent at ``time``, but playing goes on: nobody uses the stream."""

    time: float


class Demand:
    """What the users of a source want from its thread.

    Written by the event loop and read by the thread; each step is one operation on a
    built-in object, which needs no lock.
    """

    def __init__(self) -> None:
        self.streams: frozenset[SourceStream] = frozenset()
        self.bitrates: dict[SourceStream, int] = {}
        self._keyframes: set[SourceStream] = set()
        self._users: dict[SourceStream, int] = {}

    def use(self, stream: SourceStream) -> None:
        self._users[stream] = self._users.get(stream, 0) + 1
        self.streams = frozenset(self._users)

    def release(self, stream: SourceStream) -> None:
        left = self._users.get(stream, 0) - 1
        if left > 0:
            self._users[stream] = left
        else:
            self._users.pop(stream, None)
        self.streams = frozenset(self._users)

    def request_keyframe(self, stream: SourceStream) -> None:
        self._keyframes.add(stream)

    def takes_keyframe(self, stream: SourceStream) -> bool:
        """Whether a keyframe was asked for since the last time."""
        if stream not in self._keyframes:
            return False
        self._keyframes.discard(stream)
        return True
