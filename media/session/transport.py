"""DTLS over the ICE pair, and the SRTP contexts that come of it (RFC 5764, RFC 8842).

No media passes before the peer's certificate was found to match the fingerprint
that was signaled (RFC 8827 section 6.5).
"""

from __future__ import annotations

import collections
import dataclasses
import enum

from media.srtp import SrtpReceiver, SrtpSender
from sdp import Fingerprint, strongest
from transport import Event, Path
from transport.dtls import (
    HANDSHAKE_TIMEOUT,
    DtlsCertificate,
    DtlsClosed,
    DtlsConnected,
    DtlsConnection,
    DtlsFailed,
    DtlsRole,
    SrtpKeys,
    SrtpProfile,
)

from .config import SessionConfig

MAX_EARLY_DATAGRAMS = 8
"""DTLS that comes before the peer's fingerprint is known: a ClientHello and its repeats
(RFC 8842 section 5.4); what is dropped beyond that is sent again by the peer's timer."""

_INJECTED_FINGERPRINT = Fingerprint("sha-256", ":".join(["00"] * 32))


class DtlsState(enum.Enum):
    """W3C RTCDtlsTransportState."""

    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    CLOSED = "closed"
    FAILED = "failed"


@dataclasses.dataclass(frozen=True, slots=True)
class Secured(Event):
    """The peer is who it said it is: media may flow under these contexts."""

    sender: SrtpSender
    receiver: SrtpReceiver


@dataclasses.dataclass(frozen=True, slots=True)
class SecuringFailed(Event):
    """There is no secure transport, and there will be none."""

    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class PeerClosed(Event):
    """The peer ended the DTLS association (close_notify)."""


