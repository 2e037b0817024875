"""RFC 3264 section 6.1: what two lists of codecs have in common."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdp import MissingProfile, RtpCodec
from sdp.negotiation.codecs import (
    answered_codec,
    common_feedback,
    in_local_order,
    mismatch,
    pair_codecs,
)
from tests.sdp.negotiation.parties import AUDIO, H264, OPUS, RTX, VIDEO, VP8, h264

RFC = MissingProfile.RFC6184


def numbered(codec: RtpCodec, number: int) -> RtpCodec:
    return dataclasses.replace(codec, payload_type=number)


VP9 = RtpCodec(VIDEO, "VP9", 90000)

CASES = [
    pytest.param(OPUS, RtpCodec(AUDIO, "OPUS", 48000, channels=2), None, id="case"),
    pytest.param(OPUS, RtpCodec(AUDIO, "opus", 48000), "1 channels", id="channels"),
    pytest.param(VP8, RtpCodec(VIDEO, "VP8", 8000), "clock rate", id="clock-rate"),
    pytest.param(VP8, H264, "not supported", id="name"),
    pytest.param(
        VP9, dataclasses.replace(VP9, parameters=(("profile-id", "0"),)), None, id="vp9-default"
    ),
    pytest.param(
        VP9, dataclasses.replace(VP9, parameters=(("profile-id", "2"),)), "profile-id 2", id="vp9-2"
    ),
    pytest.param(
        VP8,
        dataclasses.replace(VP8, parameters=(("max-fr", "30"), ("max-fs", "3600"))),
        None,
        id="vp8",
    ),
    pytest.param(
        OPUS,
        dataclasses.replace(OPUS, parameters=(("stereo", "1"), ("usedtx", "1"))),
        None,
        id="opus",
    ),
]


@pytest.mark.requirement("sdp-media:SDP-G12")
@pytest.mark.requirement("sdp-media:SDP-O16")
@pytest.mark.parametrize(("local", "remote", "reason"), CASES)
def test_codecs_match_by_name_rate_channels_and_configuration(
    local: RtpCodec, remote: RtpCodec, reason: str | None
) -> None:
    found = mismatch(local, remote, RFC)

    assert (found is None) if reason is None else (found is not None and reason in found)


@pytest.mark.requirement("sdp-media:SDP-O16")
def test_each_side_declares_what_it_wants_to_receive() -> None:
    """RFC 7587 section 7.1: the parameters of Opus are the receiver's."""
    theirs = dataclasses.replace(OPUS, payload_type=111, parameters=(("stereo", "1"),))
    pairs, _ = pair_codecs([OPUS], [theirs], RFC)

    codec = answered_codec(pairs[0], repaired=False, missing=RFC)

    assert codec.send.parameters == (("stereo", "1"),)
    assert codec.receive.parameters == OPUS.parameters
    assert (codec.send.payload_type, codec.receive.payload_type) == (111, 111)


def test_equal_numbers_are_paired_first() -> None:
    ours = [numbered(h264("42e01f"), 102), numbered(h264("42c01f"), 104)]

    pairs, _ = pair_codecs(ours, [numbered(h264("42e01f"), 104)], RFC)

    assert [pair.local for pair in pairs] == [ours[1]]


@pytest.mark.requirement("sdp-media:SDP-O18")
def test_what_is_left_has_a_reason() -> None:
    remote = [
        numbered(VP9, 98),
        numbered(h264("42001f"), 102),
        numbered(h264("42e01f"), 103),
        numbered(h264("42e01f"), 104),
    ]

    pairs, reasons = pair_codecs([h264("42e01f")], remote, RFC)

    assert [pair.remote.payload_type for pair in pairs] == [103]
    assert reasons == {
        98: "not supported here",
        102: "Baseline is not wanted, only Constrained Baseline",
        104: "an earlier format is the same",
    }


def test_our_order_can_outrank_the_offers() -> None:
    pairs, _ = pair_codecs([H264, VP8], [numbered(VP8, 96), numbered(H264, 97)], RFC)

    assert [pair.local for pair in pairs] == [VP8, H264]
    assert [pair.local for pair in in_local_order(pairs, [H264, VP8])] == [H264, VP8]


@pytest.mark.requirement("sdp-media:SDP-A23")
@given(
    st.lists(
        st.sampled_from(["nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"]), unique=True
    ),
    st.lists(st.sampled_from(["NACK", "nack pli", "ack rpsi", "transport-cc"]), unique=True),
)
def test_common_feedback_is_in_both(ours: list[str], theirs: list[str]) -> None:
    local = dataclasses.replace(VP8, feedback=tuple(ours))
    remote = dataclasses.replace(VP8, feedback=tuple(theirs))

    common = common_feedback(local, remote)

    assert set(common) == set(ours) & {value.lower() for value in theirs}


def test_an_rtx_entry_is_no_codec_to_pair() -> None:
    pairs, _ = pair_codecs([RTX], [numbered(VP8, 96)], RFC)

    assert pairs == []


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="payload type"):
        numbered(VP8, 128)
    with pytest.raises(ValueError, match="positive"):
        RtpCodec(VIDEO, "VP8", 0)


def test_a_codec_reads_well() -> None:
    assert str(numbered(OPUS, 111)) == "111 opus/48000/2 minptime=10;useinbandfec=1"
