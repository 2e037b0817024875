"""RFC 8829 section 5.8.3: descriptions that break a rule, and the section at fault."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from sdp import DescriptionRefused, Direction, Negotiator, Setup
from tests.sdp.negotiation.parties import (
    ANSWER,
    AUDIO,
    AUDIO_SECTION,
    MID_URI,
    OFFER,
    OURS,
    PRANSWER,
    THEIRS,
    VIDEO,
    VIDEO_SECTION,
    answer_to,
    exchange,
    party,
    remote_offer,
    transport,
)

BOTH = remote_offer(AUDIO_SECTION, VIDEO_SECTION)


def without(name: str) -> str:
    """An offer with an attribute taken out of every section."""
    return re.sub(rf"a={name}:[^\n]*\n", "", BOTH)


BAD_OFFERS = [
    pytest.param(without("ice-ufrag"), 0, "a=ice-ufrag is missing", id="no-ufrag"),
    pytest.param(without("ice-pwd"), 0, "a=ice-pwd is missing", id="no-pwd"),
    pytest.param(without("fingerprint"), 0, "a=fingerprint is missing", id="no-fingerprint"),
    pytest.param(without("setup"), 0, "a=setup is missing", id="no-setup"),
    pytest.param(
        re.sub("sha-256 [^\r]*", "sha-1 " + ":".join(["AB"] * 20), BOTH),
        0,
        "may be used",
        id="only-sha-1",
    ),
    pytest.param(BOTH.replace("a=mid:1", "a=mid:0"), 1, "not unique", id="mid-twice"),
    pytest.param(BOTH.replace("BUNDLE 0 1", "BUNDLE 0 2"), None, "no section", id="unknown-mid"),
    pytest.param(BOTH.replace("BUNDLE 0 1", "BUNDLE 0 0"), None, "twice", id="mid-grouped-twice"),
    pytest.param(
        remote_offer(AUDIO_SECTION.replace("rtcp-mux", "rtcp-mux-only")),
        0,
        "rtcp-mux",
        id="mux-only",
    ),
    pytest.param(
        remote_offer(
            VIDEO_SECTION.replace(" 96|", " 96 97|") + "|a=rtpmap:97 rtx/90000|a=fmtp:97 apt=98"
        ),
        0,
        "rtx 97",
        id="orphaned-rtx",
    ),
    pytest.param(
        remote_offer(VIDEO_SECTION + "|a=rid:1 send|a=simulcast:send 1;2"), 0, "rid 2", id="rid"
    ),
    pytest.param(
        remote_offer(AUDIO_SECTION, VIDEO_SECTION.replace("96", "111")),
        1,
        "payload type 111",
        id="payload-type-twice",
    ),
    pytest.param(
        remote_offer(AUDIO_SECTION + f"|a=extmap:1 {MID_URI}", VIDEO_SECTION + "|a=extmap:1 urn:x"),
        1,
        "extmap 1",
        id="extmap-twice",
    ),
    pytest.param(
        remote_offer(AUDIO_SECTION + f"|a=extmap:1 {MID_URI}|a=extmap:1 urn:x"),
        0,
        "extmap 1",
        id="extmap-twice-in-one",
    ),
]


@pytest.mark.requirement("sdp-media:SDP-O09")
@pytest.mark.requirement("sdp-media:SDP-A10")
@pytest.mark.requirement("sdp-media:SDP-A20")
@pytest.mark.parametrize(("offer", "index", "problem"), BAD_OFFERS)
def test_an_offer_that_breaks_a_rule_is_refused_by_section(
    offer: str, index: int | None, problem: str
) -> None:
    with pytest.raises(DescriptionRefused, match=problem) as caught:
        party().set_remote(OFFER, offer)

    assert caught.value.index == index


@pytest.mark.requirement("sdp-media:SDP-O09")
def test_attributes_of_the_session_hold_for_sections() -> None:
    lines = re.findall(r"a=(?:ice-ufrag|ice-pwd|fingerprint|setup)[^\n]*\n", BOTH)[:4]
    stripped = BOTH
    for line in set(lines):
        stripped = stripped.replace(line, "")
    offer = stripped.replace("m=audio", "".join(lines) + "m=audio", 1)
    answerer = party()

    answer_to(offer, answerer)

    assert answerer.remote_transport is not None
    assert answerer.remote_transport.ice_ufrag == "them"


def reoffered(change: Callable[[str], str]) -> Negotiator:
    """An answerer with both sections that then gets a changed offer."""
    answerer = party()
    answer_to(BOTH, answerer)
    answerer.set_remote(OFFER, change(BOTH))
    return answerer


BAD_REOFFERS = [
    pytest.param(lambda t: t.split("m=video")[0].replace("0 1", "0"), None, "2 m=", id="fewer"),
    pytest.param(lambda t: t.replace("mid:1", "mid:9").replace("0 1", "0 9"), 1, "mid 1", id="mid"),
    pytest.param(lambda t: t.replace("m=video", "m=audio"), 1, "became audio", id="kind"),
    pytest.param(lambda t: t.replace("CD:", "EF:"), 0, "ICE restart", id="fingerprint"),
    pytest.param(
        lambda t: t.replace("a=setup", f"a=tls-id:{'x' * 20}\r\na=setup"),
        0,
        "ICE restart",
        id="tls-id",
    ),
]


@pytest.mark.requirement("sdp-media:SDP-O09")
@pytest.mark.requirement("sdp-media:SDP-A17")
@pytest.mark.parametrize(("change", "index", "problem"), BAD_REOFFERS)
def test_a_reoffer_that_contradicts_what_was_agreed_is_refused(
    change: Callable[[str], str], index: int | None, problem: str
) -> None:
    with pytest.raises(DescriptionRefused, match=problem) as caught:
        reoffered(change)

    assert caught.value.index == index


@pytest.mark.requirement("sdp-media:SDP-A17")
def test_a_new_association_comes_with_an_ice_restart() -> None:
    answerer = reoffered(lambda t: t.replace("CD:", "EF:").replace("them", "newx"))

    assert answerer.remote_transport is not None
    assert answerer.remote_transport.ice_ufrag == "newx"


def answered(change: Callable[[str], str]) -> Negotiator:
    """An offerer of audio and video that gets a changed answer."""
    ours, theirs = party(seed=1), party(seed=2)
    for kind in (AUDIO, VIDEO):
        ours.add_transceiver(kind)
    offer = ours.create_offer(OURS)
    ours.set_local(OFFER, offer)
    ours.set_remote(ANSWER, change(str(answer_to(offer, theirs, THEIRS))))
    return ours


def cut(text: str) -> str:
    return text.split("m=video")[0].replace("BUNDLE 0 1", "BUNDLE 0")


BAD_ANSWERS = [
    pytest.param(cut, None, "2 m= sections were offered, 1", id="fewer"),
    pytest.param(lambda t: t.replace("m=video", "m=audio"), 1, "audio answered", id="kind"),
    pytest.param(lambda t: t.replace("SAVPF", "SAVP", 1), 0, "SAVP answered", id="protocol"),
    pytest.param(lambda t: t.replace("mid:0", "mid:7").replace("0 1", "7 1"), 0, "mid", id="mid"),
    pytest.param(lambda t: t.replace("a=rtcp-mux\r\n", ""), 0, "rtcp-mux", id="no-mux"),
    pytest.param(lambda t: t.replace("setup:active", "setup:actpass"), 0, "setup", id="actpass"),
    pytest.param(
        lambda t: t.replace("a=rtcp-mux", "a=bundle-only\r\na=rtcp-mux"),
        0,
        "bundle-only",
        id="bundle-only",
    ),
    pytest.param(lambda t: t.replace("a=ice-ufrag", "a=x-ufrag"), 0, "ice-ufrag", id="no-ufrag"),
]


@pytest.mark.requirement("sdp-media:SDP-O09")
@pytest.mark.requirement("sdp-media:SDP-A08")
@pytest.mark.requirement("sdp-media:SDP-A11")
@pytest.mark.parametrize(("change", "index", "problem"), BAD_ANSWERS)
def test_an_answer_that_does_not_fit_the_offer_is_refused_by_section(
    change: Callable[[str], str], index: int | None, problem: str
) -> None:
    with pytest.raises(DescriptionRefused, match=problem) as caught:
        answered(change)

    assert caught.value.index == index


def test_a_rejected_section_cannot_be_accepted() -> None:
    ours, theirs = party(seed=1), party(seed=2)
    stopped = ours.add_transceiver(VIDEO)
    ours.add_transceiver(AUDIO)
    exchange(ours, theirs)
    stopped.stop()
    offer = ours.create_offer(OURS)
    ours.set_local(OFFER, offer)
    answer = str(answer_to(offer, theirs, THEIRS))

    with pytest.raises(DescriptionRefused, match="rejected section was accepted"):
        ours.set_remote(ANSWER, answer.replace("m=video 0", "m=video 9"))


@pytest.mark.requirement("sdp-media:SDP-A07")
def test_sections_that_the_peer_did_not_bundle_are_dropped() -> None:
    """Its second section would need a second transport."""
    ours = answered(lambda t: t.replace("a=group:BUNDLE 0 1\r\n", ""))

    assert [media.rejected for media in ours.media] == [False, True]
    assert any("did not bundle" in entry.reason for entry in ours.report)


@pytest.mark.requirement("sdp-media:SDP-A11")
def test_rtcp_mux_of_the_tagged_section_holds_for_the_group() -> None:
    def strip_video(text: str) -> str:
        head, video = text.split("m=video")
        return head + "m=video" + video.replace("a=rtcp-mux\r\n", "")

    assert [media.rejected for media in answered(strip_video).media] == [False, False]


def test_feedback_that_was_not_offered_is_overlooked() -> None:
    """A departure from RFC 8829 section 5.11, which wants an error: the KVS C SDK
    answers with its own list."""
    ours = answered(lambda t: t.replace("a=rtcp-fb:97 nack\r\n", "a=rtcp-fb:97 x-odd\r\n"))

    assert all("x-odd" not in c.send.feedback for m in ours.media for c in m.codecs)


@pytest.mark.requirement("sdp-media:SDP-O02")
def test_an_answer_that_gives_more_than_was_offered_gives_no_more_than_that() -> None:
    ours, theirs = party(seed=1), party(seed=2)
    ours.add_transceiver(AUDIO, direction=Direction.SENDONLY)
    offer = ours.create_offer(OURS)
    ours.set_local(OFFER, offer)
    answer = str(answer_to(offer, theirs, THEIRS))

    ours.set_remote(ANSWER, answer.replace("a=recvonly", "a=sendrecv"))

    assert ours.media[0].direction is Direction.SENDONLY


def test_a_section_with_no_common_codec_in_the_answer_is_dropped() -> None:
    ours = answered(lambda t: t.replace("opus/48000", "other/48000"))

    assert [media.rejected for media in ours.media] == [True, False]


def restarting(offered: str, answer: str, *, certificate: str = "CD") -> Negotiator:
    """Two exchanges; in the second the credentials are as named."""
    ours, theirs = party(seed=1), party(seed=2)
    ours.add_transceiver(AUDIO)
    exchange(ours, theirs, transport("one1"), transport("two2", certificate="CD"))
    exchange(ours, theirs, transport(offered), transport(answer, certificate=certificate))
    return ours


@pytest.mark.requirement("sdp-media:SDP-O09")
@pytest.mark.parametrize(
    ("offered", "answer", "certificate", "problem"),
    [
        ("one1", "new2", "CD", "without an ICE restart"),
        ("new1", "two2", "CD", "old credentials"),
        ("one1", "two2", "EF", "without an ICE restart"),
    ],
)
def test_an_ice_restart_is_answered_by_one_and_by_nothing_else(
    offered: str, answer: str, certificate: str, problem: str
) -> None:
    with pytest.raises(DescriptionRefused, match=problem):
        restarting(offered, answer, certificate=certificate)


def test_an_ice_restart_of_both_sides_goes_through() -> None:
    ours = restarting("new1", "new2")

    assert ours.remote_transport is not None
    assert ours.remote_transport.ice_ufrag == "new2"


def test_the_transport_goes_with_the_last_section_and_may_come_back_in_other_roles() -> None:
    ours, theirs = party(seed=1), party(seed=2)
    ours.add_transceiver(AUDIO)
    exchange(ours, theirs)
    theirs.transceivers[0].stop()
    exchange(theirs, ours, THEIRS, OURS)
    assert (ours.remote_transport, ours.dtls_role) == (None, None)
    assert (theirs.remote_transport, theirs.dtls_role) == (None, None)
    theirs.add_transceiver(AUDIO)

    exchange(theirs, ours, THEIRS, OURS)

    assert (ours.dtls_role, theirs.dtls_role) == (Setup.ACTIVE, Setup.PASSIVE)


@pytest.mark.requirement("sdp-media:SDP-A16")
def test_an_association_that_goes_on_keeps_its_roles() -> None:
    ours, theirs = party(seed=1), party(seed=2)
    ours.add_transceiver(AUDIO)
    exchange(ours, theirs)
    offer = ours.create_offer(OURS)
    ours.set_local(OFFER, offer)
    answer = str(answer_to(offer, theirs, THEIRS))

    with pytest.raises(DescriptionRefused, match="DTLS role changed"):
        ours.set_remote(ANSWER, answer.replace("setup:active", "setup:passive"))
    ours.set_remote(PRANSWER, answer)
