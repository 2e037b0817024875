"""Allocate (RFC 8656 section 7.2)."""

from __future__ import annotations

import logging
import math

from stun import (
    AddressErrorCode,
    AlternateServer,
    AnyAttribute,
    Lifetime,
    ReservationToken,
    XorMappedAddress,
    XorRelayedAddress,
)
from stun import ErrorNumber as Error
from stun.server import mapped_address
from transport import Path, Timers, TransportAddress

from .allocation import Allocation
from .events import AllocationCreated, RelayReleased, RelayRequested
from .limits import MAX_PORT_ATTEMPTS, MAX_RESERVATIONS, MAX_WAITING, WAITING_TIMEOUT
from .ports import PortWish
from .request import Refused, Request
from .requested import NewPort, ReservedPort, additional_family, check_request
from .reservations import Reservations
from .state import ServerState
from .stats import DropReason

logger = logging.getLogger(__name__)


class _Waiting:
    """An Allocate request for which sockets are being bound, one after the other.

    ``claimed`` is one address, or a pair; the first ``opened`` of them are bound.
    """

    __slots__ = ("claimed", "opened", "quota_id", "request", "requested", "tried")

    def __init__(self, request: Request, requested: NewPort, quota_id: str | None) -> None:
        self.request = request
        self.requested = requested
        self.quota_id = quota_id
        self.claimed: tuple[TransportAddress, ...] = ()
        self.opened = 0
        self.tried: set[int] = set()

    @property
    def address(self) -> TransportAddress | None:
        """The one that the driver has been asked for."""
        return self.claimed[self.opened] if self.opened < len(self.claimed) else None


