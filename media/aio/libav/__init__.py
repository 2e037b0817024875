"""FFmpeg's libraries through PyAV: opening, demuxing, decoding, encoding, muxing.

The only folder that imports ``av``. Nothing here knows of threads or of real time, and
everything here may block: ``media.aio.player`` and ``media.aio.recorder`` call it from
threads of their own.
"""

from .audio import OPUS_SAMPLES, OpusTranscoder
from .container import LibavInput
from .output import LibavOutput
from .packets import DemuxedPacket
from .video import Picture, VideoDecoder, VideoEncoder

__all__ = [
    "OPUS_SAMPLES",
    "DemuxedPacket",
    "LibavInput",
    "LibavOutput",
    "OpusTranscoder",
    "Picture",
    "VideoDecoder",
    "VideoEncoder",
]
