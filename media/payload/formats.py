"""Which packetizer and depacketizer go with a codec."""

from __future__ import annotations

from media.units import CodecName

from .fragment import Depacketizer, Packetizer
from .h264 import H264Depacketizer, H264Packetizer
from .opus import OpusDepacketizer, OpusPacketizer
from .vp8 import Vp8Depacketizer, Vp8Packetizer


def packetizer_for(codec: CodecName, max_payload: int) -> Packetizer:
    """A packetizer for one stream; H.264 in packetization mode 1."""
    match codec:
        case CodecName.H264:
            return H264Packetizer(max_payload)
        case CodecName.VP8:
            return Vp8Packetizer(max_payload)
        case CodecName.OPUS:
            return OpusPacketizer(max_payload)


def depacketizer_for(codec: CodecName) -> Depacketizer:
    """A depacketizer for one received stream."""
    match codec:
        case CodecName.H264:
            return H264Depacketizer()
        case CodecName.VP8:
            return Vp8Depacketizer()
        case CodecName.OPUS:
            return OpusDepacketizer()
