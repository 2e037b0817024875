"""The STUN client as a machine: requests to one server (RFC 8489 section 6)."""

from __future__ import annotations

import collections
import enum
import itertools
from collections.abc import Mapping, Sequence

from stun.attributes import AnyAttribute, Software
from stun.encoding import encode_message
from stun.exchanges import TRANSACTION_ID_BYTES, Due, Exchanges
from stun.long_term import LongTermClient
from stun.message import Message
from stun.rtt import RtoCache
from stun.short_term import ShortTermClient
from stun.types import MessageClass, Method
from stun.unsigned import UnsignedClient
from transport import (
    CloseRequested,
    ConnectRequested,
    DecodeError,
    Event,
    Path,
    RandomBytes,
    ResetRequested,
    Timers,
    Transmit,
    TransportProtocol,
)

from .config import ClientConfig
from .drops import DropReason
from .errors import ClientClosed
from .events import ServerReached
from .request import PendingRequest

Credentials = LongTermClient | ShortTermClient | UnsignedClient


class _Connection(enum.Enum):
    """Over UDP there is none to make: it is OPEN from the start."""

    NONE = "none"
    OPENING = "opening"
    OPEN = "open"
    CLOSED = "closed"


class StunClient:
    """A Machine that asks one server.

    ``path`` leads to it. Over TCP, TLS and DTLS the client asks for the connection itself
    (ConnectRequested) with its first request, keeps it until ``close``, and makes another
    when it is needed and the last is gone; the local address of ``path`` is then that of the
    connection. At most 10 requests are under way at a time, the others wait.

    ``credentials`` belong to this server alone: they remember its realm and nonce, or the
    algorithm that it knows. ``rto`` may be shared by the clients of a process.
    """

    def __init__(
        self,
        path: Path,
        *,
        random_bytes: RandomBytes,
        credentials: Credentials | None = None,
        config: ClientConfig | None = None,
        rto: RtoCache | None = None,
    ) -> None:
        self.path = path
        self.random_bytes = random_bytes
        self.config = config or ClientConfig()
        self.rto = rto or RtoCache()
        self.timers: Timers[Due] = Timers()
        self.transmits: collections.deque[Transmit] = collections.deque()
        self._credentials = credentials or UnsignedClient()
        self._events: collections.deque[Event] = collections.deque()
        self._exchanges = Exchanges(self, self.config.timing)
        self._tokens = itertools.count()
        is_udp = path.transport is TransportProtocol.UDP
        self._connection = _Connection.OPEN if is_udp else _Connection.NONE
        self.lost_for = ""
        """Why the last connection has ended, or could not be opened."""
        self._has_answered = False
        """Whether the connection, as it is now, has ever brought an answer."""
        self._reset_path: Path | None = None
        self._drops: collections.Counter[DropReason] = collections.Counter()

    @property
    def is_closed(self) -> bool:
        return self._connection is _Connection.CLOSED

    def drops(self) -> Mapping[DropReason, int]:
        return dict(self._drops)

    # Verbs

    def request(
        self,
        now: float,
        *,
        method: int = Method.BINDING,
        attributes: Sequence[AnyAttribute] = (),
    ) -> int:
        """Send a request; RequestSucceeded or RequestFailed will have the number returned.

        Raises:
            ClientClosed: ``close`` was called.
            ValueError: an attribute cannot be encoded.
        """
        self._expect_open()
        token = next(self._tokens)
        body = self._with_software(attributes)
        # What cannot be encoded is the caller's mistake, and not found out later.
        encode_message(method, MessageClass.REQUEST, bytes(TRANSACTION_ID_BYTES), body)
        request = PendingRequest(token, method, self._credentials.request(method, body), self)
        request.send(now)
        return token

    def indicate(self, method: int, attributes: Sequence[AnyAttribute] = ()) -> None:
        """Send an indication, once, where there is a connection (section 6.2).

        Raises:
            ClientClosed: ``close`` was called.
            ValueError: an attribute cannot be encoded.
        """
        self._expect_open()
        body = self._with_software(attributes)
        kind, number = MessageClass.INDICATION, self.random_bytes(TRANSACTION_ID_BYTES)
        if isinstance(self._credentials, ShortTermClient):
            data = self._credentials.sign(method, kind, number, attributes=body)
        else:  # The long-term mechanism does not protect indications (section 9.2).
            data = encode_message(method, kind, number, body)
        if self.can_send:
            self.transmits.append(Transmit(self.path, (data,)))

    def close(self, now: float) -> None:
        """Forget what is under way, and close the connection."""
        if self._connection is _Connection.OPEN and self._is_connected:
            self._events.append(CloseRequested(self.path))
        self._connection = _Connection.CLOSED
        self._exchanges.cancel_all()
        self.timers = Timers()

    # Machine

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """Take a datagram, or a message that ``StunFramer`` has found in the stream."""
        if path != self.path:
            self._drops[DropReason.FOREIGN_PATH] += 1
            return
        try:
            message = Message.decode(data)
        except DecodeError:
            self._drops[DropReason.MALFORMED] += 1
            return
        if message.fingerprint_ok is False:
            self._drops[DropReason.BAD_FINGERPRINT] += 1
        elif message.message_class not in (MessageClass.SUCCESS, MessageClass.ERROR):
            self._drops[DropReason.UNEXPECTED_MESSAGE] += 1
        elif self.is_closed or not self._receive_response(message, now):
            self._drops[DropReason.UNKNOWN_TRANSACTION] += 1

    def handle_timeout(self, now: float) -> None:
        for item in self.timers.expired(now):
            item.due(now)

    def next_timeout(self) -> float | None:
        return self.timers.next_timeout()

    def poll_transmit(self) -> Transmit | None:
        return self.transmits.popleft() if self.transmits else None

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    # ReachabilityMachine

    def unreachable(self, path: Path, now: float) -> None:
        """A hard ICMP error came: what is under way fails at once (section 6.2.1)."""
        if path == self.path and not self.is_closed:
            self._exchanges.unreachable(now)

    # StreamMachine

    def connected(self, path: Path, now: float) -> None:
        """The connection to the server is open."""
        if self._connection is not _Connection.OPENING:
            self._events.append(CloseRequested(path))
            return
        self._connection = _Connection.OPEN
        self._has_answered = False
        self.path = path
        self._events.append(ServerReached())
        self._exchanges.send_waiting(now)

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        """The connection is gone, or could not be opened: all that waits for it fails."""
        if path == self._reset_path:
            self._reset_path = None
        elif self._connection in (_Connection.OPENING, _Connection.OPEN):
            self._connection = _Connection.NONE
            self.lost_for = reason
            self._exchanges.fail_all(now)

    # For the requests

    @property
    def has_credentials(self) -> bool:
        return not isinstance(self._credentials, UnsignedClient)

    @property
    def can_send(self) -> bool:
        return self._connection is _Connection.OPEN

    @property
    def exchanges(self) -> Exchanges:
        return self._exchanges

    def challenged(self, response: Message) -> None:
        """The credentials remember by themselves what the server wants."""
        self._events.append(ServerReached())

    def report(self, event: Event) -> None:
        self._events.append(event)

    def need_connection(self) -> None:
        """Ask for one, if there is none yet."""
        if self._connection is _Connection.NONE:
            self._connection = _Connection.OPENING
            name = self.config.server_name
            self._events.append(ConnectRequested(self.path.transport, self.path.remote, name))

    def gave_no_answer(self) -> bool:
        """A transaction has timed out. Whether that is because the connection, which once
        worked, is dead: it is reset then, and what waits goes over another one (section 6.2.2).
        """
        if not (self.path.transport.is_reliable and self._has_answered and self.can_send):
            return False
        self._events.append(ResetRequested(self.path))
        self._reset_path = self.path
        self._connection = _Connection.NONE
        self._exchanges.send_again()
        self.need_connection()
        return True

    def _receive_response(self, message: Message, now: float) -> bool:
        is_ours = self._exchanges.receive(message, now)
        self._has_answered = self._has_answered or is_ours
        return is_ours

    @property
    def _is_connected(self) -> bool:
        return self.path.transport is not TransportProtocol.UDP

    def _with_software(self, attributes: Sequence[AnyAttribute]) -> tuple[AnyAttribute, ...]:
        software = self.config.software
        return (*attributes, *(() if software is None else (Software(software),)))

    def _expect_open(self) -> None:
        if self.is_closed:
            raise ClientClosed("the client is closed")
