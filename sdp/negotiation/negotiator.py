"""Offer/answer as a machine without I/O (RFC 3264, RFC 8829)."""

from __future__ import annotations

from collections.abc import Sequence

from sdp.attributes.direction import Direction
from sdp.attributes.setup import Setup
from sdp.kinds import MediaKind, SdpType
from transport import RandomBytes

from .candidates import CandidateMessage
from .codec import RtpCodec
from .media import NegotiatedMedia
from .policy import NegotiationPolicy
from .report import ReportEntry
from .states import SignalingState
from .transceiver import Transceiver
from .transport import TransportDescription


class Negotiator:
    """Creates and takes offers and answers; knows what was agreed on.

    create_offer(), set_local(OFFER, ...) --> set_remote(ANSWER, ...) --> media
    set_remote(OFFER, ...) --> create_answer(), set_local(ANSWER, ...) --> media
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
        raise NotImplementedError

    def add_transceiver(
        self,
        kind: MediaKind,
        *,
        direction: Direction = Direction.SENDRECV,
        codecs: Sequence[RtpCodec] | None = None,
        stream_ids: Sequence[str] = (),
        track_id: str | None = None,
    ) -> Transceiver:
        """Ask for one m= section. Before an offer of the peer is answered, it takes
        the first section of its kind that has no transceiver yet."""
        raise NotImplementedError

    @property
    def transceivers(self) -> tuple[Transceiver, ...]:
        raise NotImplementedError

    def create_offer(self, local: TransportDescription) -> str:
        raise NotImplementedError

    def create_answer(self, local: TransportDescription) -> str:
        raise NotImplementedError

    def set_local(self, kind: SdpType, text: str) -> None:
        raise NotImplementedError

    def set_remote(self, kind: SdpType, text: str) -> None:
        raise NotImplementedError

    def rollback(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    @property
    def signaling_state(self) -> SignalingState:
        raise NotImplementedError

    @property
    def negotiation_needed(self) -> bool:
        """Whether the transceivers want something that was not negotiated yet."""
        raise NotImplementedError

    @property
    def media(self) -> tuple[NegotiatedMedia, ...]:
        """All m= sections as the last answer left them, rejected ones too."""
        raise NotImplementedError

    @property
    def remote_transport(self) -> TransportDescription | None:
        """Of the remote description in force, pending or current."""
        raise NotImplementedError

    @property
    def dtls_role(self) -> Setup | None:
        """ACTIVE: we are the DTLS client. PASSIVE: the server. None: no answer yet."""
        raise NotImplementedError

    @property
    def report(self) -> tuple[ReportEntry, ...]:
        """Why the last offer/answer came out as it did."""
        raise NotImplementedError

    def add_remote_candidate(self, message: CandidateMessage) -> None:
        """Take a trickled candidate; before the remote description it waits."""
        raise NotImplementedError

    def take_remote_candidates(self) -> tuple[str, ...]:
        """Candidates for ICE not handed out yet, from descriptions and messages.

        ``"candidate:..."`` each; an empty string is the end of candidates.
        """
        raise NotImplementedError

    def candidate_message(self, candidate: str) -> CandidateMessage:
        """Address a local candidate ("" = end of candidates) to the bundle's section."""
        raise NotImplementedError
