"""ConnectionAttempt: a connection that a peer has opened (RFC 6062 section 5.3)."""

from __future__ import annotations

from stun import (
    ConnectionId,
    IpProtocol,
    MessageClass,
    Method,
    XorPeerAddress,
    encode_message,
)
from transport import TransportAddress
from turn.server.allocation import Allocation
from turn.server.state import ServerState
from turn.server.stats import DropReason

_TRANSACTION_ID_BYTES = 12


def peer_accepted(
    state: ServerState, relayed: TransportAddress, source: TransportAddress, now: float
) -> int | None:
    """Tell the client, which has BIND_TIMEOUT seconds to bind the connection.

    The CONNECTION-ID; None if the connection is to be closed, of which the client
    hears nothing.
    """
    allocation = state.allocations.at(relayed)
    if allocation is None or allocation.protocol != IpProtocol.TCP:
        state.outbox.drop(DropReason.UNKNOWN_RELAY)
        return None
    # Another client of this relay is known by the address that it was told.
    is_client = state.allocations.at(source) is not None
    peer = state.advertised(source) if is_client else source
    reason = _objection(state, allocation, peer)
    if reason is not None:
        state.outbox.drop(reason)
        return None
    connection_id = state.connections.accepted(allocation, peer, now)
    message = encode_message(
        Method.CONNECTION_ATTEMPT,
        MessageClass.INDICATION,
        state.random_bytes(_TRANSACTION_ID_BYTES),
        (XorPeerAddress(peer), ConnectionId(connection_id)),
    )
    state.outbox.send(allocation.client, message)
    return connection_id


def _objection(
    state: ServerState, allocation: Allocation, peer: TransportAddress
) -> DropReason | None:
    if peer.ip not in allocation.permissions:
        return DropReason.NO_PERMISSION
    # A permission names no port, so at our own addresses each peer is looked at again.
    is_client = state.allocations.known_as(peer, IpProtocol.TCP) is not None
    if not is_client and state.policy.is_own(peer.ip) and not state.policy.admits(peer):
        return DropReason.FORBIDDEN_PEER
    if state.connections.between(allocation, peer) is not None:
        return DropReason.TOO_MANY_CONNECTIONS
    if not state.connections.has_room_for_attempt(allocation):
        return DropReason.TOO_MANY_CONNECTIONS
    return None
