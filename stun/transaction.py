"""One request and its response, seen from the client (RFC 8489 sections 6.2 and 6.3)."""

from __future__ import annotations

import collections
import dataclasses
import enum
from collections.abc import Container
from typing import Final, Protocol

from transport import DecodeError, Event, Path, Transmit

from .attributes import KNOWN_TYPES, ErrorCode
from .message import Message
from .types import MessageClass

INITIAL_RTO: Final = 0.5
"""Seconds to the first retransmission, where no estimate is at hand (section 6.2.1)."""

RC: Final = 7
"""Requests sent in all (section 6.2.1)."""

RM: Final = 16
"""The wait after the last request, in RTOs (section 6.2.1)."""

TI: Final = 39.5
"""Seconds to wait over a reliable transport (section 6.2.2)."""


class Verdict(enum.Enum):
    """What authentication says of a response."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"
    """As if it had never been received."""
    INTEGRITY_VIOLATED = "integrity-violated"
    """Ignored over UDP, but remembered; the end of the transaction over TCP."""


class ResponseVerifier(Protocol):
    """Judges responses by the credentials that the request was made with."""

    def verify(self, response: Message) -> Verdict: ...


class TransactionFailure(enum.Enum):
    """Why a transaction failed before its time, or other than by silence."""

    UNREACHABLE = "unreachable"
    """A hard ICMP error, or the connection is gone."""
    INTEGRITY_VIOLATED = "integrity-violated"
    UNKNOWN_ATTRIBUTES = "unknown-attributes"
    """The response has comprehension-required attributes that are not understood."""
    NO_ERROR_CODE = "no-error-code"
    """An error response without a legible ERROR-CODE."""


@dataclasses.dataclass(frozen=True, slots=True)
class ResponseReceived(Event):
    """The server answered, with success or an error.

    ``round_trip_time`` is None when the request was retransmitted: nobody knows
    then which copy was answered (Karn's algorithm, section 6.2.1).
    """

    message: Message
    path: Path
    round_trip_time: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class TransactionTimedOut(Event):
    """No answer came in time."""

    transaction_id: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class TransactionFailed(Event):
    """The transaction is over without a response that counts."""

    transaction_id: bytes
    reason: TransactionFailure
    unknown_attributes: tuple[int, ...] = ()


class ClientTransaction:
    """A request, sent again until it is answered or given up.

    Over UDP and DTLS it goes out ``rc`` times, ``rto`` apart at first, each wait
    twice the one before, and ``rm`` times ``rto`` after the last it has timed out.
    Over TCP and TLS it goes out once and times out after ``ti``. A response counts
    when it comes on the same path and has the transaction id and the method of the
    request.

    Raises:
        ValueError: the bytes are no request, or a number is out of range.
    """

    __slots__ = (
        "_deadline",
        "_ends_at",
        "_events",
        "_place",
        "_request",
        "_schedule",
        "_sent",
        "_started_at",
        "_transmit",
        "_understood",
        "_verifier",
        "_violated",
        "path",
        "transaction_id",
    )

    def __init__(
        self,
        request: bytes,
        path: Path,
        *,
        rto: float = INITIAL_RTO,
        rc: int = RC,
        rm: int = RM,
        ti: float = TI,
        verifier: ResponseVerifier | None = None,
        understood: Container[int] = KNOWN_TYPES,
    ) -> None:
        message = Message.decode(request)
        if message.message_class is not MessageClass.REQUEST:
            raise ValueError("only a request starts a transaction")
        if rto <= 0 or rc < 1 or rm < 1 or ti <= 0:
            raise ValueError("rto and ti are positive, rc and rm at least 1")
        self.path = path
        self.transaction_id = message.transaction_id
        self._request = message
        self._schedule = (ti,) if path.transport.is_reliable else _waits(rto, rc=rc, rm=rm)
        self._verifier = verifier
        self._understood = understood
        self._sent = 0
        self._place = 0
        self._started_at = 0.0
        self._deadline: float | None = None
        self._ends_at = 0.0
        self._violated = False
        self._transmit: Transmit | None = None
        self._events: collections.deque[Event] = collections.deque()

    @property
    def is_open(self) -> bool:
        """Whether a response can still come."""
        return self._deadline is not None

    @property
    def requests_sent(self) -> int:
        return self._sent

    def start(self, now: float) -> None:
        """Send the first request.

        Raises:
            RuntimeError: it was started before.
        """
        if self._sent:
            raise RuntimeError("a transaction starts once")
        self._started_at = now
        self._ends_at = now + sum(self._schedule)
        self._send(due=now, now=now)

    def cancel_retransmissions(self) -> None:
        """Send no more, but take a response until the transaction times out.

        What ICE does to a check that a triggered check replaces (RFC 8445 section
        7.3.1.4). Queued bytes are dropped too.
        """
        self._transmit = None
        if self._deadline is not None:
            self._place = len(self._schedule)
            self._deadline = self._ends_at

    def unreachable(self) -> None:
        """A hard ICMP error came, or the connection broke: fail at once."""
        if self._deadline is not None:
            self._fail(TransactionFailure.UNREACHABLE)

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """Take a datagram; what is not the response is ignored."""
        if self._deadline is None:
            return
        try:
            message = Message.decode(data)
        except DecodeError:
            return
        self.receive_message(message, path, now)

    def receive_message(self, message: Message, path: Path, now: float) -> None:
        """Take a message that was decoded before, as where many transactions share a socket."""
        if self._deadline is None or not self._is_answered_by(message, path):
            return
        verdict = Verdict.ACCEPTED if self._verifier is None else self._verifier.verify(message)
        if verdict is Verdict.ACCEPTED:
            self._finish(message, now)
        elif verdict is Verdict.INTEGRITY_VIOLATED:
            self._violated = True
            if self.path.transport.is_reliable:
                self._fail(TransactionFailure.INTEGRITY_VIOLATED)

    def handle_timeout(self, now: float) -> None:
        if self._deadline is None or now < self._deadline:
            return
        if self._place < len(self._schedule):
            self._send(due=self._deadline, now=now)
        elif self._violated:
            self._fail(TransactionFailure.INTEGRITY_VIOLATED)
        else:
            self._close()
            self._events.append(TransactionTimedOut(self.transaction_id))

    def next_timeout(self) -> float | None:
        return self._deadline

    def poll_transmit(self) -> Transmit | None:
        transmit, self._transmit = self._transmit, None
        return transmit

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def _send(self, *, due: float, now: float) -> None:
        self._transmit = Transmit(self.path, (self._request.data,))
        wait = self._schedule[self._place]
        self._place += 1
        self._sent += 1
        # A driver that comes late shifts the schedule; it does not make a burst.
        self._deadline = due + wait if due + wait > now else now + wait
        self._ends_at += self._deadline - (due + wait)

    def _is_answered_by(self, message: Message, path: Path) -> bool:
        return (
            message.transaction_id == self.transaction_id
            and path == self.path
            and message.method == self._request.method
            and message.message_class in (MessageClass.SUCCESS, MessageClass.ERROR)
            and message.fingerprint_ok is not False
        )

    def _finish(self, message: Message, now: float) -> None:
        """The checks of sections 6.3.3 and 6.3.4, after authentication."""
        unknown = message.unknown_comprehension_required(self._understood)
        if unknown:
            self._fail(TransactionFailure.UNKNOWN_ATTRIBUTES, unknown)
        elif message.message_class is MessageClass.ERROR and not _has_error_code(message):
            self._fail(TransactionFailure.NO_ERROR_CODE)
        else:
            round_trip_time = now - self._started_at if self._sent == 1 else None
            self._close()
            self._events.append(ResponseReceived(message, self.path, round_trip_time))

    def _fail(self, reason: TransactionFailure, unknown: tuple[int, ...] = ()) -> None:
        self._close()
        self._events.append(TransactionFailed(self.transaction_id, reason, unknown))

    def _close(self) -> None:
        self._deadline = None
        self._transmit = None


def _waits(rto: float, *, rc: int, rm: int) -> tuple[float, ...]:
    """Seconds to wait after each request (section 6.2.1)."""
    return (*(rto * 2**count for count in range(rc - 1)), rto * rm)


def _has_error_code(message: Message) -> bool:
    try:
        return message.get(ErrorCode) is not None
    except DecodeError:
        return False
