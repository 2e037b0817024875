"""RFC 8829 section 7 and RFC 9143 section 18: the examples of the RFCs."""

from __future__ import annotations

import pytest

from sdp import Direction, Negotiator, RtpCodec, SessionDescription, Setup
from sdp.attributes.extmap import ExtMap
from sdp.attributes.fmtp import Fmtp
from sdp.attributes.rtpmap import RtpMap
from sdp.negotiation.bundle import Bundle, find_bundle
from sdp.negotiation.remote import RemoteSection, read_answer_sections, read_offer_sections
from tests.sdp.negotiation import rfc_examples as examples
from tests.sdp.negotiation.parties import (
    ANSWER,
    AUDIO,
    OFFER,
    OPUS,
    OURS,
    RTX,
    VIDEO,
    answer_to,
    h264,
    party,
    transport,
)

TELEPHONE = tuple(
    RtpCodec(AUDIO, "telephone-event", rate, parameters=(("", "0-15"),)) for rate in (8000, 48000)
)
PCM = (RtpCodec(AUDIO, "PCMU", 8000), RtpCodec(AUDIO, "PCMA", 8000))
VP8 = RtpCodec(VIDEO, "VP8", 90000, feedback=("ccm fir", "nack", "nack pli"))
CODECS = (OPUS, *PCM, *TELEPHONE, VP8, h264(asymmetry=None), RTX)
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
EXTENSIONS = (
    (AUDIO, MID),
    (AUDIO, "urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
    (VIDEO, MID),
    (VIDEO, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"),
)


def jsep_endpoint() -> Negotiator:
    """An endpoint that has what those of the examples have."""
    return party(*CODECS, extensions=EXTENSIONS)


ALL = {name: text for name, text in vars(examples).items() if name.isupper()}


@pytest.mark.requirement("sdp-media:SDP-O11")
@pytest.mark.parametrize("text", ALL.values(), ids=ALL)
def test_an_example_is_read_and_given_back(text: str) -> None:
    assert str(SessionDescription.parse(text)) == text


@pytest.mark.requirement("sdp-media:SDP-O11")
@pytest.mark.parametrize(
    ("offer", "answer", "direction"),
    [
        pytest.param(
            examples.SIMPLE_OFFER, examples.SIMPLE_ANSWER, Direction.SENDRECV, id="simple"
        ),
        pytest.param(
            examples.WARMUP_OFFER, examples.WARMUP_ANSWER, Direction.SENDONLY, id="warmup"
        ),
    ],
)
def test_our_answer_says_what_the_answer_of_the_example_says(
    offer: str, answer: str, direction: Direction
) -> None:
    answerer = jsep_endpoint()
    for kind in (AUDIO, VIDEO):
        answerer.add_transceiver(kind, direction=direction, stream_ids=["s"])

    ours, theirs = answer_to(offer, answerer), SessionDescription.parse(answer)

    assert ours.session.values("group") == theirs.session.values("group")
    assert ours.session.value("ice-options") == theirs.session.value("ice-options")
    for mine, example in zip(ours.media, theirs.media, strict=True):
        assert mine.media.media == example.media.media
        assert set(mine.media.formats) == set(example.media.formats)
        assert mine.value("mid") == example.value("mid")
        assert mine.direction is example.direction
        assert set(mine.get_all(RtpMap)) == set(example.get_all(RtpMap))
        assert set(mine.values("rtcp-fb")) == set(example.values("rtcp-fb"))
        assert set(mine.get_all(ExtMap)) == set(example.get_all(ExtMap))
        assert set(mine.get_all(Fmtp)) >= set(example.get_all(Fmtp))
    assert ours.media[0].value("setup") == theirs.media[0].value("setup")
    assert ours.media[0].value("maxptime") == theirs.media[0].value("maxptime")


@pytest.mark.requirement("sdp-media:SDP-A12")
@pytest.mark.requirement("sdp-media:SDP-O11")
def test_rtcp_mux_only_in_an_answer_is_overlooked() -> None:
    """A listed exception: answer-B1 of RFC 8829 says it, RFC 8858 section 4 forbids it."""
    offerer = jsep_endpoint()
    offerer.add_transceiver(AUDIO)
    offer = offerer.create_offer(OURS)
    offerer.set_local(OFFER, offer)
    answer = examples.DETAILED_ANSWER.split("m=application", maxsplit=1)[0]
    formats = SessionDescription.parse(offer).media[0].media.formats

    offerer.set_remote(
        ANSWER,
        answer.replace("BUNDLE a1 d1", "BUNDLE a1")
        .replace("a1", "0")
        .replace("=sendrecv", "=recvonly"),
    )

    assert len(formats) == 5
    assert offerer.dtls_role is Setup.PASSIVE
    assert offerer.media[0].direction is Direction.SENDONLY


@pytest.mark.requirement("sdp-media:SDP-O11")
def test_a_bundle_only_data_channel_is_rejected_and_audio_goes_on() -> None:
    document = answer_to(examples.DETAILED_OFFER, jsep_endpoint())

    assert [section.media.port for section in document.media] == [9, 0]
    assert document.session.values("group") == ["BUNDLE a1"]


@pytest.mark.requirement("sdp-media:SDP-A16")
@pytest.mark.requirement("sdp-media:SDP-O11")
def test_the_first_answerer_may_offer_next_and_roles_stay() -> None:
    """Section 7.3: the second offer has the transport in its tagged section alone."""
    ours = jsep_endpoint()
    local = transport("4ZcD")
    for kind in (AUDIO, VIDEO):
        ours.add_transceiver(kind, stream_ids=["s"])
    offer = ours.create_offer(local)
    ours.set_local(OFFER, offer)
    ours.set_remote(ANSWER, with_mids_of(offer, examples.WARMUP_ANSWER))
    assert ours.dtls_role is Setup.PASSIVE

    answer = answer_to(with_mids_of(offer, examples.WARMUP_SECOND_OFFER), ours, local)

    assert [s.value("setup") for s in answer.media] == ["passive", "passive"]
    assert [m.direction for m in ours.media] == [Direction.SENDRECV, Direction.SENDRECV]
    assert ours.remote_transport is not None
    assert ours.remote_transport.candidates == (
        "candidate:1 1 udp 255 192.0.2.200 12200 typ relay raddr 0.0.0.0 rport 0",
    )
    assert ours.remote_transport.end_of_candidates


def with_mids_of(offer: str, text: str) -> str:
    """An example with the mids of our offer."""
    audio, video = (s.value("mid") or "" for s in SessionDescription.parse(offer).media)
    return text.replace("a1", audio).replace("v1", video)


def bundle_of(sections: tuple[RemoteSection, ...], document: SessionDescription) -> Bundle:
    return find_bundle(document, sections, lambda s: s.kind is not None and not s.disabled)


@pytest.mark.requirement("sdp-media:SDP-A07")
@pytest.mark.requirement("sdp-media:SDP-A08")
@pytest.mark.parametrize(
    ("text", "tagged", "members"),
    [
        pytest.param(examples.TAGGED_OFFER, 0, (0, 1), id="18.1"),
        pytest.param(examples.BUNDLE_ONLY_OFFER, 0, (0, 1), id="7.2.2-bundle-only"),
        pytest.param(examples.ADDED_OFFER, 2, (2, 0, 1), id="18.3-tagged-is-not-the-first"),
        pytest.param(examples.MOVED_OFFER, 0, (0, 1), id="18.4-moved-out"),
        pytest.param(examples.DISABLED_OFFER, 0, (0, 1), id="18.5-disabled"),
    ],
)
def test_the_tagged_section_of_an_offer(text: str, tagged: int, members: tuple[int, ...]) -> None:
    document = SessionDescription.parse(text)

    bundle = bundle_of(read_offer_sections(document), document)

    assert (bundle.tagged, bundle.members) == (tagged, members)


@pytest.mark.requirement("sdp-media:SDP-A07")
@pytest.mark.requirement("sdp-media:SDP-A08")
def test_in_an_answer_port_0_is_a_rejection_and_no_group_is_one_section() -> None:
    document = SessionDescription.parse(examples.REJECTED_ANSWER)
    odd = SessionDescription.parse(examples.BUNDLE_ONLY_OFFER)

    assert bundle_of(read_answer_sections(document), document).members == (0,)
    assert [s.disabled for s in read_answer_sections(odd)] == [False, True]
    assert [s.disabled for s in read_offer_sections(odd)] == [False, False]
