"""RFC 8829 section 5.2: offers, first and subsequent."""

from __future__ import annotations

import pytest

from sdp import (
    BundlePolicy,
    DescriptionRefused,
    Direction,
    ModifiedDescriptionError,
    NegotiationPolicy,
    RtpCodec,
    SessionDescription,
)
from sdp.attributes.extmap import ExtMap
from sdp.attributes.fmtp import Fmtp
from sdp.attributes.rtpmap import RtpMap
from tests.sdp.negotiation.parties import (
    ANSWER,
    AUDIO,
    H264,
    OFFER,
    OPUS,
    OURS,
    RTX,
    THEIRS,
    VIDEO,
    VP8,
    exchange,
    party,
    transport,
)

WHOLE_OFFER = """\
v=0
o=- 620061024206096652 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=ice-options:trickle ice2
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=mid:0
a=sendonly
a=msid:stream track
a=ice-ufrag:ours
a=ice-pwd:oursxxxxxxxxxxxxxxxxxxxx
a=fingerprint:sha-256 {digest}
a=setup:actpass
a=rtcp:9 IN IP4 0.0.0.0
a=rtcp-mux
a=rtcp-mux-only
a=rtcp-rsize
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:2 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 ccm fir
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=ssrc-group:FID {ssrc} {rtx}
a=ssrc:{ssrc} cname:{cname}
a=ssrc:{rtx} cname:{cname}
"""


@pytest.mark.requirement("sdp-media:SDP-O06")
@pytest.mark.requirement("sdp-media:SDP-A11")
@pytest.mark.requirement("sdp-media:SDP-A12")
@pytest.mark.requirement("sdp-media:SDP-G08")
def test_a_whole_offer_line_by_line() -> None:
    ours = party(VP8, RTX)
    video = ours.add_transceiver(
        VIDEO, direction=Direction.SENDONLY, stream_ids=["stream"], track_id="track"
    )

    text = ours.create_offer(OURS)

    document = SessionDescription.parse_strict(text)
    cname = document.media[0].values("ssrc")[0].partition("cname:")[2]
    expected = WHOLE_OFFER.format(
        digest=":".join(["AB"] * 32), ssrc=video.ssrc, rtx=video.rtx_ssrc, cname=cname
    ).replace("620061024206096652", document.origin.session_id)
    assert text == expected.replace("\n", "\r\n")
    assert len(cname) == 16


@pytest.mark.requirement("sdp-media:SDP-O06")
@pytest.mark.parametrize("seed", range(5))
def test_the_session_id_is_random_and_fits_63_bits(seed: int) -> None:
    origin = SessionDescription.parse(party(seed=seed).create_offer(OURS)).origin
    other = SessionDescription.parse(party(seed=seed + 100).create_offer(OURS)).origin

    assert int(origin.session_id) < 2**63 - 1
    assert origin.session_id != other.session_id


@pytest.mark.requirement("sdp-media:SDP-O03")
def test_the_version_grows_by_one_when_the_text_changes_and_only_then() -> None:
    ours = party()
    ours.add_transceiver(VIDEO)
    first, again = ours.create_offer(OURS), ours.create_offer(OURS)
    ours.add_transceiver(AUDIO)
    second = ours.create_offer(OURS)

    assert first == again
    origins = [SessionDescription.parse(text).origin for text in (first, second)]
    assert [origin.session_version for origin in origins] == ["1", "2"]
    assert origins[0].is_same_session(origins[1])


def test_an_offer_of_nothing_has_no_sections_and_no_group() -> None:
    document = SessionDescription.parse_strict(party().create_offer(OURS))

    assert document.media == []
    assert not document.session.has("group")


@pytest.mark.requirement("sdp-media:SDP-A07")
@pytest.mark.requirement("sdp-media:SDP-A29")
def test_every_bundled_section_repeats_the_transport() -> None:
    """A departure from RFC 9143 section 7.1.3: browsers do it, and aiortc refuses
    sections without credentials."""
    ours = party()
    ours.add_transceiver(AUDIO)
    ours.add_transceiver(VIDEO)

    document = SessionDescription.parse_strict(ours.create_offer(OURS))

    assert document.session.values("group") == ["BUNDLE 0 1"]
    for section in document.media:
        assert section.media.port == 9
        assert section.value("ice-ufrag") == "ours"
        assert section.has("rtcp-mux")


