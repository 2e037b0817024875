"""The layers of a session, and what passes from one to the next."""

from __future__ import annotations

from collections import deque

from ice import (
    DatagramReceived,
    GatheringCompleted,
    IceState,
    IceStateChanged,
    LocalCandidateGathered,
    PairSelected,
    PairValidated,
    SharedPacer,
)
from media.rtcp import random_cname
from transport import DatagramKind, Event, Path, RandomBytes, Transmit, datagram_kind
from transport.dtls import DtlsCertificate

from .close import close_session
from .config import SessionConfig
from .description import DescriptionExchange
from .events import ConnectionState, ConnectionStateChanged, LocalCandidate
from .rtp_session import Drop, RtpSession
from .transport import DtlsState, PeerClosed, Secured, SecureTransport, SecuringFailed

_RTP = DatagramKind.RTP  # an enum's members are slow to reach through their class


class SessionLayers:
    """Descriptions, ICE, DTLS and RTP of one peer, and the state of the whole.

    ``pump`` after any change to one of them: it carries events up, datagrams down, and
    leaves what is for the driver in ``transmits`` and ``events``.
    """

    def __init__(
        self,
        random_bytes: RandomBytes,
        certificate: DtlsCertificate | None,
        config: SessionConfig,
        *,
        pacer: SharedPacer | None,
    ) -> None:
        cname = random_cname(random_bytes)
        self.state = ConnectionState.NEW
        self.secure = SecureTransport(certificate, config)
        self.descriptions = DescriptionExchange(
            random_bytes, config, self.secure, cname=cname, pacer=pacer
        )
        self.rtp = RtpSession(random_bytes, config, cname=cname)
        self.transmits: deque[Transmit] = deque()
        self.events: deque[Event] = deque()
        self._ice_state = IceState.NEW
        self._failure = ""

    def negotiated(self, now: float) -> None:
        """A description was set: act on what was agreed on, if anything was."""
        if self.descriptions.is_stable:
            transceivers = self.descriptions.negotiator.transceivers
            self.rtp.configure(self.descriptions.media, transceivers)
        self.pump(now)
        self.update_state()

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """One datagram from a socket of ours."""
        ice = self.descriptions.ice
        if ice is None:
            return
        if datagram_kind(data) is _RTP and ice.follows(path):
            if self.rtp.receive(data, now):  # media changes nothing in the layers below
                self._pump_rtp(now)
        else:
            ice.receive(data, path, now)
            self.pump(now)

    def handle_timeout(self, now: float) -> None:
        ice = self.descriptions.ice
        if ice is not None and _is_due(ice.next_timeout(), now):
            ice.handle_timeout(now)
        if _is_due(self.secure.next_timeout(), now):
            self.secure.handle_timeout(now)
        self.rtp.handle_timeout(now)
        self.pump(now)

    def next_timeout(self) -> float | None:
        ice = self.descriptions.ice
        earliest = self.rtp.next_timeout()
        for at in (None if ice is None else ice.next_timeout(), self.secure.next_timeout()):
            if earliest is None or (at is not None and at < earliest):
                earliest = at
        return earliest

    def pump(self, now: float) -> None:
        """Pass on what each part has put out, until none has anything left."""
        if self._pump_ice(now) or self._pump_secure(now):
            while self._pump_ice(now) or self._pump_secure(now):
                pass
            self.update_state()
        self._pump_rtp(now)
        self.send_out(now)

    def _pump_rtp(self, now: float) -> None:
        while (event := self.rtp.poll_event()) is not None:
            self.events.append(event)
        if self.rtp.has_run:
            self.send_out(now)

    def _pump_ice(self, now: float) -> bool:
        """Take the agent's events; True when more than media has come."""
        ice = self.descriptions.ice
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
                self.rtp.receive(data, now)
            case DatagramKind.DTLS:
                self.secure.receive(data, path, now)
                return True
            case _:
                self.rtp.drops[Drop.UNKNOWN_PROTOCOL] += 1
        return False

    def _take_ice_event(self, event: Event, now: float) -> None:
        match event:
            case LocalCandidateGathered():
                self._signal_candidate(event.candidate.to_text(), event.ufrag)
            case GatheringCompleted():
                self._signal_candidate("", event.ufrag)
                self.events.append(event)
            case PairValidated() | PairSelected():
                self.secure.writable(event.path, now)
            case IceStateChanged():
                self._ice_state = event.state
            case _:
                self.events.append(event)

    def _signal_candidate(self, candidate: str, ufrag: str) -> None:
        message = self.descriptions.gathered(candidate)
        if message is None:
            return
        self.events.append(LocalCandidate(candidate, message.mid or "", message.index or 0, ufrag))

    def _pump_secure(self, now: float) -> bool:
        progressed = False
        while (event := self.secure.poll_event()) is not None:
            progressed = True
            match event:
                case Secured():
                    self.rtp.secured(event.sender, event.receiver, now)
                case SecuringFailed():
                    self._failure = event.reason
                case PeerClosed():
                    self.close(now, "the peer closed the connection")
                    return False
        return progressed

    def send_out(self, now: float) -> None:
        """DTLS, SRTP and SRTCP go over whatever pair ICE has."""
        ice = self.descriptions.ice
        if ice is None:
            return
        while (datagram := self.secure.poll_datagram()) is not None:
            ice.send((datagram,), now)
        while (run := self.rtp.poll_run()) is not None:
            if not ice.send(run, now):
                self.rtp.drops[Drop.NO_PATH] += len(run)
        while (transmit := ice.poll_transmit()) is not None:
            self.transmits.append(transmit)

    def update_state(self) -> None:
        """Report the state of the whole when it has changed."""
        if self.state is ConnectionState.CLOSED:
            return
        state = connection_state(self._ice_state, self.secure.state)
        if state is not self.state:
            self.state = state
            reason = self._failure if state is ConnectionState.FAILED else ""
            self.events.append(ConnectionStateChanged(state, reason))

    def close(self, now: float, reason: str = "") -> None:
        """Say goodbye on every layer, for this reason."""
        self.state = ConnectionState.CLOSED
        self.transmits.extend(close_session(self.rtp, self.secure, self.descriptions, now))
        self.events.append(ConnectionStateChanged(ConnectionState.CLOSED, reason))


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
