"""Requests to one server: their transactions, retries and turns (RFC 8489 section 6.2)."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Hashable
from typing import Final, Protocol

from transport import Event, Path, RandomBytes, Timers, Transmit

from .message import Message
from .rtt import RtoCache
from .transaction import (
    RC,
    RM,
    TI,
    ClientTransaction,
    ResponseReceived,
    ResponseVerifier,
    TransactionFailed,
    TransactionFailure,
)

MAX_OUTSTANDING: Final = 10
"""Transactions under way at a time, to one server (section 6.2)."""

TRANSACTION_ID_BYTES: Final = 12


class Due(Hashable, Protocol):
    """What can be waited for."""

    def due(self, now: float) -> None:
        """Its time has come."""
        ...


class SignedRequest(ResponseVerifier, Protocol):
    """A request with whatever proves who sends it, as each mechanism has its own."""

    def encode(self, transaction_id: bytes) -> bytes:
        """The bytes for a new transaction."""
        ...

    def retry(self, response: Message) -> bool:
        """Whether to encode and send it again, in a new transaction."""
        ...


class ExchangeHost(Protocol):
    """What exchanges need of the client that they belong to."""

    timers: Timers[Due]

    @property
    def path(self) -> Path: ...

    @property
    def transmits(self) -> collections.deque[Transmit]: ...

    @property
    def random_bytes(self) -> RandomBytes: ...

    @property
    def rto(self) -> RtoCache: ...

    @property
    def can_send(self) -> bool:
        """Whether there is a way to the server now; else requests wait."""
        ...

    def challenged(self, response: Message) -> None:
        """The server wants credentials, or a newer nonce; a request goes out again for it."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class TransactionTiming:
    """The numbers of RFC 8489 sections 6.2.1 and 6.2.2."""

    rc: int = RC
    rm: int = RM
    ti: float = TI


@dataclasses.dataclass(frozen=True, slots=True)
class ExchangeEnded:
    """What a request has come to: ResponseReceived, TransactionFailed or TransactionTimedOut.

    ``sent_at`` is when it went out first, in its last transaction.
    """

    event: Event
    sent_at: float


OnEnd = Callable[[ExchangeEnded, float], None]


@dataclasses.dataclass(frozen=True, slots=True)
class _Waiting:
    """A request that is to go on this path, or on whichever the host has then."""

    request: SignedRequest
    on_end: OnEnd
    path: Path | None


class Exchange:
    """A request in one of its transactions; a retry is another exchange."""

    __slots__ = ("_exchanges", "on_end", "request", "sent_at", "transaction", "wanted_path")

    def __init__(
        self,
        exchanges: Exchanges,
        waiting: _Waiting,
        *,
        transaction: ClientTransaction,
        sent_at: float,
    ) -> None:
        self._exchanges = exchanges
        self.request = waiting.request
        self.on_end = waiting.on_end
        self.wanted_path = waiting.path
        self.transaction = transaction
        self.sent_at = sent_at

    def due(self, now: float) -> None:
        self.transaction.handle_timeout(now)
        self._exchanges.advance(self, now)