@pytest.mark.requirement("sdp-media:SDP-A07")
@pytest.mark.requirement("sdp-media:SDP-A08")
def test_bundle_only_sections_have_port_0_and_no_transport() -> None:
    ours = party(policy=NegotiationPolicy(bundle=BundlePolicy.BUNDLE_ONLY))
    theirs = party(seed=2)
    for kind in (AUDIO, VIDEO):
        ours.add_transceiver(kind)

    offer, answer = exchange(ours, theirs)

    audio, video = SessionDescription.parse_strict(offer).media
    assert (audio.media.port, audio.has("bundle-only")) == (9, False)
    assert (video.media.port, video.has("bundle-only")) == (0, True)
    assert not video.has("ice-ufrag")
    assert not video.has("rtcp-mux")
    assert "bundle-only" not in answer
    assert [media.rejected for media in ours.media] == [False, False]
    assert "bundle-only" not in ours.create_offer(OURS)


def test_candidates_are_written_and_the_default_one_is_shown() -> None:
    ours = party()
    ours.add_transceiver(AUDIO)
    candidates = (
        "candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host",
        "candidate:2 1 udp 1694498815 198.51.100.1 50001 typ srflx raddr 192.0.2.1 rport 50000",
    )

    text = ours.create_offer(transport(candidates=candidates, end_of_candidates=True))

    (audio,) = SessionDescription.parse_strict(text).media
    assert audio.media.port == 50001
    assert str(audio.connections[0]) == "IN IP4 198.51.100.1"
    assert [f"candidate:{value}" for value in audio.values("candidate")] == list(candidates)
    assert audio.has("end-of-candidates")


@pytest.mark.requirement("sdp-media:SDP-O06")
def test_sections_of_one_stream_are_a_lip_sync_group() -> None:
    ours = party()
    ours.add_transceiver(AUDIO, stream_ids=["s"])
    ours.add_transceiver(VIDEO, stream_ids=["s"])
    ours.add_transceiver(VIDEO, stream_ids=["other"])

    document = SessionDescription.parse_strict(ours.create_offer(OURS))

    assert document.session.values("group") == ["BUNDLE 0 1 2", "LS 0 1"]


@pytest.mark.requirement("sdp-media:SDP-O17")
def test_no_payload_type_looks_like_rtcp_and_none_means_two_formats() -> None:
    codecs = [RtpCodec(VIDEO, f"X{number}", 90000) for number in range(27)]
    ours = party(*codecs, RTX)
    for _ in range(2):
        ours.add_transceiver(VIDEO)

    document = SessionDescription.parse_strict(ours.create_offer(OURS))

    numbers = [int(number) for number in document.media[0].media.formats]
    assert len(set(numbers)) == len(numbers) == 54
    assert not set(numbers) & set(range(64, 96))
    assert document.media[0].media.formats == document.media[1].media.formats


def test_more_codecs_than_payload_types_are_refused() -> None:
    ours = party(*(RtpCodec(VIDEO, f"X{number}", 90000) for number in range(62)))
    ours.add_transceiver(VIDEO)

    with pytest.raises(DescriptionRefused, match="no payload type is free"):
        ours.create_offer(OURS)


def test_a_wish_for_a_payload_type_is_kept_where_it_is_free() -> None:
    wishes = [
        RtpCodec(AUDIO, "PCMU", 8000, payload_type=0),
        RtpCodec(AUDIO, "x", 8000, payload_type=0),
        RtpCodec(AUDIO, "y", 8000, payload_type=72),
    ]
    ours = party(*wishes)
    ours.add_transceiver(AUDIO)

    document = SessionDescription.parse_strict(ours.create_offer(OURS))

    assert document.media[0].media.payload_types == (0, 96, 97)


def test_a_reoffer_names_all_local_candidates_and_no_remote_ones() -> None:
    """A departure from RFC 8839 section 4.4.1.2.2: offers do not know what ICE has selected."""
    lines = tuple(f"candidate:{n} 1 udp {n} 192.0.2.{n} 9 typ host" for n in (1, 2))
    ours, theirs = party(seed=1), party(seed=2)
    ours.add_transceiver(AUDIO)
    exchange(ours, theirs)

    second = SessionDescription.parse_strict(ours.create_offer(transport(candidates=lines)))

    assert len(second.media[0].values("candidate")) == 2
    assert not second.media[0].has("remote-candidates")


@pytest.mark.requirement("sdp-media:SDP-O07")
def test_a_reoffer_keeps_mids_order_payload_types_and_extension_ids() -> None:
    ours, theirs = party(seed=1), party(H264, VP8, OPUS, RTX, seed=2)
    ours.add_transceiver(AUDIO)
    ours.add_transceiver(VIDEO)
    first, _ = exchange(ours, theirs)
    ours.add_transceiver(VIDEO)

    second = SessionDescription.parse_strict(ours.create_offer(OURS))

    before = SessionDescription.parse_strict(first)
    assert [s.value("mid") for s in second.media] == ["0", "1", "2"]
    for old, new in zip(before.media, second.media, strict=False):
        assert set(old.get_all(RtpMap)) == set(new.get_all(RtpMap))
        assert set(old.get_all(ExtMap)) == set(new.get_all(ExtMap))
    assert set(second.media[2].get_all(RtpMap)) == set(second.media[1].get_all(RtpMap))


