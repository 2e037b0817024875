"""Sources that are described and never play."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from fractions import Fraction

from media.source import AudioTrack, SourceDescription, SourceStream, VideoTrack
from media.units import AccessUnit


class StillSource:
    """Counts who uses which of its streams."""

    def __init__(self, description: SourceDescription) -> None:
        self.description = description
        self.users: Counter[SourceStream] = Counter()

    async def units(self) -> AsyncIterator[tuple[SourceStream, AccessUnit]]:
        return
        yield

    def use(self, stream: SourceStream) -> None:
        self.users[stream] += 1

    def release(self, stream: SourceStream) -> None:
        self.users[stream] -= 1

    def request_keyframe(self, stream: SourceStream) -> None: ...

    def set_bitrate(self, stream: SourceStream, bitrate: int) -> None: ...


def video(codec: str, *, profile: str | None = None, obstacle: str | None = None) -> VideoTrack:
    return VideoTrack(codec, 1280, 720, Fraction(25), True, 2.0, profile, obstacle)


def film(track: VideoTrack | None = None, audio: AudioTrack | None = None) -> StillSource:
    return StillSource(SourceDescription("/films/bunny.mp4", track, audio))
