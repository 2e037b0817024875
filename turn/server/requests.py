"""Requests from clients: who may make them, and which procedure answers (RFC 8656 section 5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from stun import AnyAttribute, Message, Method, UnknownAttributes
from stun import ErrorNumber as Error
from stun.server import MAX_UNKNOWN_TYPES, LongTermRejected
from transport import DecodeError, Path

from .allocate import AllocateProcedure
from .allocation import Allocation
from .authentication import Authenticator, is_owner
from .binding import BindingProcedure
from .channels import bind_channel
from .limits import UnprovenLimiter
from .mobility.mobility import Mobility
from .permissions import create_permission
from .refresh import refresh
from .request import Refused, Request
from .state import ServerState
from .stats import DropReason
from .streams import StreamWatch
from .tcp.connect import connect
from .tcp.connection_bind import allocation_to_bind, bind_connection
from .understood import understood_by

Procedure = Callable[[ServerState, Request, Allocation], Sequence[AnyAttribute]]

_PROCEDURES: Final[Mapping[int, Procedure]] = MappingProxyType(
    {
        Method.REFRESH: refresh,
        Method.CREATE_PERMISSION: create_permission,
        Method.CHANNEL_BIND: bind_channel,
    }
)
"""What needs an allocation."""

_METHODS: Final = frozenset({Method.ALLOCATE, *_PROCEDURES})
_TCP_METHODS: Final = frozenset({Method.CONNECT, Method.CONNECTION_BIND})
"""Of RFC 6062, and unknown where it is not enabled."""


class Requests:
    """Has each request authenticated, carried out and answered."""

    __slots__ = (
        "_allocate",
        "_authenticator",
        "_binding",
        "_limiter",
        "_methods",
        "_mobility",
        "_outbox",
        "_state",
        "_streams",
        "_understood",
    )

    def __init__(
        self,
        state: ServerState,
        authenticator: Authenticator,
        *,
        allocate: AllocateProcedure,
        binding: BindingProcedure,
        mobility: Mobility,
        streams: StreamWatch,
    ) -> None:
        config = state.config
        self._state = state
        self._outbox = state.outbox
        self._authenticator = authenticator
        self._allocate = allocate
        self._binding = binding
        self._mobility = mobility
        self._streams = streams
        self._methods = _METHODS | _TCP_METHODS if config.tcp_relay else _METHODS
        self._understood = understood_by(config)
        self._limiter = UnprovenLimiter()

    def receive(self, message: Message, path: Path, now: float) -> None:
        """Answer a request, at once or when the driver has helped."""
        if message.method == Method.BINDING:
            self._binding.answer(message, path, now)
            return
        if message.method not in self._methods:
            self._outbox.drop(DropReason.UNEXPECTED_METHOD)
            return
        allocation = self._allocation_of(message, path)
        outcome = self._authenticator.authenticate(message, path, now, allocation=allocation)
        if isinstance(outcome, LongTermRejected):
            self._reject(message, path, outcome, now)
            return
        answer = self._answer(outcome)
        if answer is not None:
            self._outbox.send(path, answer)

    def _allocation_of(self, message: Message, path: Path) -> Allocation | None:
        """What a request is about: a ticket counts for more than the 5-tuple (RFC 8016
        section 3.2.2), and so does a CONNECTION-ID (RFC 6062 section 5.4)."""
        if message.method == Method.CONNECTION_BIND:
            return allocation_to_bind(self._state, message)
        if message.method == Method.REFRESH and self._mobility.is_meant(message):
            return self._mobility.find(message)
        return self._state.allocations.of(path)

    def _reject(self, message: Message, path: Path, rejected: LongTermRejected, now: float) -> None:
        """Answer a stranger, whose address may be forged."""
        answer = rejected.response(message)
        sizes = {"request_bytes": len(message.data), "answer_bytes": len(answer)}
        if self._limiter.allows(path, now=now, **sizes):
            self._outbox.count_error(rejected.error)
            self._outbox.send(path, answer)
        else:
            self._outbox.drop(DropReason.RATE_LIMITED)

    def _answer(self, request: Request) -> bytes | None:
        try:
            unknown = request.message.unknown_comprehension_required(self._understood)
            if unknown:
                raise Refused(
                    Error.UNKNOWN_ATTRIBUTE, (UnknownAttributes(unknown[:MAX_UNKNOWN_TYPES]),)
                )
            return self._carry_out(request)
        except DecodeError:
            refusal = Refused(Error.BAD_REQUEST)
        except Refused as error:
            refusal = error
        self._outbox.count_error(refusal.error)
        return request.failure(refusal)

    def _carry_out(self, request: Request) -> bytes | None:
        is_mobile = self._mobility.is_meant(request.message)
        if request.message.method == Method.ALLOCATE:
            if is_mobile:
                self._mobility.check_allocate(request.message)
            return self._allocate.handle(request, self._authenticator.quota_id(request))
        if is_mobile:
            is_waiting = self._allocate.is_waiting(request.path)
            return request.success(self._mobility.resume(request, is_waiting=is_waiting))
        if request.message.method == Method.CONNECTION_BIND:
            return self._bind_connection(request)
        allocation = self._state.allocations.of(request.path)
        if allocation is None:
            raise Refused(Error.ALLOCATION_MISMATCH)
        if not is_owner(request, allocation):
            raise Refused(Error.WRONG_CREDENTIALS)
        if request.message.method == Method.CONNECT:
            connect(self._state, request, allocation)
            return None
        procedure = _PROCEDURES[request.message.method]
        return request.success(procedure(self._state, request, allocation))

    def _bind_connection(self, request: Request) -> bytes:
        is_waiting = self._allocate.is_waiting(request.path)
        if is_waiting or self._state.allocations.of(request.path) is not None:
            raise Refused(Error.BAD_REQUEST)
        answer = bind_connection(self._state, request)
        self._streams.disconnected(request.path)  # it carries messages no longer
        return answer
