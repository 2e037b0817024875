"""Connect: a connection to a peer, opened by the client (RFC 6062 section 5.2)."""

from __future__ import annotations

import logging

from stun import ConnectionId, IpProtocol, XorPeerAddress
from stun import ErrorNumber as Error
from transport import TransportAddress
from turn.server.allocation import Allocation
from turn.server.request import Refused, Request
from turn.server.state import ServerState

from .events import PeerCloseRequested, PeerConnectRequested

logger = logging.getLogger(__name__)


def connect(state: ServerState, request: Request, allocation: Allocation) -> None:
    """Have the driver connect; the request is answered when it has, or cannot.

    Raises:
        Refused: with the error to answer.
        DecodeError: the address is malformed.
    """
    peer, own = _checked_peer(request, allocation)
    other = state.allocations.known_as(peer, IpProtocol.TCP)
    if other is allocation or (other is None and not state.policy.admits(peer)):
        raise Refused(Error.FORBIDDEN)
    if state.connections.between(allocation, peer) is not None:
        raise Refused(Error.CONNECTION_ALREADY_EXISTS)
    if not state.connections.has_room(allocation):
        raise Refused(Error.INSUFFICIENT_CAPACITY)
    connection_id = state.connections.connecting(request, allocation, peer)
    # Where a NAT stands in front of us, its address leads to our own sockets from outside alone.
    theirs = None if other is None else other.toward(peer.ip)
    target = peer if theirs is None else theirs.local
    state.outbox.events.append(PeerConnectRequested(connection_id, own, target))


def peer_connected(state: ServerState, connection_id: int, now: float) -> None:
    """Answer with the CONNECTION-ID, which the client then has BIND_TIMEOUT seconds to bind."""
    connection = state.connections.get(connection_id)
    request = None if connection is None else connection.request
    if connection is None or request is None:
        state.outbox.events.append(PeerCloseRequested(connection_id))
        return
    state.connections.connected(connection, now)
    state.outbox.send(request.path, request.success((ConnectionId(connection_id),)))


def peer_failed(state: ServerState, connection_id: int) -> None:
    """Answer that the peer cannot be reached."""
    connection = state.connections.get(connection_id)
    if connection is not None and connection.request is not None:
        state.connections.remove(connection)
        _refuse(state, connection.request)


def expire_connections(state: ServerState, now: float) -> None:
    """Close what took too long to be opened, or to be bound."""
    for connection in state.connections.expired(now):
        logger.debug("the connection to %s: not in time", connection.peer)
        state.close_connection(connection)
        if connection.request is not None:
            _refuse(state, connection.request)


def peer_disconnected(state: ServerState, connection_id: int) -> None:
    """Both sides of a connection are closed; the peer may be connected to again."""
    connection = state.connections.get(connection_id)
    if connection is not None:
        state.connections.remove(connection)


def _refuse(state: ServerState, request: Request) -> None:
    refusal = Refused(Error.CONNECTION_TIMEOUT_OR_FAILURE)
    state.outbox.count_error(refusal.error)
    state.outbox.send(request.path, request.failure(refusal))


def _checked_peer(
    request: Request, allocation: Allocation
) -> tuple[TransportAddress, TransportAddress]:
    """The peer, and our own address towards it."""
    if allocation.protocol != IpProtocol.TCP:
        raise Refused(Error.FORBIDDEN)
    peer = request.message.get(XorPeerAddress)
    if peer is None or peer.address.port == 0:
        raise Refused(Error.BAD_REQUEST)
    own = allocation.toward(peer.address.ip)
    if own is None:
        raise Refused(Error.PEER_ADDRESS_FAMILY_MISMATCH)
    return peer.address, own.local
