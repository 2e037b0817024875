"""What passes between encoders, packetizers, depacketizers and decoders."""

from __future__ import annotations

import dataclasses
import enum

from sdp import MediaKind

__all__ = ["AccessUnit", "CodecName", "MediaKind"]


class CodecName(enum.StrEnum):
    """A codec that hairpin packetizes; the value is its encoding name in SDP."""

    H264 = "H264"
    VP8 = "VP8"
    OPUS = "opus"

    @property
    def kind(self) -> MediaKind:
        return MediaKind.AUDIO if self is CodecName.OPUS else MediaKind.VIDEO

    @property
    def clock_rate(self) -> int:
        """RTP timestamp units per second (RFC 6184 8.2.1, RFC 7741 6.1, RFC 7587 4.1)."""
        return 48_000 if self is CodecName.OPUS else 90_000


@dataclasses.dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture, or one packet of audio.

    ``data`` is an Annex B byte stream for H.264, a frame for VP8, a packet for
    Opus. ``timestamp`` counts in the RTP clock of the codec, without the random
    offset of a stream. ``keyframe`` says that decoding can start here.
    """

    codec: CodecName
    data: bytes
    timestamp: int
    keyframe: bool

    @property
    def size_bytes(self) -> int:
        return len(self.data)
