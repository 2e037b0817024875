"""What a source holds, and in which forms it can be had."""

from __future__ import annotations

import dataclasses
import enum
from fractions import Fraction

from media.units import CodecName, MediaKind

ENCODED_PROFILE_LEVEL_ID = "42e01f"
"""Constrained baseline, level 3.1: what every WebRTC peer decodes (RFC 7742 section 6.2)."""


class Origin(enum.Enum):
    """How a stream of a source comes about."""

    PASSTHROUGH = "passthrough"
    """As the source has it: no decoding, no keyframes on request."""
    ENCODED = "encoded"
    """Decoded and encoded once for all viewers, while somebody uses it."""


@dataclasses.dataclass(frozen=True, slots=True)
class SourceStream:
    """One form in which the audio or video of a source can be had.

    ``profile_level_id`` is set for H.264 (RFC 6184 section 8.1).
    """

    codec: CodecName
    origin: Origin
    profile_level_id: str | None = None

    @property
    def kind(self) -> MediaKind:
        return self.codec.kind


@dataclasses.dataclass(frozen=True, slots=True)
class VideoTrack:
    """The video of a source.

    ``codec_name`` is the demuxer's; ``width`` and ``height`` are those of the picture as it
    is to be shown; ``in_display_order`` says that there are no B frames;
    ``keyframe_interval`` is the longest one seen, in seconds. ``obstacle`` says in plain
    words why the track cannot be passed through, or is None.
    """

    codec_name: str
    width: int
    height: int
    frame_rate: Fraction | None
    in_display_order: bool
    keyframe_interval: float | None = None
    profile_level_id: str | None = None
    obstacle: str | None = None

    @property
    def is_raw(self) -> bool:
        """Whether there is nothing that could be passed through: a camera, a drawing."""
        return self.codec_name == "rawvideo"


@dataclasses.dataclass(frozen=True, slots=True)
class AudioTrack:
    """The audio of a source; ``obstacle`` as for video."""

    codec_name: str
    sample_rate: int
    channels: int
    obstacle: str | None = None

    @property
    def is_raw(self) -> bool:
        """Whether it is not coded at all."""
        return self.codec_name.startswith("pcm_")


@dataclasses.dataclass(frozen=True, slots=True)
class SourceDescription:
    """A source as it was found when it was opened.

    ``duration`` is in seconds, or None if it is not known. A ``live`` source comes at
    a pace of its own and has no end: it is neither paced nor looped.
    """

    name: str
    video: VideoTrack | None
    audio: AudioTrack | None
    duration: float | None = None
    live: bool = False

    @property
    def streams(self) -> tuple[SourceStream, ...]:
        """All forms on offer, the cheapest first for each kind of media."""
        return (*self._video_streams(), *self._audio_streams())

    def _video_streams(self) -> tuple[SourceStream, ...]:
        video = self.video
        if video is None:
            return ()
        encoded = (
            SourceStream(CodecName.H264, Origin.ENCODED, ENCODED_PROFILE_LEVEL_ID),
            SourceStream(CodecName.VP8, Origin.ENCODED),
        )
        if video.obstacle is not None:
            return encoded
        codec = CodecName.VP8 if video.codec_name == "vp8" else CodecName.H264
        return (SourceStream(codec, Origin.PASSTHROUGH, video.profile_level_id), *encoded)

    def _audio_streams(self) -> tuple[SourceStream, ...]:
        if self.audio is None:
            return ()
        passes = self.audio.obstacle is None
        return (SourceStream(CodecName.OPUS, Origin.PASSTHROUGH if passes else Origin.ENCODED),)
