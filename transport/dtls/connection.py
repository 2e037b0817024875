"""A DTLS 1.2 association as a machine (RFC 6347, RFC 5764)."""

from __future__ import annotations

import collections
import enum
from collections.abc import Sequence

from transport.machine import Event, Path, Transmit
from transport.timers import Timers

from .certificate import DtlsCertificate, fingerprint
from .events import DtlsClosed, DtlsConnected, DtlsDataReceived, DtlsFailed
from .flight import FlightRepeater
from .openssl import DtlsEngine, EngineClosed, EngineFailed
from .profile import DEFAULT_PROFILES, DtlsRole, SrtpKeys, SrtpProfile
from .records import CHANGE_CIPHER_SPEC, HANDSHAKE, may_be_dtls, pack_records

HANDSHAKE_TIMEOUT = 30.0
"""From the first datagram of the handshake: as long as consent lives (RFC 7675 section 5.1)."""

MAX_QUEUED_DATAGRAMS = 256
"""Application data waiting for poll_transmit; more means that nobody drains the machine."""

_MIN_OPENSSL_WAIT = 0.01
"""``now`` and OpenSSL's clock are two clocks: when they differ, ask again this much later."""


class _State(enum.Enum):
    NEW = enum.auto()
    HANDSHAKING = enum.auto()
    CONNECTED = enum.auto()
    CLOSED = enum.auto()


class _Timer(enum.Enum):
    HANDSHAKE = enum.auto()
    OPENSSL = enum.auto()
    REPEAT = enum.auto()


