"""The connections of TCP allocations to their peers (RFC 6062)."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from transport import RandomBytes, Timers, TransportAddress
from turn.server.allocation import Allocation
from turn.server.limits import (
    BIND_TIMEOUT,
    CONNECT_TIMEOUT,
    MAX_CONNECTIONS,
    MAX_CONNECTIONS_OF_ALLOCATION,
    MAX_UNBOUND_ATTEMPTS,
)
from turn.server.request import Request

_ID_BYTES = 4


class ConnectionState(enum.Enum):
    """CONNECTING -> PENDING -> JOINED; a peer that connects to us begins as PENDING."""

    CONNECTING = "the Connect request is being carried out"
    PENDING = "the client has not bound it"
    JOINED = "it is joined with a stream of the client's"


class PeerConnection:
    """One connection; ``request`` is the Connect request that is to be answered."""

    __slots__ = ("allocation", "connection_id", "is_inbound", "peer", "request", "state")

    def __init__(
        self,
        allocation: Allocation,
        peer: TransportAddress,
        connection_id: int,
        *,
        request: Request | None,
    ) -> None:
        self.allocation = allocation
        self.peer = peer
        self.connection_id = connection_id
        self.request = request
        self.is_inbound = request is None
        self.state = ConnectionState.CONNECTING if request else ConnectionState.PENDING


class PeerConnections:
    """All connections of one server, and how long they wait for the next step.

    An allocation has at most one to each peer (RFC 6062 section 3).
    """

    __slots__ = ("_by_allocation", "_by_id", "_random_bytes", "_timers")

    def __init__(self, random_bytes: RandomBytes) -> None:
        self._random_bytes = random_bytes
        self._by_id: dict[int, PeerConnection] = {}
        self._by_allocation: dict[Allocation, dict[TransportAddress, PeerConnection]] = {}
        self._timers: Timers[int] = Timers()

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, connection_id: int) -> PeerConnection | None:
        return self._by_id.get(connection_id)

    def between(self, allocation: Allocation, peer: TransportAddress) -> PeerConnection | None:
        """The connection of an allocation to a peer, however far it has come."""
        return self._by_allocation.get(allocation, {}).get(peer)

    def has_room(self, allocation: Allocation) -> bool:
        """Whether the allocation may have one more."""
        own = self._by_allocation.get(allocation, {})
        return len(self._by_id) < MAX_CONNECTIONS and len(own) < MAX_CONNECTIONS_OF_ALLOCATION

    def has_room_for_attempt(self, allocation: Allocation) -> bool:
        """Whether one more may be opened by a peer: a few have to leave room for the rest."""
        own = self._by_allocation.get(allocation, {}).values()
        unbound = sum(each.is_inbound and each.state is ConnectionState.PENDING for each in own)
        return unbound < MAX_UNBOUND_ATTEMPTS and self.has_room(allocation)

    def connecting(self, request: Request, allocation: Allocation, peer: TransportAddress) -> int:
        """A Connect request is carried out; its CONNECTION-ID."""
        connection = self._add(allocation, peer, request)
        self._timers.set(connection.connection_id, request.now + CONNECT_TIMEOUT)
        return connection.connection_id

    def accepted(self, allocation: Allocation, peer: TransportAddress, now: float) -> int:
        """A peer has connected; the CONNECTION-ID."""
        connection = self._add(allocation, peer, None)
        self._timers.set(connection.connection_id, now + BIND_TIMEOUT)
        return connection.connection_id

    def connected(self, connection: PeerConnection, now: float) -> None:
        """The peer was reached, and the request is answered."""
        connection.request = None
        connection.state = ConnectionState.PENDING
        self._timers.set(connection.connection_id, now + BIND_TIMEOUT)

    def join(self, connection: PeerConnection) -> None:
        """The client has bound it."""
        connection.state = ConnectionState.JOINED
        self._timers.cancel(connection.connection_id)

    def remove(self, connection: PeerConnection) -> None:
        own = self._by_allocation[connection.allocation]
        del own[connection.peer], self._by_id[connection.connection_id]
        if not own:
            del self._by_allocation[connection.allocation]
        self._timers.cancel(connection.connection_id)

    def of(self, allocation: Allocation) -> tuple[PeerConnection, ...]:
        return tuple(self._by_allocation.get(allocation, {}).values())

    def next_timeout(self) -> float | None:
        return self._timers.next_timeout()

    def expired(self, now: float) -> Iterator[PeerConnection]:
        """Those whose next step did not come in time; remove each."""
        return (self._by_id[each] for each in self._timers.expired(now))

    def _add(
        self, allocation: Allocation, peer: TransportAddress, request: Request | None
    ) -> PeerConnection:
        connection = PeerConnection(allocation, peer, self._new_id(), request=request)
        self._by_id[connection.connection_id] = connection
        self._by_allocation.setdefault(allocation, {})[peer] = connection
        return connection

    def _new_id(self) -> int:
        """Random, for who knows it and the user's password gets the connection."""
        while True:
            connection_id = int.from_bytes(self._random_bytes(_ID_BYTES), "big")
            if connection_id not in self._by_id:
                return connection_id
