"""FFmpeg's libraries through PyAV: opening, demuxing, decoding, encoding.

The only folder that imports ``av``. Nothing here knows of threads or of real time, and
everything here may block: ``media.aio.player`` calls it from a thread of its own.
"""

from .audio import OPUS_SAMPLES, OpusTranscoder
from .container import LibavInput
from .packets import DemuxedPacket
from .video import Picture, VideoDecoder, VideoEncoder

__all__ = [
    "OPUS_SAMPLES",
    "DemuxedPacket",
    "LibavInput",
    "OpusTranscoder",
    "Picture",
    "VideoDecoder",
    "VideoEncoder",
]
