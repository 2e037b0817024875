"""The peer connection as one machine."""

from __future__ import annotations

from collections.abc import Sequence

from ice import SharedPacer
from media.fanout import PacketizedUnit
from media.units import MediaKind
from sdp import (
    CandidateMessage,
    Direction,
    NegotiatedCodec,
    NegotiatedMedia,
    ReportEntry,
    RtpCodec,
    SdpType,
    SignalingState,
    Transceiver,
)
from transport import (
    Event,
    IPAddress,
    Path,
    RandomBytes,
    Transmit,
    TransportAddress,
)
from transport.dtls import DtlsCertificate

from .config import SessionConfig
from .description import LocalDescription
from .errors import SessionClosed
from .events import ConnectionState
from .layers import SessionLayers
from .stats import StatsReport
from .stats_report import session_stats


class PeerSession:
    """ICE, DTLS, SRTP, RTP and offer/answer of one peer, behind the five calls of a machine.

    create_offer(), set_local_description(), set_remote_description(), add_ice_candidate()
        --> LocalCandidate, ConnectionStateChanged, TrackAdded
    send_unit() --> poll_transmit();  receive() --> UnitReceived, KeyframeRequested

    All media shares one bundle and one ICE component (RFC 9143, RFC 5761). Events of
    the ICE agent that a driver must answer come out unchanged; its answers are given
    here and passed on.
    """

    def __init__(
        self,
        *,
        random_bytes: RandomBytes,
        certificate: DtlsCertificate | None = None,
        config: SessionConfig | None = None,
        pacer: SharedPacer | None = None,
    ) -> None:
        """``pacer`` is for who runs several sessions: they have to share one (RFC 8445 14.2).

        Raises:
            ValueError: there is neither a certificate nor injected keys.
        """
        self._layers = SessionLayers(
            random_bytes, certificate, config or SessionConfig(), pacer=pacer
        )
        self._descriptions = self._layers.descriptions

    # What an application asks for.

    def add_transceiver(
        self,
        kind: MediaKind,
        *,
        direction: Direction = Direction.SENDRECV,
        codecs: Sequence[RtpCodec] | None = None,
        stream_ids: Sequence[str] = (),
    ) -> Transceiver:
        """Ask for one media description; it takes effect with the next offer or answer."""
        self._check_open()
        return self._descriptions.negotiator.add_transceiver(
            kind, direction=direction, codecs=codecs, stream_ids=stream_ids
        )

    def create_offer(self, now: float, *, ice_restart: bool = False) -> str:
        """An offer, to be set as the local description and sent to the peer.

        With ``ice_restart`` ICE begins a new generation at once, whose candidates the
        offer holds as far as they are known: messages might overtake it.
        """
        self._check_open()
        if ice_restart or self._descriptions.has_ended:
            self._descriptions.restart_ice(now)
            self._layers.pump(now)
        return self._descriptions.create_offer()

    def create_answer(self) -> str:
        """An answer to the remote offer, to be set as the local description."""
        self._check_open()
        return self._descriptions.create_answer()

    def set_local_description(self, kind: SdpType, text: str, now: float) -> None:
        """Take what ``create_offer`` or ``create_answer`` made; gathering begins.

        Raises:
            SdpError: it does not fit the signaling state, or was changed.
        """
        self._check_open()
        self._descriptions.set_local(kind, text, now)
        self._layers.negotiated(now)

    def set_remote_description(self, kind: SdpType, text: str, now: float) -> None:
        """Take the peer's offer or answer.

        Raises:
            SdpError: it cannot be read, cannot be negotiated, or comes out of turn.
        """
        self._check_open()
        self._descriptions.set_remote(kind, text, now)
        self._layers.negotiated(now)

    def rollback(self, now: float) -> None:
        """Take back a pending offer (RFC 8829 section 4.1.10.2)."""
        self._check_open()
        self._descriptions.negotiator.rollback()
        self._layers.pump(now)

    def add_ice_candidate(
        self,
        candidate: str,
        now: float,
        *,
        mid: str | None = None,
        media_index: int | None = None,
        username_fragment: str | None = None,
    ) -> None:
        """Take a candidate that the peer signaled; an empty one ends the candidates.

        Raises:
            DecodeError: the text is no candidate.
            SdpError: no media description has this mid or index.
        """
        self._check_open()
        message = CandidateMessage(candidate, mid, media_index, username_fragment)
        self._descriptions.add_candidate(message, now)
        self._layers.pump(now)

    def send_unit(self, mid: str, unit: PacketizedUnit, timestamp: int, now: float) -> bool:
        """Send an access unit under this timestamp of its track; False if it was dropped.

        Raises:
            UnknownMedia: nothing can be sent under this mid.
        """
        self._check_open()
        sent = self._layers.rtp.send_unit(mid, unit, timestamp, now)
        self._layers.send_out(now)
        return sent

    def discard_waiting(self, mid: str) -> None:
        """Forget the units of a video track that have not left: a keyframe is to follow.

        Raises:
            UnknownMedia: nothing can be sent under this mid.
        """
        self._layers.rtp.discard_waiting(mid)

    def choose_codec(self, mid: str, codec: NegotiatedCodec) -> None:
        """Send as this one of the formats that were negotiated under ``mid``."""
        self._layers.rtp.table.sender(mid).choose_codec(codec)

    def request_keyframe(self, mid: str, now: float) -> None:
        """Ask the peer for a keyframe of what it sends under ``mid``.

        Raises:
            UnknownMedia: nothing is received under this mid.
        """
        self._check_open()
        self._layers.rtp.request_keyframe(mid, now)
        self._layers.pump(now)

    def close(self, now: float) -> None:
        """Say goodbye on every layer and be done; twice is as good as once."""
        if self.state is not ConnectionState.CLOSED:
            self._layers.close(now)

    # What it knows.

    @property
    def state(self) -> ConnectionState:
        return self._layers.state

    @property
    def signaling_state(self) -> SignalingState:
        return self._descriptions.negotiator.signaling_state

    @property
    def local_description(self) -> LocalDescription | None:
        """With the candidates gathered so far, for peers that do not trickle."""
        return self._descriptions.local

    @property
    def transceivers(self) -> tuple[Transceiver, ...]:
        return self._descriptions.negotiator.transceivers

    @property
    def media(self) -> tuple[NegotiatedMedia, ...]:
        """What was agreed on, one entry for each media description."""
        return self._descriptions.media

    @property
    def negotiation_report(self) -> tuple[ReportEntry, ...]:
        """Why each codec and extension was kept or dropped."""
        return self._descriptions.negotiator.report

    def stats(self, now: float) -> StatsReport:
        """Counters of every stream and of the transport, by their W3C id."""
        return session_stats(self._layers.rtp, self._layers.secure, self._descriptions.ice, now)

    # What a driver answers.

    def hosts_opened(
        self,
        addresses: Sequence[TransportAddress],
        now: float,
        *,
        stream: int = 0,
        component: int = 1,
    ) -> None:
        """These local addresses have a socket now (answers HostAddressesRequested)."""
        if self._descriptions.ice is not None and self.state is not ConnectionState.CLOSED:
            self._descriptions.ice.hosts_opened(addresses, now, stream=stream, component=component)
            self._layers.pump(now)

    def resolved(self, token: int, addresses: Sequence[IPAddress], now: float) -> None:
        """The addresses of a server's name (answers ResolveRequested)."""
        if self._descriptions.ice is not None and self.state is not ConnectionState.CLOSED:
            self._descriptions.ice.resolved(token, addresses, now)
            self._layers.pump(now)

    # The machine.

    def connected(self, path: Path, now: float) -> None:
        """A stream to a TURN server is open."""
        if self._descriptions.ice is not None:
            self._descriptions.ice.connected(path, now)
            self._layers.pump(now)

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        """A stream to a TURN server is gone, or could not be opened."""
        if self._descriptions.ice is not None:
            self._descriptions.ice.disconnected(path, reason, now)
            self._layers.pump(now)

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """One datagram from a socket of ours."""
        self._layers.receive(data, path, now)

    def handle_timeout(self, now: float) -> None:
        """Do what is due."""
        if self.state is not ConnectionState.CLOSED:
            self._layers.handle_timeout(now)

    def next_timeout(self) -> float | None:
        """When to call ``handle_timeout``."""
        return None if self.state is ConnectionState.CLOSED else self._layers.next_timeout()

    def poll_transmit(self) -> Transmit | None:
        """The next datagrams to send, or None."""
        transmits = self._layers.transmits
        return transmits.popleft() if transmits else None

    def poll_event(self) -> Event | None:
        """The next thing that happened, or None."""
        events = self._layers.events
        return events.popleft() if events else None

    def _check_open(self) -> None:
        if self.state is ConnectionState.CLOSED:
            raise SessionClosed("the session is closed")
