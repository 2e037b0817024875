"""RFC 8829 section 3.5.2, RFC 8838: candidates on their way to ICE."""

from __future__ import annotations

import pytest

from sdp import CandidateDrop, CandidateMessage, Negotiator
from tests.sdp.negotiation.parties import (
    ANSWER,
    AUDIO,
    AUDIO_SECTION,
    DATA_SECTION,
    OFFER,
    OURS,
    VIDEO,
    VIDEO_SECTION,
    answer_to,
    exchange,
    party,
    remote_offer,
    transport,
)

ONE = "candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host"
TWO = "candidate:2 1 udp 1694498815 198.51.100.1 50001 typ srflx raddr 192.0.2.1 rport 50000"

OFFERED = remote_offer(DATA_SECTION, AUDIO_SECTION, VIDEO_SECTION)


def with_offer(offer: str = OFFERED) -> Negotiator:
    negotiator = party()
    negotiator.set_remote(OFFER, offer)
    return negotiator


@pytest.mark.requirement("sdp-media:SDP-O12")
def test_candidates_wait_for_the_remote_description() -> None:
    negotiator = party()
    negotiator.add_remote_candidate(CandidateMessage(ONE, "1", 1))
    assert negotiator.take_remote_candidates() == ()

    negotiator.set_remote(OFFER, OFFERED)

    assert negotiator.take_remote_candidates() == (ONE,)
    assert negotiator.take_remote_candidates() == ()


@pytest.mark.requirement("sdp-media:SDP-O12")
@pytest.mark.parametrize(
    "message",
    [
        pytest.param(CandidateMessage(ONE, "1", 1), id="mid-and-index"),
        pytest.param(CandidateMessage(ONE, "1", 7), id="mid-outranks-index"),
        pytest.param(CandidateMessage(ONE, None, 2), id="index"),
        pytest.param(CandidateMessage(ONE, "0", 0), id="the-offers-tagged-section"),
        pytest.param(CandidateMessage(ONE), id="no-section"),
        pytest.param(CandidateMessage(ONE, "1", 1, "them"), id="ufrag"),
        pytest.param(CandidateMessage("a=" + ONE + "\r\n", "1"), id="as-a-line"),
        pytest.param(CandidateMessage(ONE.removeprefix("candidate:"), "1"), id="bare"),
    ],
)
def test_a_candidate_of_the_bundle_is_handed_on(message: CandidateMessage) -> None:
    negotiator = with_offer()

    negotiator.add_remote_candidate(message)

    assert negotiator.take_remote_candidates() == (ONE,)


@pytest.mark.requirement("sdp-media:SDP-O12")
@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (CandidateMessage(ONE, "9", 0), CandidateDrop.UNKNOWN_SECTION),
        (CandidateMessage(ONE, None, 3), CandidateDrop.UNKNOWN_SECTION),
        (CandidateMessage(ONE, None, -1), CandidateDrop.UNKNOWN_SECTION),
        (CandidateMessage(ONE, "1", 1, "old1"), CandidateDrop.OTHER_GENERATION),
        (
            CandidateMessage(ONE + " generation 0 ufrag old1 network-id 1", "1"),
            CandidateDrop.OTHER_GENERATION,
        ),
    ],
)
def test_a_candidate_that_does_not_count_is_dropped_with_a_reason(
    message: CandidateMessage, reason: CandidateDrop
) -> None:
    negotiator = with_offer()

    negotiator.add_remote_candidate(message)

    assert negotiator.take_remote_candidates() == ()
    assert negotiator.dropped_candidates == {reason: 1}


def test_a_section_outside_of_the_bundle_has_no_candidates_for_us() -> None:
    negotiator = with_offer(remote_offer(AUDIO_SECTION, VIDEO_SECTION, group=False))

    negotiator.add_remote_candidate(CandidateMessage(ONE, "1"))

    assert negotiator.dropped_candidates == {CandidateDrop.OTHER_TRANSPORT: 1}


@pytest.mark.requirement("sdp-media:SDP-A05")
@pytest.mark.parametrize("end", ["", "end-of-candidates", "a=end-of-candidates\r\n"])
def test_after_the_end_no_candidate_counts(end: str) -> None:
    negotiator = with_offer()
    negotiator.add_remote_candidate(CandidateMessage(ONE, "1"))
    negotiator.add_remote_candidate(CandidateMessage(end, "1"))
    negotiator.add_remote_candidate(CandidateMessage(TWO, "1"))

    assert negotiator.take_remote_candidates() == (ONE, "")
    assert negotiator.dropped_candidates == {CandidateDrop.AFTER_THE_END: 1}