@pytest.mark.requirement("sdp-media:SDP-O07")
def test_the_answerers_reoffer_keeps_the_numbers_of_the_offer() -> None:
    ours, theirs = party(seed=1), party(H264, VP8, OPUS, RTX, seed=2)
    ours.add_transceiver(AUDIO)
    ours.add_transceiver(VIDEO)
    first, _ = exchange(ours, theirs)

    offer = SessionDescription.parse_strict(theirs.create_offer(THEIRS))

    before = SessionDescription.parse_strict(first)
    for old, new in zip(before.media, offer.media, strict=True):
        assert set(new.get_all(RtpMap)) == set(old.get_all(RtpMap))
        assert set(new.get_all(ExtMap)) == set(old.get_all(ExtMap))
        assert set(new.get_all(Fmtp)) == set(old.get_all(Fmtp))


@pytest.mark.requirement("sdp-media:SDP-A16")
@pytest.mark.requirement("sdp-media:SDP-O07")
def test_a_reoffer_says_actpass_and_no_longer_rtcp_mux_only() -> None:
    ours, theirs = party(seed=1), party(seed=2)
    ours.add_transceiver(AUDIO)
    exchange(ours, theirs)

    (audio,) = SessionDescription.parse_strict(ours.create_offer(OURS)).media

    assert audio.value("setup") == "actpass"
    assert audio.has("rtcp-mux")
    assert not audio.has("rtcp-mux-only")
    assert not audio.has("rtcp")


@pytest.mark.requirement("sdp-media:SDP-O03")
@pytest.mark.requirement("sdp-media:SDP-O07")
def test_a_stopped_transceiver_leaves_a_slot_that_a_new_one_takes() -> None:
    ours, theirs = party(seed=1), party(seed=2)
    stopped = ours.add_transceiver(VIDEO)
    ours.add_transceiver(AUDIO)
    exchange(ours, theirs)
    stopped.stop()

    offer, answer = exchange(ours, theirs)

    ports = [s.media.port for s in SessionDescription.parse_strict(offer).media]
    assert ports == [0, 9]
    assert SessionDescription.parse_strict(answer).session.values("group") == ["BUNDLE 1"]
    assert [media.rejected for media in ours.media] == [True, False]
    assert stopped.mid is None
    new = ours.add_transceiver(AUDIO)
    offer, _ = exchange(ours, theirs)
    first, second = SessionDescription.parse_strict(offer).media
    assert (first.media.media, first.value("mid"), first.media.port) == ("audio", "2", 9)
    assert second.value("mid") == "1"
    assert (new.mid, new.index) == ("2", 0)


def test_only_what_was_created_last_can_be_set() -> None:
    ours = party()
    ours.add_transceiver(VIDEO)
    offer = ours.create_offer(OURS)

    with pytest.raises(ModifiedDescriptionError):
        ours.set_local(OFFER, offer.replace("sendrecv", "sendonly"))
    ours.set_local(OFFER, offer)


def test_an_answer_that_was_not_created_cannot_be_set() -> None:
    ours, theirs = party(seed=1), party(seed=2)
    theirs.add_transceiver(VIDEO)
    ours.set_remote(OFFER, theirs.create_offer(THEIRS))

    with pytest.raises(ModifiedDescriptionError):
        ours.set_local(ANSWER, "v=0\r\n")


def test_negotiation_is_needed_for_new_changed_and_stopped_transceivers() -> None:
    ours, theirs = party(seed=1), party(seed=2)
    assert not ours.negotiation_needed
    video = ours.add_transceiver(VIDEO)
    assert ours.negotiation_needed
    exchange(ours, theirs)
    assert not ours.negotiation_needed
    video.direction = Direction.SENDONLY
    assert ours.negotiation_needed
    exchange(ours, theirs)
    assert not ours.negotiation_needed
    video.stop()
    assert ours.negotiation_needed


def test_feedback_that_the_answer_left_out_does_not_come_back() -> None:
    plain = RtpCodec(VIDEO, "VP8", 90000, feedback=("nack",))
    ours, theirs = party(VP8, seed=1), party(plain, seed=2)
    ours.add_transceiver(VIDEO)
    exchange(ours, theirs)

    (video,) = SessionDescription.parse_strict(ours.create_offer(OURS)).media

    assert video.values("rtcp-fb") == ["96 nack"]
