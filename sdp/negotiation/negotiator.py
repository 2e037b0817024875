"""Offer/answer as a machine without I/O (RFC 3264, RFC 8829)."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping, Sequence

from sdp.attributes.direction import Direction
from sdp.attributes.setup import Setup
from sdp.document import SessionDescription
from sdp.errors import InvalidStateError, ModifiedDescriptionError
from sdp.kinds import MediaKind, SdpType
from sdp.lines.origin import Origin
from transport import RandomBytes

from .agreement import AnswerContext
from .answer import Answer, RemoteOffer, create_answer
from .candidates import CandidateDrop, CandidateMessage, RemoteCandidates
from .codec import RtpCodec
from .exchange import Exchange
from .media import NegotiatedMedia
from .numbering import Numbering
from .offer import Offer, OfferContext, create_offer
from .policy import NegotiationPolicy
from .receive_answer import receive_answer
from .receive_offer import receive_offer
from .report import ReportEntry
from .states import SignalingState, after_local, after_remote, after_rollback, check_create
from .transceiver import Transceiver, Transceivers
from .transport import TransportDescription

_CNAME_BYTES = 12
"""96 random bits (RFC 7022 section 4.2)."""


class Negotiator:
    """Creates and takes offers and answers; knows what was agreed on.

    create_offer(), set_local(OFFER, ...) --> set_remote(ANSWER, ...) --> media
    set_remote(OFFER, ...) --> create_answer(), set_local(ANSWER, ...) --> media

    A call that raises leaves everything as it was. ``codecs`` are what transceivers
    without a list of their own have; ``extensions`` are URIs of RTP header extensions,
    each with the kind of media it is for.
    """

    def __init__(
        self,
        random_bytes: RandomBytes,
        *,
        codecs: Sequence[RtpCodec] = (),
        extensions: Sequence[tuple[MediaKind, str]] = (),
        cname: str | None = None,
        policy: NegotiationPolicy | None = None,
    ) -> None:
        self._codecs = tuple(codecs)
        self._extensions = tuple(extensions)
        self._policy = policy or NegotiationPolicy()
        self._cname = cname or base64.b64encode(random_bytes(_CNAME_BYTES)).decode()
        self._origin = _new_origin(random_bytes)
        self._last_text = ""
        self._transceivers = Transceivers(random_bytes)
        self._numbering = Numbering()
        self._candidates = RemoteCandidates()
        self._state = SignalingState.STABLE
        self._current = Exchange()
        self._provisional: Exchange | None = None
        self._created_offer: Offer | None = None
        self._created_answer: Answer | None = None
        self._local_offer: Offer | None = None
        self._remote_offer: RemoteOffer | None = None
        self._report: tuple[ReportEntry, ...] = ()

    # What is wanted

    def add_transceiver(
        self,
        kind: MediaKind,
        *,
        direction: Direction = Direction.SENDRECV,
        codecs: Sequence[RtpCodec] | None = None,
        stream_ids: Sequence[str] = (),
        track_id: str | None = None,
    ) -> Transceiver:
        """Ask for one m= section. Where the peer offers first, it takes the first
        section of its kind that has no transceiver yet.

        Raises:
            InvalidStateError: the negotiator is closed.
        """
        if self._state is SignalingState.CLOSED:
            raise InvalidStateError("add_transceiver", self._state.value)
        return self._transceivers.add(
            kind, direction, codecs=codecs, stream_ids=tuple(stream_ids), track_id=track_id
        )

    @property
    def transceivers(self) -> tuple[Transceiver, ...]:
        """All that are alive, in the order they were added."""
        return self._transceivers.all

    @property
    def negotiation_needed(self) -> bool:
        """Whether the transceivers want something that no description of ours said."""
        slots = {slot.transceiver: slot for slot in self._current.slots if not slot.is_free}
        return any(
            transceiver.stopped or transceiver.direction is not slots[transceiver].wanted
            if transceiver in slots
            else not transceiver.stopped
            for transceiver in self._transceivers.all
        )

    # Descriptions

    def create_offer(self, local: TransportDescription) -> str:
        """An offer of everything wanted. New ICE credentials in ``local`` restart ICE.

        Raises:
            InvalidStateError: the signaling state allows none.
            DescriptionRefused: there are more codecs than payload types.
        """
        check_create(self._state, SdpType.OFFER)
        context = OfferContext(
            self._transceivers.all,
            self._codecs,
            self._extensions,
            self._numbering,
            self._policy.bundle,
            self._cname,
        )
        offer = create_offer(context, self._current, local, self._origin)
        self._number(offer.document)
        self._created_offer = offer
        return str(offer.document)

    def create_answer(self, local: TransportDescription) -> str:
        """An answer to the offer that was set. ``local.setup`` is the DTLS role wanted.

        Raises:
            InvalidStateError: there is no offer to answer.
            DescriptionRefused: the offer leaves no DTLS role.
        """
        check_create(self._state, SdpType.ANSWER)
        if self._remote_offer is None:
            raise InvalidStateError("create_answer", self._state.value)
        context = AnswerContext(
            self._codecs,
            self._extensions,
            self._numbering,
            self._policy.missing_profile,
            self._cname,
        )
        answer = create_answer(context, self._remote_offer, self._current, local, self._origin)
        self._number(answer.document)
        self._created_answer = answer
        self._report = answer.report
        return str(answer.document)

    def set_local(self, kind: SdpType, text: str) -> None:
        """Make a description that was created ours.

        Raises:
            InvalidStateError: the signaling state does not allow it.
            ModifiedDescriptionError: it is not what was created last.
        """
        after = after_local(self._state, kind)
        if kind is SdpType.OFFER:
            self._set_local_offer(text)
        else:
            self._set_local_answer(kind, text)
        self._state = after

    def set_remote(self, kind: SdpType, text: str) -> None:
        """Take a description of the peer.

        Raises:
            InvalidStateError: the signaling state does not allow it.
            DescriptionRefused: it breaks a rule of offer/answer.
            SdpError: it cannot be read.
        """
        after = after_remote(self._state, kind)
        document = SessionDescription.parse(text)
        if kind is SdpType.OFFER:
            self._set_remote_offer(document)
        else:
            self._set_remote_answer(kind, document)
        self._state = after
        transport = self.remote_transport
        if transport is not None:
            self._candidates.described(transport, self._judge)

    def rollback(self) -> None:
        """Take a pending offer back, of either side (RFC 8829 section 4.1.10.2).

        Raises:
            InvalidStateError: no offer is pending, or it was answered provisionally.
        """
        self._state = after_rollback(self._state)
        self._transceivers.restore()
        self._forget_pending()

    def close(self) -> None:
        """End it; nothing but reading is possible afterwards."""
        self._state = SignalingState.CLOSED
        self._forget_pending()

    # What was agreed on

    @property
    def signaling_state(self) -> SignalingState:
        return self._state

    @property
    def media(self) -> tuple[NegotiatedMedia, ...]:
        """All m= sections as the last answer left them, rejected ones too."""
        return self._exchange.media

    @property
    def remote_transport(self) -> TransportDescription | None:
        """Of the remote description in force, pending or current."""
        if self._provisional is None and self._remote_offer is not None:
            pending = self._remote_offer.transport
            return pending if pending is not None else self._current.remote_transport
        return self._exchange.remote_transport

    @property
    def dtls_role(self) -> Setup | None:
        """ACTIVE: we are the DTLS client. PASSIVE: the server. None: no answer yet."""
        return self._exchange.role

    @property
    def report(self) -> tuple[ReportEntry, ...]:
        """Why the last offer/answer came out as it did."""
        return self._report

    # Candidates

    def add_remote_candidate(self, message: CandidateMessage) -> None:
        """Take a trickled candidate; before the remote description it waits. One that
        does not count is dropped, and counted in ``dropped_candidates``."""
        if self.remote_transport is None:
            self._candidates.wait(message)
        else:
            self._candidates.add(message, self._judge)

    def take_remote_candidates(self) -> tuple[str, ...]:
        """Candidates for ICE not handed out yet, from descriptions and messages.

        ``"candidate:..."`` each; an empty string is the end of candidates.
        """
        return self._candidates.take()

    @property
    def dropped_candidates(self) -> Mapping[CandidateDrop, int]:
        """How many candidates of the peer were not handed out, by reason."""
        return self._candidates.dropped

    def candidate_message(self, candidate: str) -> CandidateMessage:
        """Address a local candidate ("" = end of candidates) to the tagged section."""
        if self._local_offer is not None and self._provisional is None:
            tagged = self._local_offer.tagged
            mids = [section.slot.mid for section in self._local_offer.sections]
            ufrag: str | None = self._local_offer.transport.ice_ufrag
        else:
            tagged = self._exchange.tagged
            mids = [slot.mid for slot in self._exchange.slots]
            transport = self._exchange.local_transport
            ufrag = None if transport is None else transport.ice_ufrag
        index = tagged or 0
        return CandidateMessage(candidate, mids[index] if mids else None, index, ufrag)

    # Inside

    @property
    def _exchange(self) -> Exchange:
        return self._current if self._provisional is None else self._provisional

    def _number(self, document: SessionDescription) -> None:
        """The version in o= grows when the text changes, by one (RFC 3264 section 8)."""
        if str(document) != self._last_text:
            version = str(self._origin.version_number + 1)
            self._origin = dataclasses.replace(self._origin, session_version=version)
            document.origin = self._origin
            self._last_text = str(document)

    def _set_local_offer(self, text: str) -> None:
        offer = self._created_offer
        if offer is None or text != str(offer.document):
            raise ModifiedDescriptionError
        self._transceivers.begin()
        for index, section in enumerate(offer.sections):
            if section.slot.transceiver is not None and not section.is_rejected:
                section.slot.transceiver.mid = section.slot.mid
                section.slot.transceiver.index = index
        self._numbering.mids_seen(section.slot.mid for section in offer.sections)
        self._local_offer = offer

    def _set_local_answer(self, kind: SdpType, text: str) -> None:
        answer = self._created_answer
        if answer is None or text != str(answer.document):
            raise ModifiedDescriptionError
        self._settle(kind, answer.exchange)

    def _set_remote_offer(self, document: SessionDescription) -> None:
        with self._transceivers.attempt():
            offer = receive_offer(
                document,
                self._current,
                self._transceivers.all,
                self._numbering,
                self._transceivers.add_received,
            )
        for index, slot in enumerate(offer.slots):
            if slot.transceiver is not None and not slot.is_free:
                slot.transceiver.mid, slot.transceiver.index = slot.mid, index
        self._remote_offer = offer
        self._created_answer = None

    def _set_remote_answer(self, kind: SdpType, document: SessionDescription) -> None:
        if self._local_offer is None:
            raise InvalidStateError(f"set_remote({kind.value})", self._state.value)
        exchange, self._report = receive_answer(
            document,
            self._local_offer,
            self._current,
            missing=self._policy.missing_profile,
            cname=self._cname,
        )
        self._settle(kind, exchange)

    def _settle(self, kind: SdpType, exchange: Exchange) -> None:
        if kind is SdpType.PRANSWER:
            self._provisional = exchange
            return
        for slot in exchange.slots:
            if slot.is_free and slot.transceiver is not None:
                slot.transceiver.stop()
        self._current = exchange
        self._transceivers.settle()
        self._forget_pending()

    def _forget_pending(self) -> None:
        self._provisional = None
        self._created_offer = self._local_offer = None
        self._created_answer = self._remote_offer = None

    def _judge(self, message: CandidateMessage) -> CandidateDrop | None:
        """Whether a message's section is on the transport in use."""
        if self._provisional is None and self._remote_offer is not None:
            mids = [slot.mid for slot in self._remote_offer.slots]
            sharing = self._remote_offer.bundle.sharing
        else:
            mids = [slot.mid for slot in self._exchange.slots]
            sharing = self._exchange.sharing
        index = message.index if message.mid is None else None
        if message.mid in mids:
            index = mids.index(message.mid)
        if message.mid is None and message.index is None:
            return None  # Only the peer's one transport can be meant.
        if index is None or not 0 <= index < len(mids):
            return CandidateDrop.UNKNOWN_SECTION
        return None if index in sharing else CandidateDrop.OTHER_TRANSPORT


def _new_origin(random_bytes: RandomBytes) -> Origin:
    """A random session id below 2^63 - 1 (RFC 8829 section 5.2.1)."""
    number = (int.from_bytes(random_bytes(8), "big") >> 1) % (2**63 - 1)
    return Origin("-", str(number), "0")
