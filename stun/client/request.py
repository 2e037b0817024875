"""One request of a client's user, with all its tries (RFC 8489 section 6.3.4)."""

from __future__ import annotations

from typing import Protocol

from stun.alternate import Alternate, alternate_of
from stun.attributes import (
    ErrorCode,
    ErrorNumber,
    UnknownAttributes,
)
from stun.exchanges import Due, ExchangeEnded, Exchanges, SignedRequest
from stun.message import Message
from stun.reflexive import reflexive_address
from stun.transaction import ResponseReceived, TransactionFailed, TransactionFailure
from stun.types import MessageClass, Method
from transport import DecodeError, Event, Path, Timers

from .config import MAX_SERVER_ERRORS, SERVER_ERROR_PAUSE
from .events import FailureReason, RequestFailed, RequestSucceeded

_FAILURES = {
    TransactionFailure.UNREACHABLE: FailureReason.UNREACHABLE,
    TransactionFailure.INTEGRITY_VIOLATED: FailureReason.INTEGRITY_VIOLATED,
    TransactionFailure.UNKNOWN_ATTRIBUTES: FailureReason.UNUSABLE_RESPONSE,
    TransactionFailure.NO_ERROR_CODE: FailureReason.UNUSABLE_RESPONSE,
}


class ProvingRequest(SignedRequest, Protocol):
    """A request that can tell whether a response proves that it comes from its server."""

    def is_authenticated(self, response: Message) -> bool: ...


class RequestOwner(Protocol):
    """What a request needs of its client."""

    timers: Timers[Due]

    @property
    def path(self) -> Path: ...

    @property
    def lost_for(self) -> str: ...

    @property
    def exchanges(self) -> Exchanges: ...

    @property
    def has_credentials(self) -> bool: ...

    def report(self, event: Event) -> None: ...

    def need_connection(self) -> None: ...

    def gave_no_answer(self) -> bool: ...


class PendingRequest:
    """Is sent again after a 5xx, and once more where the connection has turned out dead."""

    __slots__ = ("_has_lost_connection", "_method", "_owner", "_server_errors", "_signed", "token")

    def __init__(
        self, token: int, method: int, signed: ProvingRequest, owner: RequestOwner
    ) -> None:
        self.token = token
        self._method = method
        self._signed = signed
        self._owner = owner
        self._server_errors = 0
        self._has_lost_connection = False

    def send(self, now: float) -> None:
        self._owner.need_connection()
        self._owner.exchanges.start(self._signed, self._ended, now)

    def due(self, now: float) -> None:
        """The pause after a 5xx is over."""
        self.send(now)

    def _ended(self, end: ExchangeEnded, now: float) -> None:
        match end.event:
            case ResponseReceived(message=response, round_trip_time=round_trip_time):
                self._answered(response, round_trip_time, now)
            case TransactionFailed(reason=reason, unknown_attributes=unknown):
                failure = _FAILURES[reason]
                phrase = self._owner.lost_for if failure is FailureReason.UNREACHABLE else ""
                self._owner.report(
                    RequestFailed(self.token, failure, phrase=phrase, unknown_attributes=unknown)
                )
            case _ if not self._has_lost_connection and self._owner.gave_no_answer():
                self._has_lost_connection = True
                self.send(now)
            case _:
                self._owner.report(RequestFailed(self.token, FailureReason.TIMED_OUT))

    def _answered(self, response: Message, round_trip_time: float | None, now: float) -> None:
        owner = self._owner
        if response.message_class is MessageClass.ERROR:
            self._refused(response, now)
            return
        mapped = reflexive_address(response)
        if mapped is None and self._method == Method.BINDING:
            reason = FailureReason.UNUSABLE_RESPONSE
            owner.report(RequestFailed(self.token, reason, response=response))
            return
        owner.report(RequestSucceeded(self.token, response, owner.path, mapped, round_trip_time))

    def _refused(self, response: Message, now: float) -> None:
        error = response.get(ErrorCode)
        assert error is not None  # ClientTransaction takes no error response without
        if 500 <= error.code <= 599 and self._server_errors < MAX_SERVER_ERRORS:
            pause = SERVER_ERROR_PAUSE * 2**self._server_errors
            self._server_errors += 1
            self._owner.timers.set(self, now + pause)
            return
        reason, alternate, domain = FailureReason.REFUSED, None, None
        if error.code in (ErrorNumber.UNAUTHENTICATED, ErrorNumber.STALE_NONCE):
            reason = FailureReason.UNAUTHENTICATED
        elif found := self._alternate(error, response):
            reason, (alternate, domain) = FailureReason.REDIRECTED, found
        self._owner.report(
            RequestFailed(
                self.token,
                reason,
                error.code,
                error.reason,
                alternate,
                domain,
                unknown_attributes=_unknown(response),
                response=response,
            )
        )

    def _alternate(self, error: ErrorCode, response: Message) -> Alternate | None:
        """Where the server sends us; who has credentials wants that proven (section 14.8)."""
        if error.code != ErrorNumber.TRY_ALTERNATE:
            return None
        if self._owner.has_credentials and not self._signed.is_authenticated(response):
            return None
        return alternate_of(response, self._owner.path.remote)


def _unknown(response: Message) -> tuple[int, ...]:
    try:
        listed = response.get(UnknownAttributes)
    except DecodeError:
        return ()
    return () if listed is None else listed.types
