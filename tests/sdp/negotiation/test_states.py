"""RFC 8829 section 3.2: the signaling states, against a model."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sdp import InvalidStateError, Negotiator, SdpType, SessionDescription, SignalingState
from tests.sdp.negotiation.parties import (
    ANSWER,
    AUDIO,
    OFFER,
    OURS,
    PRANSWER,
    THEIRS,
    VIDEO,
    answer_to,
    party,
)

S = SignalingState

AFTER_LOCAL = {
    (S.STABLE, OFFER): S.HAVE_LOCAL_OFFER,
    (S.HAVE_LOCAL_OFFER, OFFER): S.HAVE_LOCAL_OFFER,
    (S.HAVE_REMOTE_OFFER, PRANSWER): S.HAVE_LOCAL_PRANSWER,
    (S.HAVE_REMOTE_OFFER, ANSWER): S.STABLE,
    (S.HAVE_LOCAL_PRANSWER, PRANSWER): S.HAVE_LOCAL_PRANSWER,
    (S.HAVE_LOCAL_PRANSWER, ANSWER): S.STABLE,
}
AFTER_REMOTE = {
    (S.STABLE, OFFER): S.HAVE_REMOTE_OFFER,
    (S.HAVE_REMOTE_OFFER, OFFER): S.HAVE_REMOTE_OFFER,
    (S.HAVE_LOCAL_OFFER, PRANSWER): S.HAVE_REMOTE_PRANSWER,
    (S.HAVE_LOCAL_OFFER, ANSWER): S.STABLE,
    (S.HAVE_REMOTE_PRANSWER, PRANSWER): S.HAVE_REMOTE_PRANSWER,
    (S.HAVE_REMOTE_PRANSWER, ANSWER): S.STABLE,
}


class SignalingStates(RuleBasedStateMachine):
    """Every call in every state: either the model's next state, or InvalidStateError
    and nothing changed."""

    def __init__(self) -> None:
        super().__init__()
        self.state = S.STABLE
        self.ours = party(seed=1)
        self.ours.add_transceiver(VIDEO)
        self.theirs = party(seed=2)
        self.theirs.add_transceiver(AUDIO)
        self.texts: dict[SdpType, str] = {}

    @rule(kind=st.sampled_from(SdpType))
    def set_local(self, kind: SdpType) -> None:
        expected = AFTER_LOCAL.get((self.state, kind))
        if expected is None:
            with pytest.raises(InvalidStateError):
                self.ours.set_local(kind, "")
            return
        create = self.ours.create_offer if kind is OFFER else self.ours.create_answer
        text = create(OURS)
        self.ours.set_local(kind, text)
        self.state = expected
        self.texts[OFFER] = text
        if kind is ANSWER:
            self.theirs.set_remote(ANSWER, text)

    @rule(kind=st.sampled_from(SdpType))
    def set_remote(self, kind: SdpType) -> None:
        expected = AFTER_REMOTE.get((self.state, kind))
        if expected is None:
            with pytest.raises(InvalidStateError):
                self.ours.set_remote(kind, "")
            return
        if kind is OFFER:
            text = self.theirs.create_offer(THEIRS)
            self.theirs.set_local(OFFER, text)
        else:
            if self.theirs.signaling_state is not S.HAVE_REMOTE_OFFER:
                self.theirs.set_remote(OFFER, self.texts[OFFER])
            text = self.theirs.create_answer(THEIRS)
            if kind is ANSWER:
                self.theirs.set_local(ANSWER, text)
        self.ours.set_remote(kind, text)
        self.state = expected

    @rule()
    def rollback(self) -> None:
        if self.state not in (S.HAVE_LOCAL_OFFER, S.HAVE_REMOTE_OFFER):
            with pytest.raises(InvalidStateError):
                self.ours.rollback()
            return
        before = self.ours.media
        self.ours.rollback()
        if self.theirs.signaling_state is S.HAVE_LOCAL_OFFER:
            self.theirs.rollback()
        self.state = S.STABLE
        assert self.ours.media == before

    @rule()
    def create_in_the_wrong_state(self) -> None:
        if self.state not in (S.STABLE, S.HAVE_LOCAL_OFFER):
            with pytest.raises(InvalidStateError):
                self.ours.create_offer(OURS)
        if self.state not in (S.HAVE_REMOTE_OFFER, S.HAVE_LOCAL_PRANSWER):
            with pytest.raises(InvalidStateError):
                self.ours.create_answer(OURS)

    @invariant()
    def the_states_agree(self) -> None:
        assert self.ours.signaling_state is self.state

    @invariant()
    def every_mid_is_one_transceivers(self) -> None:
        mids = [t.mid for t in self.ours.transceivers if t.mid is not None]
        assert len(mids) == len(set(mids))


TestSignalingStates = pytest.mark.long(
    pytest.mark.requirement("sdp-media:SDP-O04")(
        pytest.mark.requirement("sdp-media:SDP-O05")(SignalingStates.TestCase)
    )
)
"""Long: fifty runs of fifty steps."""


def closed() -> Negotiator:
    negotiator = party()
    negotiator.close()
    return negotiator


@pytest.mark.requirement("sdp-media:SDP-O04")
def test_a_closed_negotiator_takes_nothing_more() -> None:
    with pytest.raises(InvalidStateError):
        closed().create_offer(OURS)
    with pytest.raises(InvalidStateError):
        closed().set_remote(OFFER, "")
    with pytest.raises(InvalidStateError):
        closed().add_transceiver(VIDEO)
    with pytest.raises(InvalidStateError):
        closed().rollback()


@pytest.mark.requirement("sdp-media:SDP-O05")
def test_rolling_a_remote_offer_back_takes_its_transceivers_and_mids_away() -> None:
    ours, theirs = party(seed=1), party(seed=2)
    wanted = ours.add_transceiver(VIDEO)
    theirs.add_transceiver(VIDEO)
    theirs.add_transceiver(AUDIO)
    ours.set_remote(OFFER, theirs.create_offer(THEIRS))
    assert (wanted.mid, len(ours.transceivers)) == ("0", 2)

    ours.rollback()

    assert (wanted.mid, wanted.index, ours.transceivers) == (None, None, (wanted,))
    assert ours.remote_transport is None
    assert ours.media == ()


@pytest.mark.requirement("sdp-media:SDP-O05")
def test_rolling_back_returns_to_the_last_agreement() -> None:
    ours, theirs = party(seed=1), party(seed=2)
    ours.add_transceiver(VIDEO)
    answer = answer_to_offer(ours, theirs)
    media, role, remote = ours.media, ours.dtls_role, ours.remote_transport
    ours.add_transceiver(AUDIO)
    ours.set_local(OFFER, ours.create_offer(OURS))

    ours.rollback()

    assert (ours.media, ours.dtls_role, ours.remote_transport) == (media, role, remote)
    assert answer.media[0].media.port == 9


def answer_to_offer(ours: Negotiator, theirs: Negotiator) -> SessionDescription:
    offer = ours.create_offer(OURS)
    ours.set_local(OFFER, offer)
    answer = answer_to(offer, theirs, THEIRS)
    ours.set_remote(ANSWER, str(answer))
    return answer


def test_a_provisional_answer_is_in_force_until_the_final_one() -> None:
    ours, theirs = party(seed=1), party(seed=2)
    ours.add_transceiver(VIDEO)
    offer = ours.create_offer(OURS)
    ours.set_local(OFFER, offer)
    theirs.set_remote(OFFER, offer)
    provisional = theirs.create_answer(THEIRS)
    theirs.set_local(PRANSWER, provisional)
    ours.set_remote(PRANSWER, provisional)

    assert [m.rejected for m in ours.media] == [False]
    assert ours.remote_transport is not None
    final = theirs.create_answer(THEIRS)
    theirs.set_local(ANSWER, final)
    ours.set_remote(ANSWER, final)
    assert final == provisional
    assert ours.signaling_state is theirs.signaling_state is S.STABLE
