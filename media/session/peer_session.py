"""The peer connection as one machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ice import (
    DatagramReceived,
    GatheringCompleted,
    IceState,
    IceStateChanged,
    LocalCandidateGathered,
    PairSelected,
    PairValidated,
)
from media.fanout import PacketizedUnit
from media.rtcp import random_cname
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
from sdp import MediaKind as SdpKind
from transport import (
    DatagramKind,
    Event,
    Path,
    RandomBytes,
    Transmit,
    TransportAddress,
    datagram_kind,
)
from transport.dtls import DtlsCertificate

from .close import close_session
from .config import SessionConfig
from .description import DescriptionExchange, LocalDescription
from .errors import SessionClosed
from .events import ConnectionState, ConnectionStateChanged, LocalCandidate
from .rtp_session import Drop, RtpSession
from .stats import StatsReport
from .stats_report import session_stats
from .transport import DtlsState, PeerClosed, Secured, SecureTransport, SecuringFailed


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
    ) -> None:
        """
        Raises:
            ValueError: there is neither a certificate nor injected keys.
        """
        config = config or SessionConfig()
        cname = random_cname(random_bytes)
        self._secure = SecureTransport(certificate, config)
        self._descriptions = DescriptionExchange(random_bytes, config, self._secure, cname=cname)
        self._rtp = RtpSession(random_bytes, config, cname=cname)
        self._state = ConnectionState.NEW
        self._ice_state = IceState.NEW
        self._failure = ""
        self._transmits: deque[Transmit] = deque()
        self._events: deque[Event] = deque()

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
            SdpKind(kind.value), direction=direction, codecs=codecs, stream_ids=stream_ids
        )

    def create_offer(self, now: float, *, ice_restart: bool = False) -> str:
        """An offer, to be set as the local description and sent to the peer.

        With ``ice_restart`` ICE begins a new generation at once, whose candidates the
        offer holds as far as they are known: messages might overtake it.
        """
        self._check_open()
        if ice_restart:
            self._descriptions.restart_ice(now)
            self._pump(now)
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
        self._negotiated(now)

    def set_remote_description(self, kind: SdpType, text: str, now: float) -> None:
        """Take the peer's offer or answer.

        Raises:
            SdpError: it cannot be read, cannot be negotiated, or comes out of turn.
        """
        self._check_open()
        self._descriptions.set_remote(kind, text, now)
        self._negotiated(now)

    def rollback(self, now: float) -> None:
        """Take back a pending offer (RFC 8829 section 4.1.10.2)."""
        self._check_open()
        self._descriptions.negotiator.rollback()
        self._pump(now)

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
        self._pump(now)

    def send_unit(self, mid: str, unit: PacketizedUnit, timestamp: int, now: float) -> bool:
        """Send an access unit under this timestamp of its track; False if it was dropped.

        Raises:
            UnknownMedia: nothing can be sent under this mid.
        """
        self._check_open()
        sent = self._rtp.send_unit(mid, unit, timestamp, now)
        self._send_out(now)
        return sent

    def choose_codec(self, mid: str, codec: NegotiatedCodec) -> None:
        """Send as this one of the formats that were negotiated under ``mid``."""
        self._rtp.table.sender(mid).choose_codec(codec)

    def request_keyframe(self, mid: str, now: float) -> None:
        """Ask the peer for a keyframe of what it sends under ``mid``.

        Raises:
            UnknownMedia: nothing is received under this mid.
        """
        self._check_open()
        self._rtp.request_keyframe(mid, now)
        self._pump(now)

    def close(self, now: float) -> None:
        """Say goodbye on every layer and be done; twice is as good as once."""
        if self._state is ConnectionState.CLOSED:
            return
        self._close(now, "")

    # What it knows.

    @property
    def state(self) -> ConnectionState:
        return self._state

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
        return session_stats(self._rtp, self._secure, self._descriptions.ice, now)

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
        if self._descriptions.ice is not None and self._state is not ConnectionState.CLOSED:
            self._descriptions.ice.hosts_opened(addresses, now, stream=stream, component=component)
            self._pump(now)

    # The machine.

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """One datagram from a socket of ours."""
        if self._descriptions.ice is not None:
            self._descriptions.ice.receive(data, path, now)
            self._pump(now)

    def handle_timeout(self, now: float) -> None:
        """Do what is due."""
        if self._state is ConnectionState.CLOSED:
            return
        ice = self._descriptions.ice
        if ice is not None and _is_due(ice.next_timeout(), now):
            ice.handle_timeout(now)
        if _is_due(self._secure.next_timeout(), now):
            self._secure.handle_timeout(now)
        self._rtp.handle_timeout(now)
        self._pump(now)

    def next_timeout(self) -> float | None:
        """When to call ``handle_timeout``."""
        if self._state is ConnectionState.CLOSED:
            return None
        ice = self._descriptions.ice
        deadlines = (
            None if ice is None else ice.next_timeout(),
            self._secure.next_timeout(),
            self._rtp.next_timeout(),
        )
        return min((at for at in deadlines if at is not None), default=None)

    def poll_transmit(self) -> Transmit | None:
        """The next datagrams to send, or None."""
        return self._transmits.popleft() if self._transmits else None

    def poll_event(self) -> Event | None:
        """The next thing that happened, or None."""
        return self._events.popleft() if self._events else None

    def _check_open(self) -> None:
        if self._state is ConnectionState.CLOSED:
            raise SessionClosed("the session is closed")

    def _negotiated(self, now: float) -> None:
        if self._descriptions.is_stable:
            self._rtp.configure(self._descriptions.media, self.transceivers)
        self._pump(now)
        self._update_state()

    def _pump(self, now: float) -> None:
        """Pass on what each part has put out, until none has anything left."""
        if self._pump_ice(now) or self._pump_secure(now):
            while self._pump_ice(now) or self._pump_secure(now):
                pass
            self._update_state()
        while (event := self._rtp.poll_event()) is not None:
            self._events.append(event)
        self._send_out(now)

    def _pump_ice(self, now: float) -> bool:
        """Take the agent's events; True when more than media has come."""
        ice = self._descriptions.ice
        if ice is None:
            return False
        progressed = False
        while (event := ice.poll_event()) is not None:
            if isinstance(event, DatagramReceived):
                progressed |= self._receive_data(event.data, event.path, now)
            else:
                progressed = True
                self._take_ice_event(event, now)
        return progressed

    def _receive_data(self, data: bytes, path: Path, now: float) -> bool:
        """RFC 7983 section 7; STUN and TURN channels were for the ICE agent.

        True for DTLS, which may lead to more; media leads to media alone.
        """
        match datagram_kind(data):
            case DatagramKind.RTP:
                self._rtp.receive(data, now)
            case DatagramKind.DTLS:
                self._secure.receive(data, path, now)
                return True
            case _:
                self._rtp.drops[Drop.UNKNOWN_PROTOCOL] += 1
        return False

    def _take_ice_event(self, event: Event, now: float) -> None:
        match event:
            case LocalCandidateGathered():
                self._signal_candidate(event.candidate.to_text(), event.ufrag)
            case GatheringCompleted():
                self._signal_candidate("", event.ufrag)
                self._events.append(event)
            case PairValidated() | PairSelected():
                self._secure.writable(event.path, now)
            case IceStateChanged():
                self._ice_state = event.state
            case _:
                self._events.append(event)

    def _signal_candidate(self, candidate: str, ufrag: str) -> None:
        message = self._descriptions.gathered(candidate)
        self._events.append(LocalCandidate(candidate, message.mid or "", message.index or 0, ufrag))

    def _pump_secure(self, now: float) -> bool:
        progressed = False
        while (event := self._secure.poll_event()) is not None:
            progressed = True
            match event:
                case Secured():
                    self._rtp.secured(event.sender, event.receiver, now)
                case SecuringFailed():
                    self._failure = event.reason
                case PeerClosed():
                    self._close(now, "the peer closed the connection")
                    return False
        return progressed

    def _send_out(self, now: float) -> None:
        """DTLS, SRTP and SRTCP go over whatever pair ICE has."""
        ice = self._descriptions.ice
        if ice is None:
            return
        while (datagram := self._secure.poll_datagram()) is not None:
            ice.send((datagram,), now)
        while (run := self._rtp.poll_run()) is not None:
            if not ice.send(run, now):
                self._rtp.drops[Drop.NO_PATH] += len(run)
        while (transmit := ice.poll_transmit()) is not None:
            self._transmits.append(transmit)

    def _update_state(self) -> None:
        if self._state is ConnectionState.CLOSED:
            return
        state = connection_state(self._ice_state, self._secure.state)
        if state is not self._state:
            self._state = state
            reason = self._failure if state is ConnectionState.FAILED else ""
            self._events.append(ConnectionStateChanged(state, reason))

    def _close(self, now: float, reason: str) -> None:
        self._state = ConnectionState.CLOSED
        self._transmits.extend(close_session(self._rtp, self._secure, self._descriptions, now))
        self._events.append(ConnectionStateChanged(ConnectionState.CLOSED, reason))


def _is_due(deadline: float | None, now: float) -> bool:
    return deadline is not None and now >= deadline


def connection_state(ice: IceState, dtls: DtlsState) -> ConnectionState:
    """W3C RTCPeerConnectionState of one transport."""
    if ice is IceState.FAILED or dtls is DtlsState.FAILED:
        return ConnectionState.FAILED
    if ice is IceState.DISCONNECTED:
        return ConnectionState.DISCONNECTED
    if ice is IceState.NEW and dtls is DtlsState.NEW:
        return ConnectionState.NEW
    if ice in (IceState.CONNECTED, IceState.COMPLETED) and dtls is DtlsState.CONNECTED:
        return ConnectionState.CONNECTED
    return ConnectionState.CONNECTING
