"""Keeping an allocation over a change of the client's address (RFC 8016).

A Refresh request with a ticket, from another 5-tuple, moves the allocation there. Both
5-tuples serve until data comes on the new one, or the old one is closed: until then data
from peers goes to the old one.
"""

from __future__ import annotations

import dataclasses
import hmac
import logging
from collections.abc import Sequence

from stun import AnyAttribute, IpProtocol, Lifetime, Message, Method, MobilityTicket
from stun import ErrorNumber as Error
from transport import Path, TransportAddress
from turn.server.allocation import Allocation
from turn.server.peer_policy import is_tunneled
from turn.server.refresh import refresh
from turn.server.request import Refused, Request
from turn.server.state import ServerState

from .mobile import DETACHED_LIFETIME, OLD_TICKET_LIFETIME, Answered, Mobile
from .tickets import GENERATIONS, ID_BYTES, TICKET_KEY_BYTES, TicketHandle, Tickets

logger = logging.getLogger(__name__)


class Mobility:
    """The procedures of RFC 8016, where they are enabled; else all of it is ignored."""

    __slots__ = ("_state", "_tickets")

    def __init__(self, state: ServerState) -> None:
        self._state = state
        key = state.config.ticket_key or state.random_bytes(TICKET_KEY_BYTES)
        self._tickets = Tickets(key)

    def is_meant(self, message: Message) -> bool:
        """Whether a request is about mobility, and this server understands that."""
        config = self._state.config
        if message.method not in (Method.ALLOCATE, Method.REFRESH):
            return False
        return (config.mobility or config.refuses_mobility) and message.has(MobilityTicket)

    def find(self, message: Message) -> Allocation | None:
        """The allocation that the ticket of a Refresh request stands for."""
        handle = self._tickets.open(message.raw_value(MobilityTicket.TYPE) or b"")
        return None if handle is None else self._state.allocations.mobile(handle.id)

    def check_allocate(self, message: Message) -> None:
        """Hold an Allocate request with a ticket against section 3.1.2.

        Raises:
            Refused: mobility is forbidden, or the ticket is not empty.
        """
        if message.raw_value(MobilityTicket.TYPE):
            raise Refused(Error.BAD_REQUEST)
        self._check_allowed()

    def begin(self, request: Request, allocation: Allocation) -> None:
        """Give a new allocation its first ticket, before it is in the table, if the request
        asks for one."""
        if not self._state.config.mobility or not request.message.has(MobilityTicket):
            return
        id_ = self._state.random_bytes(ID_BYTES)
        while self._state.allocations.mobile(id_) is not None:
            id_ = self._state.random_bytes(ID_BYTES)
        ticket = self._tickets.seal(TicketHandle(id_, 0))
        allocation.mobile = Mobile(id_, ticket, allocation.created_at)

    def resume(self, request: Request, *, is_waiting: bool) -> Sequence[AnyAttribute]:
        """Carry out a Refresh request with a ticket (section 3.2.2).

        ``is_waiting`` says that an Allocate request of its 5-tuple is under way.

        Raises:
            Refused: with the error to answer.
            DecodeError: an attribute is malformed.
        """
        self._check_allowed()
        handle = self._tickets.open(request.message.raw_value(MobilityTicket.TYPE) or b"")
        if handle is None:
            raise Refused(Error.BAD_REQUEST)
        allocation = self._state.allocations.mobile(handle.id)
        if allocation is None or allocation.mobile is None:
            raise Refused(Error.ALLOCATION_MISMATCH)
        mobile = allocation.mobile
        transaction_id, now = request.message.transaction_id, request.now
        if mobile.is_answered(request.path, transaction_id, handle.generation, now):
            _check_owner(allocation, request)
            return (Lifetime(allocation.seconds_left(now)), MobilityTicket(mobile.ticket))
        if handle.generation != mobile.generation:
            raise Refused(Error.BAD_REQUEST)
        self._check(request, allocation, mobile)
        if is_waiting:
            raise Refused(Error.ALLOCATION_MISMATCH)
        if not mobile.take_move(now):
            raise Refused(Error.INSUFFICIENT_CAPACITY)
        attributes = refresh(self._state, request, allocation)
        if self._state.allocations.mobile(handle.id) is None:
            return attributes  # it is deleted
        self._take_ticket(request, mobile)
        self._let_in(allocation, mobile, request.path)
        return (*attributes, MobilityTicket(mobile.ticket))

    def data_came(self, allocation: Allocation, path: Path) -> None:
        """A Send indication or ChannelData of the client: on a new 5-tuple it ends the old
        one."""
        mobile = allocation.mobile
        if mobile is not None and path == mobile.moving_to:
            self._switch(allocation, mobile)

    def disconnected(self, allocation: Allocation, path: Path, now: float) -> bool:
        """A stream of the client is gone; whether the allocation goes on without it."""
        mobile = allocation.mobile
        if mobile is None:
            return False
        if path == mobile.moving_to:
            self._state.allocations.leave(path)
            mobile.moving_to = None
        elif mobile.moving_to is not None:
            self._switch(allocation, mobile)
        else:
            self._detach(allocation, mobile, now)
        return True

    def _check_allowed(self) -> None:
        if not self._state.config.mobility:
            raise Refused(Error.MOBILITY_FORBIDDEN)

    def _check(self, request: Request, allocation: Allocation, mobile: Mobile) -> None:
        path = request.path
        if path == mobile.moving_to or path == allocation.client:
            raise Refused(Error.BAD_REQUEST)
        _check_owner(allocation, request)
        if allocation.protocol == IpProtocol.TCP and not path.transport.is_reliable:
            raise Refused(Error.BAD_REQUEST)  # as for an Allocate (RFC 6062 section 5.1)
        if is_tunneled(path.remote.ip):
            raise Refused(Error.FORBIDDEN)
        if self._state.allocations.of(path) is not None:
            raise Refused(Error.ALLOCATION_MISMATCH)

    def _take_ticket(self, request: Request, mobile: Mobile) -> None:
        """The next ticket; the one that was used is good for a retransmission alone."""
        mobile.answered = Answered(
            request.path,
            request.message.transaction_id,
            mobile.generation,
            request.now + OLD_TICKET_LIFETIME,
        )
        mobile.generation = (mobile.generation + 1) % GENERATIONS
        mobile.ticket = self._tickets.seal(TicketHandle(mobile.id, mobile.generation))

    def _let_in(self, allocation: Allocation, mobile: Mobile, path: Path) -> None:
        if mobile.moving_to is not None:
            self._state.allocations.leave(mobile.moving_to)
        self._state.allocations.enter(path, allocation)
        mobile.moving_to = path
        logger.info("%r may move to %s", allocation, path.remote)
        if mobile.is_detached:
            self._switch(allocation, mobile)

    def _switch(self, allocation: Allocation, mobile: Mobile) -> None:
        """From now on the new 5-tuple is the client's only one."""
        assert mobile.moving_to is not None
        if not mobile.is_detached:
            self._state.allocations.leave(allocation.client)
        self._change_client(allocation, mobile.moving_to)
        mobile.moving_to, mobile.is_detached = None, False
        logger.info("%r has moved to %s", allocation, allocation.client.remote)

    def _detach(self, allocation: Allocation, mobile: Mobile, now: float) -> None:
        """Wait for the client at another 5-tuple, but not for long.

        Its path leads nowhere until then: the old one may belong to somebody else soon.
        """
        client = allocation.client
        self._state.allocations.leave(client)
        mobile.is_detached = True
        nowhere = TransportAddress(client.remote.ip, 0)
        self._change_client(allocation, dataclasses.replace(client, remote=nowhere))
        for address in allocation.addresses:
            address.expires_at = min(address.expires_at, now + DETACHED_LIFETIME)
        self._state.allocations.arm(allocation)
        logger.info("%r waits for its client", allocation)

    def _change_client(self, allocation: Allocation, client: Path) -> None:
        self._state.publisher.withdraw(allocation)
        allocation.client = client
        self._state.publisher.update_all(allocation)


def _check_owner(allocation: Allocation, request: Request) -> None:
    """Whoever has seen the ticket could move the allocation: only its user may.

    A kid names a key of the authorization server, not a user: of a token, the mac_key has
    to be that of the allocation.
    """
    proof = request.proof
    is_owner = proof.username == allocation.username and (
        (proof.key_algorithm is None) == (allocation.key_algorithm is None)
    )
    if allocation.key_algorithm is None:
        is_owner = is_owner and hmac.compare_digest(proof.key_bytes, allocation.key)
    if not is_owner:
        raise Refused(Error.WRONG_CREDENTIALS)
