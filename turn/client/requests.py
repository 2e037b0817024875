"""Requests to the server: credentials, retries and transactions (RFC 8656 section 5)."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

from stun import (
    AnyAttribute,
    ErrorCode,
    ErrorNumber,
    ExchangeEnded,
    Exchanges,
    LongTermRequest,
    Message,
    MessageClass,
    ResponseReceived,
    TransactionFailed,
    TransactionFailure,
)
from transport import Path

from .events import FailureReason
from .session import ClientSession
from .tokens import Tokens

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


class Requests:
    """Requests of one client, with its credentials."""

    __slots__ = ("_session", "_tokens", "exchanges")

    def __init__(self, session: ClientSession, tokens: Tokens) -> None:
        self._session = session
        self._tokens = tokens
        self.exchanges = Exchanges(session)

    def start(
        self,
        method: int,
        attributes: Sequence[AnyAttribute],
        on_outcome: OnOutcome,
        now: float,
        *,
        path: Path | None = None,
    ) -> None:
        """Send a request now, or when others have ended; ``on_outcome(outcome, now)`` is
        called once. ``path`` is for another one than the session's."""
        request = self._session.credentials.request(method, attributes)
        self.submit(request, on_outcome, now, path=path)

    def submit(
        self,
        request: LongTermRequest,
        on_outcome: OnOutcome,
        now: float,
        *,
        path: Path | None = None,
    ) -> None:
        """As ``start``, for a request that has credentials of its own."""

        def ended(end: ExchangeEnded, now: float) -> None:
            if not self._asks_for_token(request, end, again):
                on_outcome(_outcome(request, end), now)

        def again(end: ExchangeEnded, now: float) -> None:
            if isinstance(end.event, ResponseReceived) and request.retry(end.event.message):
                self.exchanges.start(request, ended, now, path=path)
            else:
                on_outcome(_outcome(request, end), now)

        self.exchanges.start(request, ended, now, path=path)

    def cancel_on(self, path: Path) -> None:
        """Forget what was to go on a path; no outcome will be told."""
        self.exchanges.cancel_on(path)

    def cancel_all(self) -> None:
        """Forget every request; no outcome will be told."""
        self.exchanges.cancel_all()
        self._tokens.forget_waiting()

    def move(self, now: float) -> None:
        """The session has another path: what is under way begins again there."""
        self.exchanges.send_again()
        self.exchanges.send_waiting(now)

    def unreachable(self, now: float) -> None:
        """A hard ICMP error came: what is under way fails at once (RFC 8489 section 6.2.1)."""
        self.exchanges.unreachable(now)

    def receive(self, message: Message, path: Path, now: float) -> bool:
        """Take a response; False if it answers nothing that is under way."""
        return self.exchanges.receive(message, now, path=path)

    def _asks_for_token(
        self,
        request: LongTermRequest,
        end: ExchangeEnded,
        again: Callable[[ExchangeEnded, float], None],
    ) -> bool:
        """Whether a request has to wait for an access token (RFC 7635), which is asked for."""
        if not isinstance(end.event, ResponseReceived):
            return False
        response = end.event.message
        name = request.wanted_token(response)
        if name is None:
            return False
        self._session.challenged(response)
        if self._session.can_send:
            self._tokens.ask(name, functools.partial(again, end))
        return True


def _outcome(request: LongTermRequest, end: ExchangeEnded) -> Succeeded | Failed:
    match end.event:
        case ResponseReceived(message=response):
            if response.message_class is MessageClass.SUCCESS:
                return Succeeded(response, end.sent_at)
            return _refusal(request, response)
        case TransactionFailed(reason=reason):
            return Failed(_FAILURES[reason])
        case _:
            return Failed(FailureReason.TIMED_OUT)


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
