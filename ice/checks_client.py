"""Sending checks and reading their responses (RFC 8445 section 7.2)."""

from __future__ import annotations

import dataclasses
import enum

from stun import (
    ClientTransaction,
    ErrorCode,
    ErrorNumber,
    Message,
    MessageClass,
    ResponseReceived,
    XorMappedAddress,
)
from transport import DecodeError, Path, TransportAddress

from .check_message import RequestFactory
from .context import AgentContext, SessionTimers, TimerKind
from .drops import DropReason
from .limits import MAX_TRANSACTIONS
from .pair import CandidatePair
from .priority import as_peer_reflexive

RTO = 0.5
"""Seconds. RFC 8445 section 14.3 lets an agent choose, but never less than this; waiting
longer with more pairs would only make a lost check costlier."""


@dataclasses.dataclass(slots=True, eq=False)
class Check:
    """One check under way; ``controlling`` and ``nominating`` are what its request said."""

    pair: CandidatePair
    transaction: ClientTransaction
    priority: int
    controlling: bool
    nominating: bool
    started_at: float
    cancelled: bool = False


class CheckFailure(enum.Enum):
    """Why a check failed (section 7.2.5.2)."""

    TIMED_OUT = "timed-out"
    NOT_SYMMETRIC = "not-symmetric"
    ERROR_RESPONSE = "error-response"
    BAD_RESPONSE = "bad-response"


@dataclasses.dataclass(frozen=True, slots=True)
class CheckSucceeded:
    check: Check
    mapped: TransportAddress
    round_trip_time: float


@dataclasses.dataclass(frozen=True, slots=True)
class CheckFailed:
    check: Check
    failure: CheckFailure


@dataclasses.dataclass(frozen=True, slots=True)
class RoleRefused:
    """The peer answered 487 (Role Conflict)."""

    check: Check


CheckOutcome = CheckSucceeded | CheckFailed | RoleRefused


class ClientChecks:
    """The checks under way, by transaction id."""

    def __init__(self, context: AgentContext, timers: SessionTimers) -> None:
        self._context = context
        self._timers = timers
        self._checks: dict[bytes, Check] = {}
        self._current: dict[CandidatePair, Check] = {}
        """The check of each pair that was not cancelled."""

    def __len__(self) -> int:
        return len(self._checks)

    def start(
        self, pair: CandidatePair, requests: RequestFactory, now: float, *, nominating: bool
    ) -> bool:
        """Send a check from the pair's base; False if too many are unanswered."""
        if not self._make_room():
            self._context.drop(DropReason.TRANSACTIONS_FULL)
            return False
        role = self._context.role
        priority = as_peer_reflexive(pair.local_priority)
        build = requests.nomination if nominating else requests.request
        request = build(role, priority=priority)
        transaction = ClientTransaction(request, pair.path, rto=RTO)
        check = Check(pair, transaction, priority, role.controlling, nominating, now)
        self._checks[transaction.transaction_id] = check
        self._current[pair] = check
        self._context.checks_sent += 1
        transaction.start(now)
        self._flush(check)
        return True

    def is_under_way(self, pair: CandidatePair) -> bool:
        return pair in self._current

    def cancel(self, pair: CandidatePair) -> None:
        """Send no more for the pair, but take a late response (section 7.3.1.4)."""
        check = self._current.pop(pair, None)
        if check is not None:
            check.cancelled = True
            check.transaction.cancel_retransmissions()
            self._flush(check)

    def abandon(self) -> None:
        """Forget all checks: the session is over."""
        for transaction_id in self._checks:
            self._timers.cancel((TimerKind.CHECK, transaction_id))
        self._checks.clear()
        self._current.clear()

    def knows(self, transaction_id: bytes) -> bool:
        return transaction_id in self._checks

    def receive(
        self, message: Message, requests: RequestFactory, path: Path, now: float
    ) -> CheckOutcome | None:
        """Take a response to a check that is known."""
        check = self._checks[message.transaction_id]
        if not message.verify_integrity(requests.key):
            # As if never received, so that a forger cannot end the check (RFC 8489 9.1.4).
            self._context.drop(DropReason.BAD_RESPONSE_INTEGRITY)
            return None
        if path != check.pair.path:
            self._remove(check)
            return CheckFailed(check, CheckFailure.NOT_SYMMETRIC)
        check.transaction.receive_message(message, path, now)
        event = check.transaction.poll_event()
        if event is None:
            return None
        self._remove(check)
        if not isinstance(event, ResponseReceived):
            return CheckFailed(check, CheckFailure.BAD_RESPONSE)
        return _read_response(check, event, now)

    def handle_timeout(self, transaction_id: bytes, now: float) -> CheckFailed | None:
        """Retransmit, or give up."""
        check = self._checks[transaction_id]
        check.transaction.handle_timeout(now)
        self._flush(check)
        if check.transaction.is_open:
            return None
        self._remove(check)
        return CheckFailed(check, CheckFailure.TIMED_OUT)

    def _flush(self, check: Check) -> None:
        transmit = check.transaction.poll_transmit()
        if transmit is not None:
            self._context.send(transmit.path, transmit.segments[0])
        deadline = check.transaction.next_timeout()
        if deadline is not None:
            self._timers.set((TimerKind.CHECK, check.transaction.transaction_id), deadline)

    def _remove(self, check: Check) -> None:
        transaction_id = check.transaction.transaction_id
        del self._checks[transaction_id]
        self._timers.cancel((TimerKind.CHECK, transaction_id))
        if self._current.get(check.pair) is check:
            del self._current[check.pair]

    def _make_room(self) -> bool:
        if len(self._checks) < MAX_TRANSACTIONS:
            return True
        oldest = next((check for check in self._checks.values() if check.cancelled), None)
        if oldest is None:
            return False
        self._remove(oldest)
        return True


def _read_response(check: Check, response: ResponseReceived, now: float) -> CheckOutcome:
    message = response.message
    try:
        if message.message_class is MessageClass.ERROR:
            error = message.get(ErrorCode)
            if error is not None and error.code == ErrorNumber.ROLE_CONFLICT:
                return RoleRefused(check)
            return CheckFailed(check, CheckFailure.ERROR_RESPONSE)
        mapped = message.get(XorMappedAddress)
    except DecodeError:
        mapped = None
    if mapped is None:
        return CheckFailed(check, CheckFailure.BAD_RESPONSE)
    # With retransmissions nobody knows which copy was answered: take the longest it can be.
    measured = response.round_trip_time
    rtt = now - check.started_at if measured is None else measured
    return CheckSucceeded(check, mapped.address, rtt)
