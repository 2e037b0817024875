"""FFmpeg's libraries through PyAV: opening, demuxing, decoding, encoding, muxing.

The only folder that imports ``av``. Nothing here knows of threads or of real time, and
everything here may block: ``media.aio.player`` and ``media.aio.recorder`` call it from
threads of their own.
"""

from .audio import OPUS_SAMPLES, OpusEncoder, OpusTranscoder
from .container import LibavInput
from .output import LibavOutput
from .packets import DemuxedPacket
from .units import UnitDecoder
from .video import Picture, VideoDecoder, VideoEncoder, drawn_picture

__all__ = [
    "OPUS_SAMPLES",
    "DemuxedPacket",
    "LibavInput",
    "LibavOutput",
    "OpusEncoder",
    "OpusTranscoder",
    "Picture",
    "UnitDecoder",
    "VideoDecoder",
    "VideoEncoder",
    "drawn_picture",
]
