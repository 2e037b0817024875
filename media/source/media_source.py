"""What every source of media looks like to those who send it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from media.units import AccessUnit

from .description import SourceDescription, SourceStream


class MediaSource(Protocol):
    """A source that is playing.

    Streams that are passed through come always; encoded ones and audio only while
    somebody uses them.
    """

    @property
    def description(self) -> SourceDescription: ...

    def units(self) -> AsyncIterator[tuple[SourceStream, AccessUnit]]:
        """The access units of all streams, each when it is due; for one reader.

        Raises:
            MediaSourceError: the source cannot go on.
        """
        ...

    def use(self, stream: SourceStream) -> None:
        """Have a stream made; to be released as often as it was used."""
        ...

    def release(self, stream: SourceStream) -> None:
        """One user fewer; the last one stops its encoder."""
        ...

    def request_keyframe(self, stream: SourceStream) -> None:
        """Let the next frame be a keyframe; nothing happens where it is passed through."""
        ...

    def set_bitrate(self, stream: SourceStream, bitrate: int) -> None:
        """Let the stream's encoder follow a target, in bit/s."""
        ...
