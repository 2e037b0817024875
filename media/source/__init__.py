"""Where media comes from, without I/O: what a source offers, and its timeline.

``SourceDescription`` says which streams a source can give and why one cannot be passed
through; ``GopCache`` holds what a joining viewer starts with. ``media.aio.player``
opens files and plays them.
"""

from .address import TEST_CARD, SourceAddress, SourceKind
from .description import (
    ENCODED_PROFILE_LEVEL_ID,
    AudioTrack,
    Origin,
    SourceDescription,
    SourceStream,
    VideoTrack,
)
from .encoding import EncodeSettings, encode_settings
from .errors import MediaSourceError
from .gop_cache import MAX_GOP_BYTES, MAX_GOP_SECONDS, GopCache
from .interleave import Interleaver
from .media_source import MediaSource
from .passthrough import (
    PROFILES,
    H264Passthrough,
    Passthrough,
    VideoFindings,
    Vp8Passthrough,
    audio_obstacle,
    video_obstacle,
)
from .probe import GroupProbe, OrderProbe
from .timeline import FrameClock, SampleClock, Timeline

__all__ = [
    "ENCODED_PROFILE_LEVEL_ID",
    "MAX_GOP_BYTES",
    "MAX_GOP_SECONDS",
    "AudioTrack",
    "EncodeSettings",
    "FrameClock",
    "GopCache",
    "GroupProbe",
    "H264Passthrough",
    "Interleaver",
    "MediaSource",
    "MediaSourceError",
    "OrderProbe",
    "Origin",
    "PROFILES",
    "Passthrough",
    "SampleClock",
    "SourceAddress",
    "SourceDescription",
    "SourceKind",
    "SourceStream",
    "TEST_CARD",
    "Timeline",
    "VideoFindings",
    "VideoTrack",
    "Vp8Passthrough",
    "audio_obstacle",
    "encode_settings",
    "video_obstacle",
]