class Exchanges:
    """At most MAX_OUTSTANDING at a time; the others wait for their turn."""

    __slots__ = ("_host", "_timing", "_under_way", "_waiting")

    def __init__(self, host: ExchangeHost, timing: TransactionTiming | None = None) -> None:
        self._host = host
        self._timing = timing or TransactionTiming()
        self._under_way: dict[bytes, Exchange] = {}
        self._waiting: collections.deque[_Waiting] = collections.deque()

    def __len__(self) -> int:
        """How many have not ended."""
        return len(self._under_way) + len(self._waiting)

    def start(
        self,
        request: SignedRequest,
        on_end: OnEnd,
        now: float,
        *,
        path: Path | None = None,
    ) -> None:
        """Send a request now, or when others have ended; ``on_end(ended, now)`` is called once.

        It goes on ``path``, or else on the one that the host has by then.

        Raises:
            ValueError: it cannot be encoded.
        """
        self._waiting.append(_Waiting(request, on_end, path))
        self.send_waiting(now)

    def send_waiting(self, now: float) -> None:
        """Send what can be sent by now."""
        while self._waiting and self._host.can_send and len(self._under_way) < MAX_OUTSTANDING:
            self._send(self._waiting.popleft(), now)

    def send_again(self) -> None:
        """Put what is under way back in front of what waits: the host has another path."""
        moving = [each for each in self._under_way.values() if each.wanted_path is None]
        for exchange in reversed(moving):
            self._forget(exchange)
            self._waiting.appendleft(_Waiting(exchange.request, exchange.on_end, None))

    def cancel_all(self) -> None:
        """Forget every request; no end will be told."""
        for exchange in list(self._under_way.values()):
            self._forget(exchange)
        self._waiting.clear()

    def cancel_on(self, path: Path) -> None:
        """Forget what was to go on this path; no end will be told."""
        for exchange in list(self._under_way.values()):
            if exchange.transaction.path == path:
                self._forget(exchange)
        self._waiting = collections.deque(each for each in self._waiting if each.path != path)

    def unreachable(self, now: float) -> None:
        """A hard ICMP error came: what is under way fails at once."""
        for exchange in list(self._under_way.values()):
            exchange.transaction.unreachable()
            self.advance(exchange, now)

    def fail_all(self, now: float) -> None:
        """There is no way to the server: all fails, sent or not."""
        waiting = list(self._waiting)
        self._waiting.clear()
        self.unreachable(now)
        gone = TransactionFailed(b"", TransactionFailure.UNREACHABLE)
        for each in waiting:
            each.on_end(ExchangeEnded(gone, now), now)

    def receive(self, message: Message, now: float, *, path: Path | None = None) -> bool:
        """Take a response that came on ``path``, or else on the host's; False if it answers
        nothing that is under way."""
        exchange = self._under_way.get(message.transaction_id)
        if exchange is None:
            return False
        exchange.transaction.receive_message(message, path or self._host.path, now)
        self.advance(exchange, now)
        return True

    def advance(self, exchange: Exchange, now: float) -> None:
        """Do what the exchange's transaction has come to."""
        transaction, host = exchange.transaction, self._host
        if (transmit := transaction.poll_transmit()) is not None:
            host.transmits.append(transmit)
        deadline = transaction.next_timeout()
        if deadline is not None:
            host.timers.set(exchange, deadline)
        event = transaction.poll_event()
        if event is not None:
            host.timers.cancel(exchange)
            del self._under_way[transaction.transaction_id]
            self._conclude(exchange, event, now)
            self.send_waiting(now)

    def _conclude(self, exchange: Exchange, event: Event, now: float) -> None:
        if isinstance(event, ResponseReceived):
            server = exchange.transaction.path.remote.ip
            self._host.rto.completed(server, event.round_trip_time, now)
            if exchange.request.retry(event.message):
                self._host.challenged(event.message)
                again = _Waiting(exchange.request, exchange.on_end, exchange.wanted_path)
                self._waiting.appendleft(again)
                return
        exchange.on_end(ExchangeEnded(event, exchange.sent_at), now)

    def _send(self, waiting: _Waiting, now: float) -> None:
        host, timing, request = self._host, self._timing, waiting.request
        path = waiting.path or host.path
        transaction = ClientTransaction(
            request.encode(host.random_bytes(TRANSACTION_ID_BYTES)),
            path,
            rto=host.rto.rto(path.remote.ip, now),
            rc=timing.rc,
            rm=timing.rm,
            ti=timing.ti,
            verifier=request,
        )
        exchange = Exchange(self, waiting, transaction=transaction, sent_at=now)
        self._under_way[transaction.transaction_id] = exchange
        transaction.start(now)
        self.advance(exchange, now)

    def _forget(self, exchange: Exchange) -> None:
        self._host.timers.cancel(exchange)
        del self._under_way[exchange.transaction.transaction_id]
