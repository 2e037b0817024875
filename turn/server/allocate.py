"""Allocate (RFC 8656 section 7.2)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from stun import (
    AddressErrorCode,
    AddressFamily,
    AlternateDomain,
    AlternateServer,
    AnyAttribute,
    IntegrityAlgorithm,
    IpProtocol,
    Lifetime,
    MobilityTicket,
    ReservationToken,
    XorMappedAddress,
    XorRelayedAddress,
)
from stun import ErrorNumber as Error
from stun.server import mapped_address
from transport import Path, TransportAddress, TransportProtocol
from turn.draft_numbers import in_the_draft, speaks_the_draft

from .allocation import Allocation, RelayedAddress
from .events import AllocationCreated
from .limits import MAX_RESERVATIONS, MAX_WAITING
from .mobility.mobility import Mobility
from .ports import PortWish
from .request import Refused, Request
from .requested import NewPorts, ReservedPort, address_error, check_request
from .reservations import Reservations
from .state import ServerState
from .stats import DropReason
from .waiting import Waiting, WaitingRequests

logger = logging.getLogger(__name__)

_SECURED = (TransportProtocol.TLS, TransportProtocol.DTLS)


class AllocateProcedure:
    """Carries out Allocate requests, which takes the driver's help."""

    __slots__ = (
        "_alternate",
        "_alternate_domain",
        "_is_draining",
        "_mobility",
        "_reservations",
        "_state",
        "_waiting",
    )

    def __init__(self, state: ServerState, mobility: Mobility) -> None:
        self._state = state
        self._mobility = mobility
        self._reservations = Reservations(state)
        self._waiting = WaitingRequests(state, self._grant)
        self._is_draining = False
        self._alternate: TransportAddress | None = None
        self._alternate_domain: AlternateDomain | None = None

    def __len__(self) -> int:
        """How many requests wait for the driver."""
        return len(self._waiting)

    def drain(self, alternate: TransportAddress | None, domain: str | None) -> None:
        """Refuse what is new from now on: 300 with an alternate server, else 508.

        Raises:
            ValueError: the domain is no DNS name.
        """
        self._alternate_domain = None if domain is None else AlternateDomain(domain)
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
        if self._state.ended.knows(request.path, request.message.transaction_id, request.now):
            raise Refused(Error.ALLOCATION_MISMATCH)
        waiting = self._waiting.of(request.path)
        if waiting is not None:
            self._check_same(request, waiting)
            return None
        requested = check_request(request, self._state.config)
        if self._is_draining:
            raise self._elsewhere(request)
        if isinstance(requested, ReservedPort):
            return self._grant_reserved(request, requested, quota_id)
        self._check_capacity(requested)
        self._take_quota(quota_id)
        self._waiting.begin(Waiting(request, requested, quota_id))
        return None

    def opened(self, token: int, relayed: TransportAddress, now: float) -> None:
        """The driver has bound a socket."""
        self._waiting.opened(token, relayed, now)

    def refused(self, token: int, now: float) -> None:
        """The driver could not bind one."""
        self._waiting.refused(token, now)

    def disconnected(self, path: Path) -> None:
        """The client is gone, and will not be answered."""
        self._waiting.disconnected(path)

    def close(self) -> None:
        """Answer nobody any more, and hold no port."""
        self._waiting.close()
        self._reservations.close()

    def is_waiting(self, path: Path) -> bool:
        """Whether a request of this 5-tuple is under way."""
        return self._waiting.of(path) is not None

    def next_timeout(self) -> float | None:
        deadlines = (self._waiting.next_timeout(), self._reservations.next_timeout())
        return min((each for each in deadlines if each is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Give up requests that the driver did not answer, and ports nobody came for."""
        self._reservations.handle_timeout(now)
        self._waiting.handle_timeout(now)

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
        return request.success(_granted(allocation, request.now))

    def _check_same(self, request: Request, waiting: Waiting) -> None:
        if waiting.request.message.transaction_id != request.message.transaction_id:
            raise Refused(Error.ALLOCATION_MISMATCH)
        self._state.outbox.drop(DropReason.WAITING)

    def _check_capacity(self, requested: NewPorts) -> None:
        if len(self._waiting) >= MAX_WAITING:
            raise Refused(Error.INSUFFICIENT_CAPACITY)
        if requested.wish is PortWish.EVEN_PAIR:
            coming = sum(each.requested.wish is requested.wish for each in self._waiting)
            if len(self._reservations) + coming >= MAX_RESERVATIONS:
                raise Refused(Error.INSUFFICIENT_CAPACITY)

    def _take_quota(self, quota_id: str | None) -> None:
        error = self._state.quotas.take(quota_id)
        if error is not None:
            raise Refused(error)

    def _elsewhere(self, request: Request) -> Refused:
        """An alternate server has to be of the family that the client reached us by; what its
        certificate names is told where there is one, to clients that know of it (RFC 8489
        section 10)."""
        path = request.path
        if self._alternate is None or self._alternate.is_ipv6 != path.remote.is_ipv6:
            return Refused(Error.INSUFFICIENT_CAPACITY)
        attributes: list[AnyAttribute] = [AlternateServer(self._alternate)]
        is_sha256 = request.proof.integrity is IntegrityAlgorithm.SHA256
        if self._alternate_domain is not None and path.transport in _SECURED and is_sha256:
            attributes.append(self._alternate_domain)
        return Refused(Error.TRY_ALTERNATE, attributes)

    def _grant(self, waiting: Waiting, now: float) -> None:
        request = waiting.request
        found = [place.claimed for place in waiting.places if place.is_found]
        lifetime = self._lifetime(request, waiting.requested.lifetime, now)
        allocation = self._create(
            request,
            [relayed for relayed, *_ in found],
            quota_id=waiting.quota_id,
            protocol=waiting.requested.protocol,
            expires_at=now + lifetime,
            now=now,
        )
        error = _address_error(waiting)
        if error is not None and speaks_the_draft(request.message):
            allocation.address_error = in_the_draft(error)
        else:
            allocation.address_error = error
        for following in found[0][1:]:
            allocation.reservation_token = self._reservations.hold(following, now)
        self._state.outbox.send(request.path, request.success(_granted(allocation, now)))

    def _grant_reserved(
        self, request: Request, requested: ReservedPort, quota_id: str | None
    ) -> bytes:
        if requested.token not in self._reservations:
            raise Refused(Error.INSUFFICIENT_CAPACITY)
        self._take_quota(quota_id)
        now = request.now
        lifetime = self._lifetime(request, requested.lifetime, now)
        relayed = self._reservations.take(requested.token)
        allocation = self._create(
            request, [relayed], quota_id=quota_id, expires_at=now + lifetime, now=now
        )
        return request.success(_granted(allocation, now))

    def _lifetime(self, request: Request, requested: int | None, now: float) -> int:
        ends_at = request.token_ends_at
        return self._state.lifetime(requested, at_most=None if ends_at is None else ends_at - now)

    def _create(
        self,
        request: Request,
        relayed: Sequence[TransportAddress],
        *,
        quota_id: str | None,
        protocol: int = IpProtocol.UDP,
        expires_at: float,
        now: float,
    ) -> Allocation:
        state = self._state
        allocation = Allocation(
            request.path,
            [RelayedAddress(each, state.advertised(each), expires_at) for each in relayed],
            username=request.proof.username,
            key=request.proof.key_bytes,
            key_algorithm=request.proof.key_algorithm,
            quota_id=quota_id,
            transaction_id=request.message.transaction_id,
            created_at=now,
            protocol=protocol,
        )
        allocation.credential_ends_at = request.token_ends_at
        self._mobility.begin(request, allocation)
        state.allocations.add(allocation)
        state.outbox.events.append(
            AllocationCreated(allocation.client, allocation.relayed, allocation.username)
        )
        logger.info("%r for %s", allocation, allocation.client.remote)
        return allocation


def _address_error(waiting: Waiting) -> AddressErrorCode | None:
    """Why a dual allocation has one address alone, if it has."""
    for place in waiting.places:
        if place.is_given_up:
            family = AddressFamily.IPV6 if place.ip.version == 6 else AddressFamily.IPV4
            return address_error(family, Error.INSUFFICIENT_CAPACITY)
    return waiting.requested.unsupported


def _granted(allocation: Allocation, now: float) -> tuple[AnyAttribute, ...]:
    """What a success response says (section 7.2)."""
    attributes: list[AnyAttribute] = [
        *(XorRelayedAddress(each.advertised) for each in allocation.addresses),
        Lifetime(allocation.seconds_left(now)),
        XorMappedAddress(mapped_address(allocation.client)),
    ]
    if allocation.reservation_token is not None:
        attributes.append(ReservationToken(allocation.reservation_token))
    if allocation.mobile is not None:
        attributes.append(MobilityTicket(allocation.mobile.ticket))
    if allocation.address_error is not None:
        attributes.append(allocation.address_error)
    return tuple(attributes)
