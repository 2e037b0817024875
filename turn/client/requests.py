"""Requests to the server: credentials, retries and transactions (RFC 8656 section 5)."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Sequence

from stun import (
    AnyAttribute,
    ClientTransaction,
    ErrorCode,
    ErrorNumber,
    LongTermRequest,
    Message,
    MessageClass,
    ResponseReceived,
    TransactionFailed,
    TransactionFailure,
)
from transport import Event

from .events import FailureReason
from .limits import MAX_OUTSTANDING
from .session import ClientSession
from .state import ClientState

TRANSACTION_ID_BYTES = 12

_FAILURES = {
    TransactionFailure.UNREACHABLE: FailureReason.UNREACHABLE,
    TransactionFailure.INTEGRITY_VIOLATED: FailureReason.INTEGRITY_VIOLATED,
    TransactionFailure.UNKNOWN_ATTRIBUTES: FailureReason.UNUSABLE_RESPONSE,
    TransactionFailure.NO_ERROR_CODE: FailureReason.UNUSABLE_RESPONSE,
}

_REASONS: dict[int, FailureReason] = {
    ErrorNumber.UNAUTHENTICATED: FailureReason.UNAUTHENTICATED,
    ErrorNumber.STALE_NONCE: FailureReason.UNAUTHENTICATED,
    ErrorNumber.WRONG_CREDENTIALS: FailureReason.UNAUTHENTICATED,
    ErrorNumber.ALLOCATION_MISMATCH: FailureReason.MISMATCH,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Succeeded:
    """The server did it.

    ``sent_at`` is when the request went out first: the earliest that the server's timers
    can have started.
    """

    response: Message
    sent_at: float


@dataclasses.dataclass(frozen=True, slots=True)
class Failed:
    """The server did not do it, or nobody knows.

    ``response`` is its error response, if there was one; ``is_proven`` says whether the
    credentials prove it.
    """

    reason: FailureReason
    code: int | None = None
    phrase: str = ""
    response: Message | None = None
    is_proven: bool = False

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed a moment later."""
        return self.code is None or self.code >= ErrorNumber.SERVER_ERROR


OnOutcome = Callable[[Succeeded | Failed, float], None]


class Exchange:
    """A request in one of its transactions; a retry is another exchange."""

    __slots__ = ("_requests", "on_outcome", "request", "sent_at", "transaction")

    def __init__(
        self,
        requests: Requests,
        request: LongTermRequest,
        on_outcome: OnOutcome,
        *,
        transaction: ClientTransaction,
        sent_at: float,
    ) -> None:
        self._requests = requests
        self.request = request
        self.on_outcome = on_outcome
        self.transaction = transaction
        self.sent_at = sent_at

    def due(self, now: float) -> None:
        self.transaction.handle_timeout(now)
        self._requests.advance(self, now)


class Requests:
    """At most MAX_OUTSTANDING exchanges at a time; the others wait for their turn."""

    __slots__ = ("_exchanges", "_session", "_waiting")

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self._exchanges: dict[bytes, Exchange] = {}
        self._waiting: collections.deque[tuple[LongTermRequest, OnOutcome]] = collections.deque()

    def start(
        self,
        method: int,
        attributes: Sequence[AnyAttribute],
        on_outcome: OnOutcome,
        now: float,
    ) -> None:
        """Send a request now, or when others have ended; ``on_outcome(outcome, now)`` is
        called once."""
        request = self._session.credentials.request(method, attributes)
        self._waiting.append((request, on_outcome))
        self._send_waiting(now)

    def cancel_all(self) -> None:
        """Forget every request; no outcome will be told."""
        for exchange in self._exchanges.values():
            self._session.timers.cancel(exchange)
        self._exchanges.clear()
        self._waiting.clear()

    def receive(self, message: Message, now: float) -> bool:
        """Take a response; False if it answers nothing that is under way."""
        exchange = self._exchanges.get(message.transaction_id)
        if exchange is None:
            return False
        exchange.transaction.receive_message(message, self._session.path, now)
        self.advance(exchange, now)
        return True

    def advance(self, exchange: Exchange, now: float) -> None:
        """Do what the exchange's transaction has come to."""
        transaction = exchange.transaction
        if (transmit := transaction.poll_transmit()) is not None:
            self._session.transmits.append(transmit)
        deadline = transaction.next_timeout()
        if deadline is not None:
            self._session.timers.set(exchange, deadline)
        event = transaction.poll_event()
        if event is not None:
            self._session.timers.cancel(exchange)
            del self._exchanges[transaction.transaction_id]
            self._conclude(exchange, event, now)
            self._send_waiting(now)

    def _conclude(self, exchange: Exchange, event: Event, now: float) -> None:
        match event:
            case ResponseReceived(message=response, round_trip_time=round_trip_time):
                server = self._session.path.remote
                self._session.memory.rto.completed(server.ip, round_trip_time, now)
                if exchange.request.retry(response):
                    self._session.memory.learn(server, response)
                    self._send(exchange.request, exchange.on_outcome, now)
                elif response.message_class is MessageClass.SUCCESS:
                    exchange.on_outcome(Succeeded(response, exchange.sent_at), now)
                else:
                    exchange.on_outcome(_refusal(exchange.request, response), now)
            case TransactionFailed(reason=reason):
                exchange.on_outcome(Failed(_FAILURES[reason]), now)
            case _:
                exchange.on_outcome(Failed(FailureReason.TIMED_OUT), now)

    def _send_waiting(self, now: float) -> None:
        if self._session.state is ClientState.CLOSED:
            self._waiting.clear()
        while self._waiting and len(self._exchanges) < MAX_OUTSTANDING:
            self._send(*self._waiting.popleft(), now)

    def _send(self, request: LongTermRequest, on_outcome: OnOutcome, now: float) -> None:
        session = self._session
        data = request.encode(session.random_bytes(TRANSACTION_ID_BYTES))
        transaction = ClientTransaction(
            data,
            session.path,
            rto=session.memory.rto.rto(session.path.remote.ip, now),
            verifier=request,
        )
        exchange = Exchange(self, request, on_outcome, transaction=transaction, sent_at=now)
        self._exchanges[transaction.transaction_id] = exchange
        transaction.start(now)
        self.advance(exchange, now)


def _refusal(request: LongTermRequest, response: Message) -> Failed:
    error = response.get(ErrorCode)
    assert error is not None  # ClientTransaction takes no error response without
    return Failed(
        _REASONS.get(error.code, FailureReason.REFUSED),
        error.code,
        error.reason,
        response,
        is_proven=request.is_authenticated(response),
    )
