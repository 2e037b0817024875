"""What the server asks of its driver for TCP allocations (RFC 6062).

A connection to a peer is known by its CONNECTION-ID, which the server chooses.
"""

from __future__ import annotations

import dataclasses

from transport import Event, Path, TransportAddress
from turn.server.forwarding import Meter


@dataclasses.dataclass(frozen=True, slots=True)
class TcpRelayRequested(Event):
    """Bind a TCP socket to exactly this address, and listen there.

    Answered like RelayRequested. Each connection that is accepted is told by
    ``peer_accepted(relayed, peer, now)``, which returns its CONNECTION-ID, or None if it
    is to be closed at once.
    """

    token: int
    address: TransportAddress


@dataclasses.dataclass(frozen=True, slots=True)
class PeerConnectRequested(Event):
    """Connect to a peer, from the relayed transport address itself.

    Answered by ``peer_connected(connection_id, now)`` or ``peer_failed(connection_id,
    now)``, unless PeerCloseRequested comes before. What the peer sends stays unread, in
    the socket's buffer, until ConnectionsJoined.
    """

    connection_id: int
    relayed: TransportAddress
    peer: TransportAddress


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectionsJoined(Event):
    """Pass bytes as they are between the client's stream and the peer's, both ways.

    The stream has left STUN: what came behind the message that led here is data already.
    The end of one side is passed on to the other. ``peer_disconnected(connection_id,
    now)`` says when both are closed. Bytes are counted on ``meter``.
    """

    client: Path
    connection_id: int
    meter: Meter


@dataclasses.dataclass(frozen=True, slots=True)
class PeerCloseRequested(Event):
    """Close a connection to a peer, or give up opening it; and the stream that it is
    joined with. It need not be answered."""

    connection_id: int
