"""What a session offers when it is not told otherwise (docs/departures.md)."""

from __future__ import annotations

from media.rtp import AbsoluteSendTime, SdesMid
from media.session.codecs import DEFAULT_CODECS, DEFAULT_EXTENSIONS
from sdp import MediaKind


def test_opus_h264_vp8_and_retransmission_are_offered_and_no_other_codec() -> None:
    assert {codec.name for codec in DEFAULT_CODECS} == {"opus", "H264", "VP8", "rtx"}


def test_what_is_offered_as_feedback_is_acted_upon() -> None:
    offered = {feedback for codec in DEFAULT_CODECS for feedback in codec.feedback}

    assert offered == {"nack", "nack pli", "ccm fir", "goog-remb"}


def test_header_extensions_tell_the_stream_and_the_time_of_sending_alone() -> None:
    assert DEFAULT_EXTENSIONS == (
        (MediaKind.AUDIO, SdesMid.URI),
        (MediaKind.VIDEO, SdesMid.URI),
        (MediaKind.VIDEO, AbsoluteSendTime.URI),
    )
