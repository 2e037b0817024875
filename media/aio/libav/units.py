"""Decoding received units, to know that a decoder can make something of them."""

from __future__ import annotations

import av
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext

from media.units import AccessUnit, CodecName

_DECODERS = {CodecName.H264: "h264", CodecName.VP8: "vp8", CodecName.OPUS: "opus"}


class UnitDecoder:
    """Decodes the units of one stream and counts frames; what is broken counts nothing."""

    def __init__(self, codec: CodecName) -> None:
        context = av.CodecContext.create(_DECODERS[codec], "r")
        assert isinstance(context, VideoCodecContext | AudioCodecContext)
        self._context = context

    def decode(self, unit: AccessUnit) -> int:
        """How many frames came out of the decoder for this unit."""
        try:
            return len(self._context.decode(av.Packet(unit.data)))
        except av.FFmpegError:
            return 0