@pytest.mark.requirement("sdp-media:SDP-A05")
@pytest.mark.parametrize("level", ["media", "session"])
def test_candidates_and_their_end_come_from_the_description_too(level: str) -> None:
    end = "a=end-of-candidates"
    media = f"|a={ONE}|a={TWO}|a={ONE}" + (f"|{end}" if level == "media" else "")
    session = f"{end}\r\n" if level == "session" else ""
    negotiator = with_offer(remote_offer(AUDIO_SECTION + media, session=session))

    assert negotiator.take_remote_candidates() == (ONE, TWO, "")
    negotiator.add_remote_candidate(CandidateMessage(ONE, "0"))
    assert negotiator.take_remote_candidates() == ()


def test_candidates_of_sections_that_bundling_leaves_unused_are_not_taken() -> None:
    """A first offer may have a transport for each section (RFC 9143 section 7.2)."""
    offer = remote_offer(f"{AUDIO_SECTION}|a={ONE}", f"{VIDEO_SECTION}|a={TWO}")

    assert with_offer(offer).take_remote_candidates() == (ONE,)


def test_a_candidate_comes_once() -> None:
    negotiator = with_offer()
    for _ in range(3):
        negotiator.add_remote_candidate(CandidateMessage(ONE, "1"))

    assert negotiator.take_remote_candidates() == (ONE,)
    assert negotiator.dropped_candidates == {CandidateDrop.DUPLICATE: 2}


def numbered(number: int) -> str:
    return f"candidate:{number} 1 udp 2130706431 192.0.2.1 {number} typ host"


def test_waiting_candidates_are_bounded() -> None:
    negotiator = party()
    for number in range(150):
        negotiator.add_remote_candidate(CandidateMessage(numbered(number)))
    negotiator.set_remote(OFFER, OFFERED)

    assert len(negotiator.take_remote_candidates()) == 100
    assert negotiator.dropped_candidates == {CandidateDrop.TOO_MANY: 50}


def test_candidates_of_one_generation_are_bounded() -> None:
    negotiator = with_offer()
    for number in range(300):
        negotiator.add_remote_candidate(CandidateMessage(numbered(number)))

    assert len(negotiator.take_remote_candidates()) == 256
    assert negotiator.dropped_candidates == {CandidateDrop.TOO_MANY: 44}


def test_a_restart_begins_a_new_generation() -> None:
    negotiator = party()
    answer_to(OFFERED, negotiator)
    negotiator.add_remote_candidate(CandidateMessage("", "1"))
    negotiator.set_remote(OFFER, OFFERED.replace("them", "newx"))

    negotiator.add_remote_candidate(CandidateMessage(ONE, "1", 1, "newx"))
    negotiator.add_remote_candidate(CandidateMessage(TWO, "1", 1, "them"))

    assert negotiator.take_remote_candidates() == (ONE,)


@pytest.mark.requirement("sdp-media:SDP-A06")
def test_the_peers_ice_options_are_told() -> None:
    negotiator = with_offer(remote_offer(AUDIO_SECTION, session="a=ice-options:trickle ice2\r\n"))

    assert negotiator.remote_transport is not None
    assert negotiator.remote_transport.ice_options == ("trickle", "ice2")


@pytest.mark.requirement("sdp-media:SDP-A04")
@pytest.mark.requirement("ice:X08")
def test_ice_lite_and_pacing_are_told() -> None:
    session = "a=ice-lite\r\na=ice-pacing:20\r\n"
    transport_read = with_offer(remote_offer(AUDIO_SECTION, session=session)).remote_transport

    assert transport_read is not None
    assert (transport_read.ice_lite, transport_read.ice_pacing) == (True, 20)


@pytest.mark.requirement("sdp-media:SDP-O12")
def test_local_candidates_are_addressed_to_the_tagged_section() -> None:
    ours, theirs = party(seed=1), party(seed=2)
    ours.add_transceiver(AUDIO)
    ours.add_transceiver(VIDEO)
    ours.set_local(OFFER, ours.create_offer(OURS))

    assert ours.candidate_message(ONE) == CandidateMessage(ONE, "0", 0, "ours")
    ours.rollback()
    exchange(ours, theirs)
    assert ours.candidate_message("") == CandidateMessage("", "2", 0, "ours")
    assert theirs.candidate_message(ONE) == CandidateMessage(ONE, "2", 0, "theirs")


def test_an_answerer_addresses_its_candidates_past_a_rejected_section() -> None:
    negotiator = party()
    answer_to(OFFERED, negotiator)

    assert negotiator.candidate_message(ONE) == CandidateMessage(ONE, "1", 1, "ours")


def test_candidates_in_an_answer_are_handed_on() -> None:
    ours, theirs = party(seed=1), party(seed=2)
    ours.add_transceiver(AUDIO)
    offer = ours.create_offer(OURS)
    ours.set_local(OFFER, offer)
    ours.add_remote_candidate(CandidateMessage(TWO, "0", 0))
    answer = answer_to(offer, theirs, transport("theirs", candidates=(ONE,)))

    ours.set_remote(ANSWER, str(answer))

    assert ours.take_remote_candidates() == (ONE, TWO)
