"""Offer/answer between two negotiators: any order of wishes ends in agreement."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sdp import (
    Direction,
    MediaKind,
    NegotiatedMedia,
    Negotiator,
    RtpCodec,
    SessionDescription,
    Setup,
    SignalingState,
)
from sdp.attributes.rtpmap import RtpMap
from tests.sdp.negotiation.parties import (
    H264,
    OFFER,
    OPUS,
    PCMU,
    RTX,
    VP8,
    exchange,
    h264,
    party,
    transport,
)

LOCAL = {True: transport("aaaa"), False: transport("bbbb", certificate="CD")}

CODEC_LISTS: list[tuple[RtpCodec, ...]] = [
    (OPUS, H264, VP8, RTX),
    (OPUS, VP8),
    (PCMU, OPUS, h264("42001f"), VP8, RTX),
    (OPUS, h264("42e034", asymmetry=None)),
]


class BetweenTwo(RuleBasedStateMachine):
    """Either side adds, changes and stops transceivers, offers, and takes offers back."""

    def __init__(self) -> None:
        super().__init__()
        self.parties: dict[bool, Negotiator] = {}
        self.meanings: dict[tuple[bool, str], tuple[str, int]] = {}
        self.mids: list[str] = []

    @rule(ours=st.sampled_from(CODEC_LISTS), theirs=st.sampled_from(CODEC_LISTS))
    @precondition(lambda self: not self.parties)
    def begin(self, ours: tuple[RtpCodec, ...], theirs: tuple[RtpCodec, ...]) -> None:
        self.parties = {True: party(*ours, seed=1), False: party(*theirs, seed=2)}

    @rule(side=st.booleans(), kind=st.sampled_from(MediaKind), direction=st.sampled_from(Direction))
    @precondition(lambda self: self.parties)
    def add(self, side: bool, kind: MediaKind, direction: Direction) -> None:
        if len(self.parties[side].transceivers) < 5:
            self.parties[side].add_transceiver(kind, direction=direction)

    @rule(side=st.booleans(), place=st.integers(0, 9), direction=st.sampled_from(Direction))
    @precondition(lambda self: self.parties)
    def change(self, side: bool, place: int, direction: Direction) -> None:
        transceivers = self.parties[side].transceivers
        if transceivers:
            transceivers[place % len(transceivers)].direction = direction

    @rule(side=st.booleans(), place=st.integers(0, 9))
    @precondition(lambda self: self.parties)
    def stop(self, side: bool, place: int) -> None:
        transceivers = self.parties[side].transceivers
        if transceivers:
            transceivers[place % len(transceivers)].stop()

    @rule(side=st.booleans())
    @precondition(lambda self: self.parties)
    def offer_and_take_back(self, side: bool) -> None:
        ours, theirs = self.parties[side], self.parties[not side]
        before = ours.media, theirs.media, theirs.transceivers
        offer = ours.create_offer(LOCAL[side])
        ours.set_local(OFFER, offer)
        theirs.set_remote(OFFER, offer)
        ours.rollback()
        theirs.rollback()
        assert (ours.media, theirs.media, theirs.transceivers) == before

    @rule(side=st.booleans())
    @precondition(lambda self: self.parties)
    def negotiate(self, side: bool) -> None:
        ours, theirs = self.parties[side], self.parties[not side]
        texts = exchange(ours, theirs, LOCAL[side], LOCAL[not side])
        offer, answer = map(SessionDescription.parse_strict, texts)
        assert len(offer.media) == len(answer.media) >= len(self.mids)
        self._check_payload_types(offer, answer, side)
        self._check_agreement(ours, theirs)
        self.mids = [media.mid for media in ours.media]
        assert not ours.negotiation_needed

    def _check_payload_types(
        self, offer: SessionDescription, answer: SessionDescription, side: bool
    ) -> None:
        """A payload type keeps its format for the whole session (RFC 3264 section 8.3.2)."""
        for document in (offer, answer):
            for section in document.media:
                for mapped in section.get_all(RtpMap):
                    meaning = (mapped.encoding.lower(), mapped.clock_rate)
                    place = (side, str(mapped.payload_type))
                    if section.media.port:
                        self.meanings.setdefault(place, meaning)
                        assert self.meanings[place] == meaning

    def _check_agreement(self, ours: Negotiator, theirs: Negotiator) -> None:
        for mine, other in zip(ours.media, theirs.media, strict=True):
            assert (mine.mid, mine.kind, mine.rejected) == (other.mid, other.kind, other.rejected)
            assert mine.direction is other.direction.reversed
            assert mine.extensions == other.extensions
            self._check_codecs(mine, other)
            for a, b in ((mine, other), (other, mine)):
                assert a.local_ssrcs == (b.remote_ssrcs if a.direction.sends else ())

    def _check_codecs(self, mine: NegotiatedMedia, other: NegotiatedMedia) -> None:
        """What one sends is what the other receives."""
        for a, b in ((mine, other), (other, mine)):
            sent = {(c.send.payload_type, c.send.name.lower()) for c in a.codecs}
            received = {(c.receive.payload_type, c.receive.name.lower()) for c in b.codecs}
            assert sent == received
            repairs = {c.send.payload_type: c.send.rtx_payload_type for c in a.codecs}
            expected = {c.receive.payload_type: c.receive.rtx_payload_type for c in b.codecs}
            assert repairs == expected
        assert mine.rejected or mine.codecs

    @invariant()
    def both_are_stable_and_roles_complement(self) -> None:
        states = {negotiator.signaling_state for negotiator in self.parties.values()}
        assert states <= {SignalingState.STABLE}
        roles = {negotiator.dtls_role for negotiator in self.parties.values()}
        assert roles in (set(), {None}, {Setup.ACTIVE, Setup.PASSIVE})

    @invariant()
    def every_section_of_a_live_transceiver_is_its_own(self) -> None:
        for negotiator in self.parties.values():
            for transceiver in negotiator.transceivers:
                if transceiver.mid is not None and transceiver.index is not None:
                    assert negotiator.media[transceiver.index].mid == transceiver.mid


BetweenTwo.TestCase.settings = settings(stateful_step_count=30)

TestBetweenTwo = pytest.mark.long(
    pytest.mark.requirement("sdp-media:SDP-O03")(
        pytest.mark.requirement("sdp-media:SDP-O07")(BetweenTwo.TestCase)
    )
)
"""Long: fifty runs of twenty steps of whole exchanges."""
