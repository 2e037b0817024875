"""What all DTLS 1.2 associations do alike (RFC 6347): handshake, records, timers, the end."""

from __future__ import annotations

import collections
import enum
from collections.abc import Sequence

from transport.machine import Event, Path, Transmit
from transport.timers import Timers

from .events import DtlsClosed, DtlsDataReceived, DtlsFailed
from .flight import FlightRepeater
from .openssl import DtlsEngine, EngineClosed, EngineFailed
from .profile import DtlsRole
from .records import CHANGE_CIPHER_SPEC, HANDSHAKE, may_be_dtls, pack_records

HANDSHAKE_TIMEOUT = 30.0
"""From the first datagram of the handshake: as long as consent lives (RFC 7675 section 5.1)."""

MAX_QUEUED_DATAGRAMS = 256
"""Application data waiting for poll_transmit; more means that nobody drains the machine."""

_MIN_OPENSSL_WAIT = 0.01
"""``now`` and OpenSSL's clock are two clocks: when they differ, ask again this much later."""


class AssociationState(enum.Enum):
    """How far an association is."""

    NEW = enum.auto()
    HANDSHAKING = enum.auto()
    CONNECTED = enum.auto()
    CLOSED = enum.auto()


class _Timer(enum.Enum):
    HANDSHAKE = enum.auto()
    OPENSSL = enum.auto()
    REPEAT = enum.auto()


class Association:
    """One association over one path; a machine, and the base of its kinds.

    ``path`` is what every Transmit carries; ``receive`` takes datagrams from any path.
    The retransmission timer of OpenSSL runs on the real clock; the repeats that come
    before it (``flight``) and the time limit run on ``now``.
    """

    def __init__(
        self,
        engine: DtlsEngine,
        role: DtlsRole,
        path: Path,
        *,
        mtu: int,
        handshake_timeout: float = HANDSHAKE_TIMEOUT,
    ) -> None:
        self.role = role
        self.state = AssociationState.NEW
        self._path = path
        self._mtu = mtu
        self._engine = engine
        self._handshake_timeout = handshake_timeout
        self._timers: Timers[_Timer] = Timers()
        self._flight = FlightRepeater()
        self._transmits: collections.deque[Transmit] = collections.deque()
        self._events: collections.deque[Event] = collections.deque()

    @property
    def max_data_bytes(self) -> int:
        """The longest application data that ``send`` takes: what a record holds."""
        return self._engine.max_record_bytes

    def start(self, now: float) -> None:
        """Send the ClientHello, or begin to listen for one."""
        if self.state is not AssociationState.NEW:
            return
        self.state = AssociationState.HANDSHAKING
        if self.role is DtlsRole.CLIENT:
            self._limit_handshake(now)
            self._advance(now)

    def send(self, data: bytes) -> bool:
        """Send application data in one record; False if it was dropped for want of room.

        Raises:
            ValueError: ``data`` is empty, or longer than ``max_data_bytes``.
            RuntimeError: the association is not, or no longer, connected.
        """
        if self.state is not AssociationState.CONNECTED:
            raise RuntimeError("DTLS is not connected")
        if not 0 < len(data) <= self.max_data_bytes:
            raise ValueError(f"1 to {self.max_data_bytes} bytes go at once, not {len(data)}")
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
        if self.state is AssociationState.CLOSED:
            return
        if self.state is AssociationState.CONNECTED:
            self._say_goodbye()
        self._end(DtlsClosed())

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """Take one datagram; what is not DTLS, forged or repeated changes nothing."""
        is_open = self.state in (AssociationState.HANDSHAKING, AssociationState.CONNECTED)
        if not is_open or not may_be_dtls(data):
            return
        self._engine.write(data)
        if self.state is AssociationState.HANDSHAKING:
            self._limit_handshake(now)
            self._advance(now)
        else:
            self._read()
            self._answer_repeated_flight(data, now)

    def handle_timeout(self, now: float) -> None:
        for timer in self._timers.expired(now):
            match timer:
                case _Timer.HANDSHAKE:
                    self._fail(f"no answer in {self._handshake_timeout:g} s")
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

    def _established(self) -> Event:
        """What to report once the handshake is done.

        Raises:
            EngineFailed: what was agreed on will not do.
        """
        raise NotImplementedError

    def _limit_handshake(self, now: float) -> None:
        """Begin to count the time that it may take, unless that was done."""
        if _Timer.HANDSHAKE not in self._timers:
            self._timers.set(_Timer.HANDSHAKE, now + self._handshake_timeout)

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
        for timer in _Timer:
            self._timers.cancel(timer)
        try:
            event = self._established()
        except EngineFailed as error:
            self._say_goodbye()
            self._fail(str(error))
            return
        self.state = AssociationState.CONNECTED
        self._events.append(event)

    def _read(self) -> None:
        try:
            while (
                self.state is AssociationState.CONNECTED
                and (data := self._engine.read()) is not None
            ):
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
        if self.state in (AssociationState.HANDSHAKING, AssociationState.CONNECTED):
            self._queue(self._flight.repeat(now))

    def _send_flight(self, now: float) -> None:
        datagrams = self._flush()
        if datagrams:
            self._arm_repeat(self._flight.sent(datagrams, now))

    def _arm_repeat(self, deadline: float | None) -> None:
        if deadline is not None and self.state is AssociationState.HANDSHAKING:
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
        self.state = AssociationState.CLOSED
        for timer in _Timer:
            self._timers.cancel(timer)
        self._events.append(event)

    def _flush(self) -> list[bytes]:
        datagrams = pack_records(self._engine.output(), self._mtu)
        self._queue(datagrams)
        return datagrams

    def _queue(self, datagrams: Sequence[bytes]) -> None:
        self._transmits.extend(Transmit(self._path, (datagram,)) for datagram in datagrams)
