"""What a recorder makes of received units, for whoever writes the file."""

from __future__ import annotations

import dataclasses

from media.units import CodecName, MediaKind


@dataclasses.dataclass(frozen=True, slots=True)
class VideoFormat:
    """What the head of a file says of its video."""

    codec: CodecName
    width: int
    height: int


@dataclasses.dataclass(frozen=True, slots=True)
class RecordingFormat:
    """The tracks of a file; its audio is always Opus with two channels (RFC 7587 section 7)."""

    video: VideoFormat | None
    has_audio: bool


@dataclasses.dataclass(frozen=True, slots=True)
class RecordedSample:
    """One sample of the file, in decoding order.

    ``time`` and ``duration`` are in ticks of the container's clock for this kind of
    media; a duration of 0 is not known. H.264 is Annex B.
    """

    kind: MediaKind
    data: bytes
    time: int
    duration: int
    keyframe: bool

    @property
    def size_bytes(self) -> int:
        return len(self.data)
