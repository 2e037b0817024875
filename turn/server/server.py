"""The TURN server machine: who gets which message (RFC 8656 section 5)."""

from __future__ import annotations

import math

from stun import Message, MessageClass, Method
from transport import DecodeError, Event, IcmpError, Path, RandomBytes, Transmit, TransportAddress
from turn.channel_data import is_channel_data

from .allocate import AllocateProcedure
from .allocation import Allocation
from .authentication import Authenticator
from .binding import BindingProcedure
from .channels import receive_channel_data
from .config import ServerConfig
from .events import AllocationEnd
from .forwarding import ForwardingTable, NoForwarding
from .icmp import relay_icmp
from .indications import receive_send
from .mobility.mobility import Mobility
from .relayed import relay_to_client
from .requests import Requests
from .state import ServerState
from .stats import AllocationSnapshot, DropReason, ServerStats
from .streams import StreamWatch
from .tcp.connect import expire_connections, peer_connected, peer_disconnected, peer_failed
from .tcp.connection_attempt import peer_accepted


class TurnServer:
    """A TURN server; a ``StreamMachine`` for any number of clients.

    It answers Binding requests too. Sockets for relayed transport addresses are asked
    for by RelayRequested, those of TCP allocations (RFC 6062) by the events of
    ``tcp.events``; ``Transmit.path.local`` says which socket data leaves from.
    ``wall_clock_offset`` is what added to ``now`` gives Unix time, for credentials that
    expire.
    """

    def __init__(
        self,
        config: ServerConfig,
        *,
        random_bytes: RandomBytes,
        table: ForwardingTable | None = None,
        wall_clock_offset: float = 0.0,
    ) -> None:
        self._state = ServerState(config, random_bytes, table or NoForwarding())
        self._outbox = self._state.outbox
        self._mobility = Mobility(self._state)
        self._allocate = AllocateProcedure(self._state, self._mobility)
        self._binding = BindingProcedure(config, self._outbox)
        self._streams = StreamWatch(self._outbox, self._is_used)
        self._handled_at = -math.inf
        self._requests = Requests(
            self._state,
            Authenticator(config, random_bytes, wall_clock_offset=wall_clock_offset),
            allocate=self._allocate,
            binding=self._binding,
            mobility=self._mobility,
            streams=self._streams,
        )

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """A message from a client: STUN, or ChannelData that matched no entry."""
        self.handle_timeout(now)
        if is_channel_data(data):
            allocation = self._state.allocations.of(path)
            if allocation is None:
                self._outbox.drop(DropReason.NO_ALLOCATION)
            else:
                self._mobility.data_came(allocation, path)
                receive_channel_data(self._state, data, allocation)
            return
        try:
            message = Message.decode(data)
        except DecodeError:
            self._binding.answer_undecodable(data, path)
            return
        self._receive_message(message, path, now)

    def receive_relayed(
        self, data: bytes, peer: TransportAddress, relayed: TransportAddress, now: float
    ) -> None:
        """A datagram from a peer at a relayed transport address that matched no entry."""
        self.handle_timeout(now)
        allocation = self._state.allocations.at(relayed)
        if allocation is None:
            self._outbox.drop(DropReason.UNKNOWN_RELAY)
        else:
            relay_to_client(self._state, allocation, peer, data)

    def receive_icmp(self, error: IcmpError, relayed: TransportAddress, now: float) -> None:
        """An ICMP error about a datagram that left from a relayed transport address."""
        self.handle_timeout(now)
        allocation = self._state.allocations.at(relayed)
        if allocation is None:
            self._outbox.drop(DropReason.UNKNOWN_RELAY)
        else:
            relay_icmp(self._state, allocation, error, now)

    def relay_opened(self, token: int, relayed: TransportAddress, now: float) -> None:
        """The socket that RelayRequested asked for is bound to just that address."""
        self.handle_timeout(now)
        self._allocate.opened(token, relayed, now)

    def relay_refused(self, token: int, now: float) -> None:
        """The socket that RelayRequested asked for could not be bound."""
        self.handle_timeout(now)
        self._allocate.refused(token, now)

    def peer_connected(self, connection_id: int, now: float) -> None:
        """The connection that PeerConnectRequested asked for is open."""
        self.handle_timeout(now)
        peer_connected(self._state, connection_id, now)

    def peer_failed(self, connection_id: int, now: float) -> None:
        """The connection that PeerConnectRequested asked for cannot be opened."""
        self.handle_timeout(now)
        peer_failed(self._state, connection_id)

    def peer_accepted(
        self, relayed: TransportAddress, peer: TransportAddress, now: float
    ) -> int | None:
        """A peer has connected to a relayed transport address.

        The CONNECTION-ID that the connection is known by; None if it is to be closed.
        """
        self.handle_timeout(now)
        return peer_accepted(self._state, relayed, peer, now)

    def peer_disconnected(self, connection_id: int, now: float) -> None:
        """A joined connection is closed on both sides."""
        self.handle_timeout(now)
        peer_disconnected(self._state, connection_id)

    def connected(self, path: Path, now: float) -> None:
        """A client has opened a stream."""
        self._streams.connected(path, now)

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        """A client's stream is gone, and its allocation with it, unless it may move."""
        self._streams.disconnected(path)
        self._allocate.disconnected(path)
        allocation = self._state.allocations.of(path)
        if allocation is not None and not self._mobility.disconnected(allocation, path, now):
            self._state.end(allocation, AllocationEnd.DISCONNECTED)

    def drain(
        self,
        now: float,
        *,
        alternate: TransportAddress | None = None,
        alternate_domain: str | None = None,
    ) -> None:
        """Take no new allocations; those there are go on.

        Allocate requests are answered with 300 and the alternate server, if there is
        one of the client's address family, else with 508. Over TLS and DTLS clients are told
        of ``alternate_domain``, the name in its certificate (RFC 8489 section 10).

        Raises:
            ValueError: ``alternate_domain`` is no DNS name.
        """
        self._allocate.drain(alternate, alternate_domain)

    def close(self, now: float) -> None:
        """End all allocations."""
        self._allocate.close()
        for allocation in self._state.allocations:
            self._state.end(allocation, AllocationEnd.CLOSED)

    def handle_timeout(self, now: float) -> None:
        if now == self._handled_at:  # of a batch of datagrams, all but the first
            return
        self._handled_at = now
        self._state.expire(now)
        self._allocate.handle_timeout(now)
        self._streams.handle_timeout(now)
        expire_connections(self._state, now)

    def next_timeout(self) -> float | None:
        deadlines = (
            self._state.allocations.next_timeout(),
            self._allocate.next_timeout(),
            self._streams.next_timeout(),
            self._state.connections.next_timeout(),
        )
        return min((each for each in deadlines if each is not None), default=None)

    def poll_transmit(self) -> Transmit | None:
        return self._outbox.transmits.popleft() if self._outbox.transmits else None

    def poll_event(self) -> Event | None:
        return self._outbox.events.popleft() if self._outbox.events else None

    def stats(self) -> ServerStats:
        """Counters, and how much there is now."""
        return ServerStats(
            allocations=len(self._state.allocations),
            waiting=len(self._allocate),
            drops=dict(self._outbox.drops),
            errors=dict(self._outbox.errors),
            connections=len(self._state.connections),
        )

    def allocations(self, now: float) -> tuple[AllocationSnapshot, ...]:
        """What each allocation is and holds."""
        return tuple(_snapshot(each, now) for each in self._state.allocations)

    def _is_used(self, path: Path) -> bool:
        return self._state.allocations.of(path) is not None or self._allocate.is_waiting(path)

    def _receive_message(self, message: Message, path: Path, now: float) -> None:
        if message.fingerprint_ok is False:
            self._outbox.drop(DropReason.BAD_FINGERPRINT)
        elif message.message_class is MessageClass.REQUEST:
            self._requests.receive(message, path, now)
        elif message.message_class is MessageClass.INDICATION and message.method == Method.SEND:
            self._receive_send(message, path)
        else:
            self._outbox.drop(DropReason.UNEXPECTED_METHOD)

    def _receive_send(self, message: Message, path: Path) -> None:
        allocation = self._state.allocations.of(path)
        if allocation is None:
            self._outbox.drop(DropReason.NO_ALLOCATION)
        else:
            self._mobility.data_came(allocation, path)
            receive_send(self._state, message, allocation)


def _snapshot(allocation: Allocation, now: float) -> AllocationSnapshot:
    relayed, *additional = (each.local for each in allocation.addresses)
    return AllocationSnapshot(
        client=allocation.client,
        relayed=relayed,
        additional=additional[0] if additional else None,
        username=allocation.username,
        time_to_expiry=allocation.expires_at - now,
        permissions={ip: at - now for ip, at in allocation.permissions.items()},
        channels={each.number: each.peer for each in allocation.channels.values()},
        meter=allocation.meter,
    )
