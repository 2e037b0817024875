"""Runs procedures: sends what they ask for at a pace, and hands them what comes of it."""

from __future__ import annotations

import collections
import functools
from collections.abc import Callable, Hashable
from typing import Final, Generic, Protocol, TypeVar

from stun.message import Message
from transport import DecodeError, Path, RandomBytes, Timers, Transmit

from .config import BehaviorConfig
from .exchange import Ask, Exchange, Outcome
from .procedure import Pause, Procedure

START_GAP: Final = 0.11
"""Seconds between the starts of two requests: below ten a second, and no divisor of the RTO,
so that repeats do not fall together (RFC 5780 section 5)."""

TRANSACTION_ID_BYTES: Final = 12

T = TypeVar("T")


class _Due(Hashable, Protocol):
    """What can be waited for."""

    def due(self, now: float) -> None: ...


class ProcedureRunner:
    """The requests and pauses of any number of procedures, as a machine without events."""

    __slots__ = ("_exchanges", "_gap", "config", "random_bytes", "timers", "transmits")

    def __init__(self, config: BehaviorConfig, random_bytes: RandomBytes) -> None:
        self.config = config
        self.random_bytes = random_bytes
        self.timers: Timers[_Due] = Timers()
        self.transmits: collections.deque[Transmit] = collections.deque()
        self._exchanges: dict[bytes, _Pending] = {}
        self._gap = _Gap(self)

    def run(
        self, procedure: Procedure[T], on_result: Callable[[T, float], None], now: float
    ) -> None:
        """Begin a procedure; its result goes to ``on_result``, perhaps at once."""
        _Running(self, procedure, on_result).go_on(None, now)

    def send(self, ask: Ask, on_outcome: Callable[[Outcome, float], None], now: float) -> None:
        """Make a request when its turn comes."""
        exchange = Exchange(ask, self.random_bytes(TRANSACTION_ID_BYTES), self.config)
        pending = _Pending(self, exchange, on_outcome)
        self._exchanges[exchange.transaction_id] = pending
        self._gap.start(pending, now)

    def receive(self, data: bytes, path: Path, now: float) -> None:
        try:
            message = Message.decode(data)
        except DecodeError:
            return
        pending = self._exchanges.get(message.transaction_id)
        if pending is not None:
            pending.receive(message, path, now)

    def handle_timeout(self, now: float) -> None:
        for each in self.timers.expired(now):
            each.due(now)

    def forget(self, transaction_id: bytes) -> None:
        """A request is answered or given up."""
        del self._exchanges[transaction_id]


class _Pending:
    """A request until something comes of it."""

    __slots__ = ("_exchange", "_on_outcome", "_runner")

    def __init__(
        self,
        runner: ProcedureRunner,
        exchange: Exchange,
        on_outcome: Callable[[Outcome, float], None],
    ) -> None:
        self._runner = runner
        self._exchange = exchange
        self._on_outcome = on_outcome

    def start(self, now: float) -> None:
        self._exchange.start(now)
        self._advance(now)

    def receive(self, message: Message, path: Path, now: float) -> None:
        self._exchange.receive(message, path, now)
        self._advance(now)

    def due(self, now: float) -> None:
        self._exchange.handle_timeout(now)
        self._advance(now)

    def _advance(self, now: float) -> None:
        runner, exchange = self._runner, self._exchange
        if (transmit := exchange.poll_transmit()) is not None:
            runner.transmits.append(transmit)
        deadline = exchange.next_timeout()
        if deadline is not None:
            runner.timers.set(self, deadline)
        if exchange.outcome is not None:
            runner.timers.cancel(self)
            runner.forget(exchange.transaction_id)
            self._on_outcome(exchange.outcome, now)


class _Gap:
    """Keeps requests apart from each other."""

    __slots__ = ("_runner", "_waiting")

    def __init__(self, runner: ProcedureRunner) -> None:
        self._runner = runner
        self._waiting: collections.deque[_Pending] = collections.deque()

    def start(self, pending: _Pending, now: float) -> None:
        if self in self._runner.timers:
            self._waiting.append(pending)
        else:
            self._runner.timers.set(self, now + START_GAP)
            pending.start(now)

    def due(self, now: float) -> None:
        if self._waiting:
            self._runner.timers.set(self, now + START_GAP)
            self._waiting.popleft().start(now)


class _Running(Generic[T]):
    """A procedure, and what it waits for."""

    __slots__ = ("_on_result", "_outcomes", "_procedure", "_runner")

    def __init__(
        self,
        runner: ProcedureRunner,
        procedure: Procedure[T],
        on_result: Callable[[T, float], None],
    ) -> None:
        self._runner = runner
        self._procedure = procedure
        self._on_result = on_result
        self._outcomes: list[Outcome | None] = []

    def go_on(self, outcomes: tuple[Outcome, ...] | None, now: float) -> None:
        """Let the procedure have what it waited for; None lets it begin."""
        try:
            step = next(self._procedure) if outcomes is None else self._procedure.send(outcomes)
        except StopIteration as end:
            self._on_result(end.value, now)
            return
        if isinstance(step, Pause):
            self._runner.timers.set(self, now + step.seconds)
            return
        self._outcomes = [None] * len(step)
        for index, ask in enumerate(step):
            self._runner.send(ask, functools.partial(self._came, index), now)

    def due(self, now: float) -> None:
        """The pause is over."""
        self.go_on((), now)

    def _came(self, index: int, outcome: Outcome, now: float) -> None:
        self._outcomes[index] = outcome
        outcomes = tuple(each for each in self._outcomes if each is not None)
        if len(outcomes) == len(self._outcomes):
            self.go_on(outcomes, now)
