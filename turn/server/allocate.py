"""Allocate (RFC 8656 section 7.2)."""

from __future__ import annotations

import logging
import math
from typing import Final

from stun import (
    AddressFamily,
    AlternateServer,
    AnyAttribute,
    IpProtocol,
    Lifetime,
    RequestedAddressFamily,
    RequestedTransport,
    XorMappedAddress,
    XorRelayedAddress,
)
from stun import ErrorNumber as Error
from stun.server import mapped_address
from transport import IPAddress, Path, Timers, TransportAddress

from .allocation import Allocation
from .events import AllocationCreated, RelayReleased, RelayRequested
from .limits import MAX_PORT_ATTEMPTS, MAX_WAITING, WAITING_TIMEOUT
from .peer_policy import is_tunneled
from .request import Refused, Request
from .state import ServerState
from .stats import DropReason

logger = logging.getLogger(__name__)

_VERSIONS: Final[dict[int, int]] = {AddressFamily.IPV4: 4, AddressFamily.IPV6: 6}


class _Waiting:
    """An Allocate request for which a socket is being bound."""

    __slots__ = ("address", "lifetime", "quota_id", "request", "tried")

    def __init__(self, request: Request, lifetime: int, quota_id: str | None) -> None:
        self.request = request
        self.lifetime = lifetime
        self.quota_id = quota_id
        self.address: TransportAddress | None = None
        self.tried: set[int] = set()


class AllocateProcedure:
    """Carries out Allocate requests, which takes the driver's help."""

    __slots__ = (
        "_alternate",
        "_by_client",
        "_is_draining",
        "_next_token",
        "_state",
        "_timers",
        "_waiting",
    )

    def __init__(self, state: ServerState) -> None:
        self._state = state
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
        ip, lifetime = self._check(request)
        if self._is_draining:
            raise self._elsewhere(request.path)
        if len(self._waiting) >= MAX_WAITING:
            raise Refused(Error.INSUFFICIENT_CAPACITY)
        error = self._state.quotas.take(quota_id)
        if error is not None:
            raise Refused(error)
        self._begin(_Waiting(request, lifetime, quota_id), ip)
        return None

    def opened(self, token: int, relayed: TransportAddress, now: float) -> None:
        waiting = self._waiting.get(token)
        if waiting is None or waiting.address != relayed:
            self._state.outbox.events.append(RelayReleased(relayed))
            return
        self._forget(token)
        allocation = self._create(waiting, relayed, now)
        answer = waiting.request.success(_granted(allocation, now))
        self._state.outbox.send(allocation.client, answer)

    def refused(self, token: int, now: float) -> None:
        waiting = self._waiting.get(token)
        if waiting is None or waiting.address is None:
            return
        ip = waiting.address.ip
        waiting.tried.add(waiting.address.port)
        self._state.ports.release(waiting.address)
        waiting.address = None
        if len(waiting.tried) >= MAX_PORT_ATTEMPTS or not self._ask(token, waiting, ip):
            self._give_up(token)

    def disconnected(self, path: Path) -> None:
        """The client is gone, and will not be answered."""
        token = self._by_client.get(path)
        if token is not None:
            self._abandon(token)

    def close(self) -> None:
        for token in tuple(self._waiting):
            self._abandon(token)

    def is_waiting(self, path: Path) -> bool:
        return path in self._by_client

    def next_timeout(self) -> float | None:
        return self._timers.next_timeout()

    def handle_timeout(self, now: float) -> None:
        """Give up requests that the driver did not answer."""
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
        return request.success(_granted(allocation, request.now))

    def _check_same(self, request: Request, waiting: _Waiting) -> None:
        if waiting.request.message.transaction_id != request.message.transaction_id:
            raise Refused(Error.ALLOCATION_MISMATCH)
        self._state.outbox.drop(DropReason.WAITING)

    def _check(self, request: Request) -> tuple[IPAddress, int]:
        """The relay address and the lifetime to grant."""
        if is_tunneled(request.path.remote.ip):
            raise Refused(Error.FORBIDDEN)
        message = request.message
        transport = message.get(RequestedTransport)
        if transport is None:
            raise Refused(Error.BAD_REQUEST)
        if transport.protocol != IpProtocol.UDP:
            raise Refused(Error.UNSUPPORTED_TRANSPORT_PROTOCOL)
        family = message.get(RequestedAddressFamily)
        lifetime = message.get(Lifetime)
        # Without the attribute it is IPv4, however the client reached us.
        ip = self._relay_ip(AddressFamily.IPV4 if family is None else family.family, request.path)
        if ip is None:
            raise Refused(Error.ADDRESS_FAMILY_NOT_SUPPORTED)
        return ip, self._state.lifetime(None if lifetime is None else lifetime.lifetime)

    def _relay_ip(self, family: int, path: Path) -> IPAddress | None:
        version = _VERSIONS.get(family)
        ips = [ip for ip in self._state.config.relay_addresses if ip.version == version]
        if path.local.ip in ips:
            return path.local.ip
        return ips[0] if ips else None

    def _elsewhere(self, path: Path) -> Refused:
        """An alternate server has to be of the family that the client reached us by (RFC
        8489 section 10)."""
        if self._alternate is None or self._alternate.is_ipv6 != path.remote.is_ipv6:
            return Refused(Error.INSUFFICIENT_CAPACITY)
        return Refused(Error.TRY_ALTERNATE, (AlternateServer(self._alternate),))

    def _begin(self, waiting: _Waiting, ip: IPAddress) -> None:
        token = self._next_token
        self._next_token += 1
        self._waiting[token] = waiting
        self._by_client[waiting.request.path] = token
        self._timers.set(token, waiting.request.now + WAITING_TIMEOUT)
        if not self._ask(token, waiting, ip):
            self._give_up(token)

    def _ask(self, token: int, waiting: _Waiting, ip: IPAddress) -> bool:
        waiting.address = self._state.ports.claim(ip, waiting.tried)
        if waiting.address is None:
            return False
        self._state.outbox.events.append(RelayRequested(token, waiting.address))
        return True

    def _create(self, waiting: _Waiting, relayed: TransportAddress, now: float) -> Allocation:
        request, state = waiting.request, self._state
        told = state.config.advertised.get(relayed.ip)
        allocation = Allocation(
            request.path,
            relayed,
            relayed if told is None else TransportAddress(told, relayed.port),
            username=request.proof.username,
            key=request.proof.key_bytes,
            key_algorithm=request.proof.key_algorithm,
            quota_id=waiting.quota_id,
            transaction_id=request.message.transaction_id,
            created_at=now,
            expires_at=now + waiting.lifetime,
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
        if waiting.address is not None:
            self._state.ports.release(waiting.address)
        self._state.quotas.give_back(waiting.quota_id)
        return waiting

    def _forget(self, token: int) -> _Waiting:
        waiting = self._waiting.pop(token)
        del self._by_client[waiting.request.path]
        self._timers.cancel(token)
        return waiting


def _granted(allocation: Allocation, now: float) -> tuple[AnyAttribute, ...]:
    """What a success response says (section 7.2)."""
    return (
        XorRelayedAddress(allocation.advertised),
        Lifetime(math.ceil(allocation.expires_at - now)),
        XorMappedAddress(mapped_address(allocation.client)),
    )