class DtlsConnection:
    """One association over one path.

    start() --> poll_transmit(), next_timeout()
    datagrams --> receive() --> DtlsConnected, DtlsDataReceived, DtlsClosed, DtlsFailed

    ``path`` is what every Transmit carries; ``receive`` takes datagrams from any path,
    since ICE may have moved the data to another pair, and has checked where it came from.
    A server waits for a ClientHello without a limit; that the peer is gone is for ICE
    to find out. The retransmission timer of OpenSSL runs on the real clock; the repeats
    that come before it (``flight``) and the time limit run on ``now``.
    """

    def __init__(
        self,
        certificate: DtlsCertificate,
        role: DtlsRole,
        path: Path,
        *,
        srtp_profiles: Sequence[SrtpProfile] = DEFAULT_PROFILES,
        mtu: int = 1200,
    ) -> None:
        """
        Raises:
            ValueError: no SRTP profile is offered.
        """
        if not srtp_profiles:
            raise ValueError("at least one SRTP profile must be offered")
        self.role = role
        self._path = path
        self._mtu = mtu
        self._engine = DtlsEngine(certificate, role, tuple(srtp_profiles), mtu=mtu)
        self._state = _State.NEW
        self._timers: Timers[_Timer] = Timers()
        self._flight = FlightRepeater()
        self._transmits: collections.deque[Transmit] = collections.deque()
        self._events: collections.deque[Event] = collections.deque()

    def start(self, now: float) -> None:
        """Send the ClientHello, or begin to listen for one."""
        if self._state is not _State.NEW:
            return
        self._state = _State.HANDSHAKING
        if self.role is DtlsRole.CLIENT:
            self._timers.set(_Timer.HANDSHAKE, now + HANDSHAKE_TIMEOUT)
            self._advance(now)

    def send(self, data: bytes) -> bool:
        """Send application data in one record; False if it was dropped for want of room.

        Raises:
            ValueError: ``data`` is empty, or too long for one datagram.
            RuntimeError: the association is not, or no longer, connected.
        """
        if self._state is not _State.CONNECTED:
            raise RuntimeError("DTLS is not connected")
        if not 0 < len(data) <= self._engine.max_data_bytes:
            raise ValueError(
                f"1 to {self._engine.max_data_bytes} bytes go at once, not {len(data)}"
            )
        if len(self._transmits) >= MAX_QUEUED_DATAGRAMS:
            return False
        try:
            self._engine.send(data)
        except EngineFailed as error:
            self._fail(str(error))
            return False
        self._flush()
        return True

    def close(self, now: float) -> None:
        """Say close_notify, if there is anyone to say it to, and be done."""
        if self._state is _State.CLOSED:
            return
        if self._state is _State.CONNECTED:
            self._say_goodbye()
        self._end(DtlsClosed())

    def peer_fingerprint(self, hash_name: str = "sha-256") -> str:
        """The fingerprint of the certificate that the peer has shown.

        Raises:
            ValueError: ``hash_name`` is not one of RFC 8122's.
            RuntimeError: no certificate was shown yet.
        """
        certificate = self._engine.peer_certificate()
        if certificate is None:
            raise RuntimeError("the peer has not shown its certificate yet")
        return fingerprint(certificate, hash_name)

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """Take one datagram; what is not DTLS, forged or repeated changes nothing."""
        if self._state not in (_State.HANDSHAKING, _State.CONNECTED) or not may_be_dtls(data):
            return
        self._engine.write(data)
        if self._state is _State.HANDSHAKING:
            if _Timer.HANDSHAKE not in self._timers:
                self._timers.set(_Timer.HANDSHAKE, now + HANDSHAKE_TIMEOUT)
            self._advance(now)
        else:
            self._read()
            self._answer_repeated_flight(data, now)

    def handle_timeout(self, now: float) -> None:
        for timer in self._timers.expired(now):
            match timer:
                case _Timer.HANDSHAKE:
                    self._fail(f"no answer in {HANDSHAKE_TIMEOUT:g} s")
                case _Timer.OPENSSL:
                    self._advance_timer(now)
                case _Timer.REPEAT:
                    self._repeat_flight(now)
                    self._arm_repeat(self._flight.next_repeat)

    def next_timeout(self) -> float | None:
        return self._timers.next_timeout()

    def poll_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def _advance(self, now: float) -> None:
        """Let OpenSSL go on with the handshake as far as it can."""
        try:
            done = self._engine.handshake()
        except EngineFailed as error:
            self._fail(str(error))
            return
        self._send_flight(now)
        if done:
            self._connected()
            self._read()
        else:
            self._arm_openssl(now)

    def _advance_timer(self, now: float) -> None:
        try:
            self._engine.handle_timeout()
        except EngineFailed as error:
            self._fail(str(error))
            return
        self._send_flight(now)
        self._arm_openssl(now)

    def _connected(self) -> None:
        profile = self._engine.profile
        for timer in _Timer:
            self._timers.cancel(timer)
        if profile is None:
            # RFC 5764 section 4.1.2 leaves it to us: OpenSSL finds nothing wrong with it.
            self._say_goodbye()
            self._fail("the peer agreed to no SRTP protection profile")
            return
        self._state = _State.CONNECTED
        material = self._engine.export(profile.material_length)
        keys = SrtpKeys.from_material(material, profile, self.role)
        self._events.append(DtlsConnected(profile, keys, self.peer_fingerprint))

    def _read(self) -> None:
        try:
            while self._state is _State.CONNECTED and (data := self._engine.read()) is not None:
                self._events.append(DtlsDataReceived(data))
        except EngineClosed:
            self._say_goodbye()
            self._end(DtlsClosed())
        except EngineFailed as error:
            self._fail(str(error))
        self._flush()

    def _answer_repeated_flight(self, data: bytes, now: float) -> None:
        """RFC 6347 section 4.2.4: who sends the last flight repeats it when asked again.

        OpenSSL does so for a Finished with a new sequence number only, not for the very
        datagrams that a peer like this one repeats.
        """
        if self.role is DtlsRole.SERVER and data[0] in (CHANGE_CIPHER_SPEC, HANDSHAKE):
            self._repeat_flight(now)

    def _repeat_flight(self, now: float) -> None:
        if self._state in (_State.HANDSHAKING, _State.CONNECTED):
            self._queue(self._flight.repeat(now))

    def _send_flight(self, now: float) -> None:
        datagrams = self._flush()
        if datagrams:
            self._arm_repeat(self._flight.sent(datagrams, now))

    def _arm_repeat(self, deadline: float | None) -> None:
        if deadline is not None and self._state is _State.HANDSHAKING:
            self._timers.set(_Timer.REPEAT, deadline)
        else:
            self._timers.cancel(_Timer.REPEAT)

    def _arm_openssl(self, now: float) -> None:
        wait = self._engine.timeout()
        if wait is None:
            self._timers.cancel(_Timer.OPENSSL)
        else:
            self._timers.set(_Timer.OPENSSL, now + max(wait, _MIN_OPENSSL_WAIT))

    def _say_goodbye(self) -> None:
        try:
            self._engine.shutdown()
        except EngineFailed:
            return  # it has no close_notify to say any more
        self._flush()

    def _fail(self, reason: str) -> None:
        self._flush()  # the alert
        self._end(DtlsFailed(reason))

    def _end(self, event: Event) -> None:
        self._state = _State.CLOSED
        for timer in _Timer:
            self._timers.cancel(timer)
        self._events.append(event)

    def _flush(self) -> list[bytes]:
        datagrams = pack_records(self._engine.output(), self._mtu)
        self._queue(datagrams)
        return datagrams

    def _queue(self, datagrams: Sequence[bytes]) -> None:
        self._transmits.extend(Transmit(self._path, (datagram,)) for datagram in datagrams)