class AllocateProcedure:
    """Carries out Allocate requests, which takes the driver's help."""

    __slots__ = (
        "_alternate",
        "_by_client",
        "_is_draining",
        "_next_token",
        "_reservations",
        "_state",
        "_timers",
        "_waiting",
    )

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._reservations = Reservations(state)
        self._waiting: dict[int, _Waiting] = {}
        self._by_client: dict[Path, int] = {}
        self._timers: Timers[int] = Timers()
        self._next_token = 0
        self._is_draining = False
        self._alternate: TransportAddress | None = None

    def __len__(self) -> int:
        """How many requests wait for the driver."""
        return len(self._waiting)

    def drain(self, alternate: TransportAddress | None) -> None:
        """Refuse what is new from now on: 300 with an alternate server, else 508."""
        self._is_draining = True
        self._alternate = alternate

    def handle(self, request: Request, quota_id: str | None) -> bytes | None:
        """The answer, or None where it will come later or came before.

        Raises:
            Refused: with the error to answer.
            DecodeError: an attribute is malformed.
        """
        if (answer := self._answer_again(request)) is not None:
            return answer
        waiting_token = self._by_client.get(request.path)
        if waiting_token is not None:
            self._check_same(request, self._waiting[waiting_token])
            return None
        requested = check_request(request, self._state.config)
        if self._is_draining:
            raise self._elsewhere(request.path)
        if isinstance(requested, ReservedPort):
            return self._grant_reserved(request, requested, quota_id)
        self._check_capacity(requested)
        self._take_quota(quota_id)
        self._begin(_Waiting(request, requested, quota_id))
        return None

    def opened(self, token: int, relayed: TransportAddress, now: float) -> None:
        waiting = self._waiting.get(token)
        if waiting is None or waiting.address != relayed:
            self._state.outbox.events.append(RelayReleased(relayed))
            return
        waiting.opened += 1
        if waiting.address is not None:
            self._state.outbox.events.append(RelayRequested(token, waiting.address))
            return
        self._forget(token)
        self._grant(waiting, now)

    def refused(self, token: int, now: float) -> None:
        waiting = self._waiting.get(token)
        if waiting is None or waiting.address is None:
            return
        waiting.tried.add(waiting.claimed[0].port)
        self._let_go(waiting)
        if len(waiting.tried) >= MAX_PORT_ATTEMPTS or not self._ask(token, waiting):
            self._give_up(token)

    def disconnected(self, path: Path) -> None:
        """The client is gone, and will not be answered."""
        token = self._by_client.get(path)
        if token is not None:
            self._abandon(token)

    def close(self) -> None:
        for token in tuple(self._waiting):
            self._abandon(token)
        self._reservations.close()

    def is_waiting(self, path: Path) -> bool:
        return path in self._by_client

    def next_timeout(self) -> float | None:
        deadlines = (self._timers.next_timeout(), self._reservations.next_timeout())
        return min((each for each in deadlines if each is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Give up requests that the driver did not answer, and ports nobody came for."""
        self._reservations.handle_timeout(now)
        for token in self._timers.expired(now):
            logger.warning("no relayed transport address came for request %d", token)
            self._give_up(token)

    def _answer_again(self, request: Request) -> bytes | None:
        """A retransmission is met with the success of the original (section 7.2)."""
        allocation = self._state.allocations.of(request.path)
        if allocation is None:
            return None
        if (
            allocation.transaction_id != request.message.transaction_id
            or allocation.username != request.proof.username
        ):
            raise Refused(Error.ALLOCATION_MISMATCH)
        return request.success(_granted(allocation, request, request.now))

    def _check_same(self, request: Request, waiting: _Waiting) -> None:
        if waiting.request.message.transaction_id != request.message.transaction_id:
            raise Refused(Error.ALLOCATION_MISMATCH)
        self._state.outbox.drop(DropReason.WAITING)

    def _check_capacity(self, requested: NewPort) -> None:
        if len(self._waiting) >= MAX_WAITING:
            raise Refused(Error.INSUFFICIENT_CAPACITY)
        if requested.wish is PortWish.EVEN_PAIR:
            coming = sum(each.requested.wish is requested.wish for each in self._waiting.values())
            if len(self._reservations) + coming >= MAX_RESERVATIONS:
                raise Refused(Error.INSUFFICIENT_CAPACITY)

    def _take_quota(self, quota_id: str | None) -> None:
        error = self._state.quotas.take(quota_id)
        if error is not None:
            raise Refused(error)

    def _elsewhere(self, path: Path) -> Refused:
        """An alternate server has to be of the family that the client reached us by (RFC
        8489 section 10)."""
        if self._alternate is None or self._alternate.is_ipv6 != path.remote.is_ipv6:
            return Refused(Error.INSUFFICIENT_CAPACITY)
        return Refused(Error.TRY_ALTERNATE, (AlternateServer(self._alternate),))

    def _begin(self, waiting: _Waiting) -> None:
        token = self._next_token
        self._next_token += 1
        self._waiting[token] = waiting
        self._by_client[waiting.request.path] = token
        self._timers.set(token, waiting.request.now + WAITING_TIMEOUT)
        if not self._ask(token, waiting):
            self._give_up(token)

    def _ask(self, token: int, waiting: _Waiting) -> bool:
        requested = waiting.requested
        waiting.claimed = self._state.ports.claim(requested.ip, requested.wish, avoid=waiting.tried)
        if waiting.address is None:
            return False
        self._state.outbox.events.append(RelayRequested(token, waiting.address))
        return True

    def _grant(self, waiting: _Waiting, now: float) -> None:
        request, (relayed, *following) = waiting.request, waiting.claimed
        lifetime = self._state.lifetime(waiting.requested.lifetime)
        allocation = self._create(
            request, relayed, quota_id=waiting.quota_id, expires_at=now + lifetime, now=now
        )
        if following:
            allocation.reservation_token = self._reservations.hold(following[0], now)
        self._state.outbox.send(request.path, request.success(_granted(allocation, request, now)))

    def _grant_reserved(
        self, request: Request, requested: ReservedPort, quota_id: str | None
    ) -> bytes:
        if requested.token not in self._reservations:
            raise Refused(Error.INSUFFICIENT_CAPACITY)
        self._take_quota(quota_id)
        now, lifetime = request.now, self._state.lifetime(requested.lifetime)
        relayed = self._reservations.take(requested.token)
        allocation = self._create(
            request, relayed, quota_id=quota_id, expires_at=now + lifetime, now=now
        )
        return request.success(_granted(allocation, request, now))

    def _create(
        self,
        request: Request,
        relayed: TransportAddress,
        *,
        quota_id: str | None,
        expires_at: float,
        now: float,
    ) -> Allocation:
        state = self._state
        told = state.config.advertised.get(relayed.ip)
        allocation = Allocation(
            request.path,
            relayed,
            relayed if told is None else TransportAddress(told, relayed.port),
            username=request.proof.username,
            key=request.proof.key_bytes,
            key_algorithm=request.proof.key_algorithm,
            quota_id=quota_id,
            transaction_id=request.message.transaction_id,
            created_at=now,
            expires_at=expires_at,
        )
        state.allocations.add(allocation)
        state.outbox.events.append(
            AllocationCreated(allocation.client, relayed, allocation.username)
        )
        logger.info("%r for %s", allocation, allocation.client.remote)
        return allocation

    def _give_up(self, token: int) -> None:
        waiting = self._abandon(token)
        refusal = Refused(Error.INSUFFICIENT_CAPACITY)
        self._state.outbox.count_error(refusal.error)
        self._state.outbox.send(waiting.request.path, waiting.request.failure(refusal))

    def _abandon(self, token: int) -> _Waiting:
        waiting = self._forget(token)
        self._let_go(waiting)
        self._state.quotas.give_back(waiting.quota_id)
        return waiting

    def _let_go(self, waiting: _Waiting) -> None:
        for position, address in enumerate(waiting.claimed):
            self._state.ports.release(address)
            if position < waiting.opened:
                self._state.outbox.events.append(RelayReleased(address))
        waiting.claimed, waiting.opened = (), 0

    def _forget(self, token: int) -> _Waiting:
        waiting = self._waiting.pop(token)
        del self._by_client[waiting.request.path]
        self._timers.cancel(token)
        return waiting


def _granted(allocation: Allocation, request: Request, now: float) -> tuple[AnyAttribute, ...]:
    """What a success response says (section 7.2)."""
    attributes: list[AnyAttribute] = [
        XorRelayedAddress(allocation.advertised),
        Lifetime(math.ceil(allocation.expires_at - now)),
        XorMappedAddress(mapped_address(allocation.client)),
    ]
    if allocation.reservation_token is not None:
        attributes.append(ReservationToken(allocation.reservation_token))
    additional = additional_family(request.message)
    if additional is not None:
        # One allocation has one address here: for another family there is another.
        error = Error.ADDRESS_FAMILY_NOT_SUPPORTED
        attributes.append(AddressErrorCode(additional, error, error.phrase))
    return tuple(attributes)
