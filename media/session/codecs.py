"""The codecs and header extensions that a session offers when it is not told others.

Browsers must have H.264 Constrained Baseline and VP8 (RFC 7742 section 5) and Opus
(RFC 7874 section 3). Feedback is what the machines here really act on.
"""

from __future__ import annotations

from media.rtp import AbsoluteSendTime, SdesMid
from media.units import CodecName
from sdp import MediaKind, RtpCodec

VIDEO_FEEDBACK = ("nack", "nack pli", "ccm fir", "goog-remb")
AUDIO_FEEDBACK = ("nack",)

DEFAULT_EXTENSIONS: tuple[tuple[MediaKind, str], ...] = (
    (MediaKind.AUDIO, SdesMid.URI),
    (MediaKind.VIDEO, SdesMid.URI),
    (MediaKind.VIDEO, AbsoluteSendTime.URI),
)

CONSTRAINED_BASELINE = "42e01f"
"""Level 3.1: 1280x720 at 30 frames per second (RFC 7742 section 6.2)."""


def h264(profile_level_id: str = CONSTRAINED_BASELINE) -> RtpCodec:
    """H.264 in non-interleaved mode (RFC 6184 section 8.1)."""
    parameters = (
        ("level-asymmetry-allowed", "1"),
        ("packetization-mode", "1"),
        ("profile-level-id", profile_level_id.lower()),
    )
    return RtpCodec(
        MediaKind.VIDEO, CodecName.H264, 90_000, parameters=parameters, feedback=VIDEO_FEEDBACK
    )


def vp8() -> RtpCodec:
    return RtpCodec(MediaKind.VIDEO, CodecName.VP8, 90_000, feedback=VIDEO_FEEDBACK)


def opus() -> RtpCodec:
    """Opus; the rtpmap always says two channels (RFC 7587 section 7)."""
    parameters = (("minptime", "10"), ("useinbandfec", "1"))
    return RtpCodec(
        MediaKind.AUDIO,
        CodecName.OPUS,
        48_000,
        channels=2,
        parameters=parameters,
        feedback=AUDIO_FEEDBACK,
    )


def video_rtx() -> RtpCodec:
    """Every video codec may be repaired by RFC 4588 retransmission."""
    return RtpCodec(MediaKind.VIDEO, "rtx", 90_000)


DEFAULT_CODECS: tuple[RtpCodec, ...] = (
    opus(),
    h264(CONSTRAINED_BASELINE),
    h264("42001f"),
    h264("4d001f"),
    h264("64001f"),
    vp8(),
    video_rtx(),
)
