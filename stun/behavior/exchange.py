"""One Binding request of a test, and whatever comes of it.

Other than for a transaction of RFC 8489, an answer may come from elsewhere (CHANGE-REQUEST),
at another socket (RESPONSE-PORT), or be the request itself (hairpinning).
"""

from __future__ import annotations

import dataclasses

from stun.attributes import AnyAttribute, ErrorCode
from stun.encoding import encode_message
from stun.message import Message
from stun.reflexive import reflexive_address
from stun.transaction import ClientTransaction, ResponseReceived, TransactionTimedOut
from stun.types import MessageClass, Method
from transport import Path, Transmit, TransportAddress, TransportProtocol

from .config import BehaviorConfig


@dataclasses.dataclass(frozen=True, slots=True)
class Ask:
    """A request from one of our sockets, and where its answer belongs.

    ``origin`` is where it is to come from, ``at`` the socket where it is to arrive; None
    stands for where the request went, and where it left.
    """

    local: TransportAddress
    remote: TransportAddress
    attributes: tuple[AnyAttribute, ...] = ()
    origin: TransportAddress | None = None
    at: TransportAddress | None = None

    @property
    def answer_path(self) -> Path:
        local, remote = self.at or self.local, self.origin or self.remote
        return Path(TransportProtocol.UDP, local, remote)


@dataclasses.dataclass(frozen=True, slots=True)
class Answered:
    """A success response, where it belongs."""

    response: Message
    mapped: TransportAddress
    round_trip_time: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class Misplaced:
    """A success response that came from, or to, another address than it should."""

    path: Path


@dataclasses.dataclass(frozen=True, slots=True)
class Refused:
    """An error response; None stands for a response that cannot be read."""

    code: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class Looped:
    """Our own request came back to one of our sockets, by this path."""

    path: Path


@dataclasses.dataclass(frozen=True, slots=True)
class Silent:
    """Nothing came."""


Outcome = Answered | Misplaced | Refused | Looped | Silent


class Exchange:
    """A request that is sent until something comes of it; ``outcome`` says what."""

    __slots__ = ("_ask", "_came_by", "_transaction", "outcome")

    def __init__(self, ask: Ask, transaction_id: bytes, config: BehaviorConfig) -> None:
        request = encode_message(
            Method.BINDING, MessageClass.REQUEST, transaction_id, ask.attributes
        )
        self._ask = ask
        self._transaction = ClientTransaction(
            request,
            Path(TransportProtocol.UDP, ask.local, ask.remote),
            rto=config.rto,
            rc=config.rc,
            rm=config.rm,
        )
        self._came_by = ask.answer_path
        self.outcome: Outcome | None = None

    @property
    def transaction_id(self) -> bytes:
        return self._transaction.transaction_id

    def start(self, now: float) -> None:
        self._transaction.start(now)

    def receive(self, message: Message, path: Path, now: float) -> None:
        """Take a message with our transaction id, wherever it came from and to."""
        if message.message_class is MessageClass.REQUEST:
            self.outcome = Looped(path)
            return
        self._came_by = path
        self._transaction.receive_message(message, self._transaction.path, now)
        self._conclude()

    def handle_timeout(self, now: float) -> None:
        self._transaction.handle_timeout(now)
        self._conclude()

    def next_timeout(self) -> float | None:
        return None if self.outcome is not None else self._transaction.next_timeout()

    def poll_transmit(self) -> Transmit | None:
        return None if self.outcome is not None else self._transaction.poll_transmit()

    def _conclude(self) -> None:
        match self._transaction.poll_event():
            case None:
                pass
            case ResponseReceived() as event:
                self.outcome = self._judge(event)
            case TransactionTimedOut():
                self.outcome = Silent()
            case _:
                self.outcome = Refused(None)

    def _judge(self, event: ResponseReceived) -> Outcome:
        response = event.message
        if response.message_class is MessageClass.ERROR:
            error = response.get(ErrorCode)
            return Refused(None if error is None else error.code)
        mapped = reflexive_address(response)
        if mapped is None:
            return Refused(None)
        if self._came_by != self._ask.answer_path:
            return Misplaced(self._came_by)
        return Answered(response, mapped, event.round_trip_time)