class SecureTransport:
    """One DTLS association at a time, kept or replaced as the descriptions say.

    negotiated(), writable() --> handshake --> Secured, SecuringFailed, PeerClosed
    """

    def __init__(self, certificate: DtlsCertificate | None, config: SessionConfig) -> None:
        """
        Raises:
            ValueError: there is neither a certificate nor injected keys.
        """
        if certificate is None and config.injected_keys is None:
            raise ValueError("a session needs a certificate")
        self.state = DtlsState.NEW
        self.profile: SrtpProfile | None = None
        self._certificate = certificate
        self._config = config
        self._role: DtlsRole | None = None
        self._fingerprints: tuple[Fingerprint, ...] = ()
        self._tls_id: str | None = None
        self._path: Path | None = None
        self._deadline: float | None = None
        self._connection: DtlsConnection | None = None
        self._early: list[tuple[bytes, Path]] = []
        self._datagrams: collections.deque[bytes] = collections.deque()
        self._events: collections.deque[Event] = collections.deque()

    @property
    def local_fingerprint(self) -> Fingerprint:
        """What our descriptions say of our certificate."""
        if self._certificate is None:
            return _INJECTED_FINGERPRINT
        return Fingerprint("sha-256", self._certificate.fingerprint("sha-256"))

    @property
    def role(self) -> DtlsRole | None:
        return self._role

    def negotiated(
        self,
        role: DtlsRole,
        fingerprints: tuple[Fingerprint, ...],
        now: float,
        *,
        tls_id: str | None = None,
    ) -> None:
        """Take what offer and answer said; another role, fingerprint or tls-id is another
        association (RFC 8842 section 3.1)."""
        goes_on = (role, set(fingerprints), tls_id) == (
            self._role,
            set(self._fingerprints),
            self._tls_id,
        )
        if goes_on or self.state in (DtlsState.CLOSED, DtlsState.FAILED):
            return
        self._role = role
        self._fingerprints = fingerprints
        self._tls_id = tls_id
        self._connection = None
        self.state = DtlsState.NEW
        self._begin(now)

    def discard(self) -> None:
        """No media description is left that the association could serve (RFC 8829 section
        5.11): forget it without a word, as the peer does. The next one begins anew."""
        if self.state in (DtlsState.CLOSED, DtlsState.FAILED):
            return
        self.state = DtlsState.NEW
        self.profile = None
        self._role = self._path = self._deadline = self._connection = None
        self._fingerprints, self._tls_id = (), None
        self._early.clear()
        self._datagrams.clear()

    def writable(self, path: Path, now: float) -> None:
        """ICE can send: the handshake may begin."""
        if self._path is None:
            self._path = path
            self._begin(now)

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """One datagram whose first byte is that of DTLS."""
        if self._connection is not None:
            self._connection.receive(data, path, now)
            self._advance(now)
        elif self.state is DtlsState.NEW and len(self._early) < MAX_EARLY_DATAGRAMS:
            # Answered before ICE can send, it would have to wait for the peer's repeat.
            self._early.append((data, path))

    def close(self, now: float) -> None:
        """Say close_notify and be done."""
        if self._connection is not None:
            self._connection.close(now)
            self._collect()
        if self.state is not DtlsState.FAILED:
            self.state = DtlsState.CLOSED
        self._deadline = None
        self._events.clear()

    def handle_timeout(self, now: float) -> None:
        if self._connection is None:
            return
        self._connection.handle_timeout(now)
        self._advance(now)
        if self._deadline is not None and now >= self._deadline:
            self._give_up(now)

    def next_timeout(self) -> float | None:
        at = None if self._connection is None else self._connection.next_timeout()
        if at is None or self._deadline is None:
            return self._deadline if at is None else at
        return min(at, self._deadline)

    def poll_datagram(self) -> bytes | None:
        """The next datagram to go out over the ICE pair."""
        return self._datagrams.popleft() if self._datagrams else None

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def _begin(self, now: float) -> None:
        """Start once the role, the fingerprint and a pair are known."""
        if self._role is None or self._path is None or self._connection is not None:
            return
        if self._config.injected_keys is not None:
            self._secure(self._config.injected_keys.profile, self._config.injected_keys.keys)
            return
        assert self._certificate is not None  # the constructor saw to it
        self.state = DtlsState.CONNECTING
        self._deadline = now + HANDSHAKE_TIMEOUT
        self._connection = DtlsConnection(
            self._certificate,
            self._role,
            self._path,
            srtp_profiles=self._config.srtp_profiles,
        )
        self._connection.start(now)
        early, self._early = self._early, []
        for data, path in early:
            self._connection.receive(data, path, now)
        self._advance(now)

    def _advance(self, now: float) -> None:
        connection = self._connection
        while connection is not None and (event := connection.poll_event()) is not None:
            match event:
                case DtlsConnected():
                    self._check_peer(event, now)
                case DtlsFailed(reason):
                    self._fail(reason)
                case DtlsClosed() if self.state is DtlsState.CONNECTED:
                    self.state = DtlsState.CLOSED
                    self._events.append(PeerClosed())
                case DtlsClosed() if self.state is DtlsState.CONNECTING:
                    self._fail("the peer closed during the handshake")
        self._collect()

    def _check_peer(self, connected: DtlsConnected, now: float) -> None:
        if any(
            fingerprint.matches(connected.peer_fingerprint(fingerprint.hash_name))
            for fingerprint in strongest(self._fingerprints)
        ):
            self._secure(connected.profile, connected.keys)
            return
        if self._connection is not None:
            self._connection.close(now)
        self._fail("the peer's certificate does not match its signaled fingerprint")

    def _give_up(self, now: float) -> None:
        """A peer that answers checks but never shakes hands would hold its place for ever:
        a DTLS server has no time limit of its own before the ClientHello."""
        if self._connection is not None:
            self._connection.close(now)
        self._fail(f"no DTLS handshake in {HANDSHAKE_TIMEOUT:g} s")

    def _secure(self, profile: SrtpProfile, keys: SrtpKeys) -> None:
        self.state = DtlsState.CONNECTED
        self._deadline = None
        self.profile = profile
        self._events.append(
            Secured(
                SrtpSender(profile, keys.local_key, keys.local_salt),
                SrtpReceiver(profile, keys.remote_key, keys.remote_salt),
            )
        )

    def _fail(self, reason: str) -> None:
        self._deadline = None
        if self.state is not DtlsState.FAILED:
            self.state = DtlsState.FAILED
            self._events.append(SecuringFailed(reason))

    def _collect(self) -> None:
        connection = self._connection
        while connection is not None and (out := connection.poll_transmit()) is not None:
            self._datagrams.extend(out.segments)
