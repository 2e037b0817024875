"""What the procedures of one server share."""

from __future__ import annotations

import collections
import logging

from stun import ErrorNumber
from transport import Event, Path, RandomBytes, Transmit, TransportAddress

from .allocation import Allocation, AllocationTable, ChannelBinding, RelayedAddress
from .config import ServerConfig
from .ended import EndedTransactions
from .events import AllocationEnd, AllocationEnded, RelayReleased
from .forwarding import ForwardingTable
from .peer_policy import PeerPolicy
from .ports import RelayPorts
from .publishing import Publisher
from .quotas import Quotas
from .stats import DropReason
from .tcp.connections import PeerConnection, PeerConnections
from .tcp.events import PeerCloseRequested

logger = logging.getLogger(__name__)


class Outbox:
    """What is to be sent and reported, and the counters of what was not."""

    __slots__ = ("drops", "errors", "events", "transmits")

    def __init__(self) -> None:
        self.transmits: collections.deque[Transmit] = collections.deque()
        self.events: collections.deque[Event] = collections.deque()
        self.drops: collections.Counter[DropReason] = collections.Counter()
        self.errors: collections.Counter[int] = collections.Counter()

    def send(self, path: Path, data: bytes) -> None:
        self.transmits.append(Transmit(path, (data,)))

    def drop(self, reason: DropReason) -> None:
        self.drops[reason] += 1

    def count_error(self, error: ErrorNumber) -> None:
        self.errors[int(error)] += 1


class ServerState:
    """The tables of one server."""

    __slots__ = (
        "allocations",
        "config",
        "connections",
        "ended",
        "outbox",
        "policy",
        "ports",
        "publisher",
        "quotas",
        "random_bytes",
    )

    def __init__(
        self, config: ServerConfig, random_bytes: RandomBytes, table: ForwardingTable
    ) -> None:
        self.config = config
        self.random_bytes = random_bytes
        self.outbox = Outbox()
        self.allocations = AllocationTable(config.advertised)
        self.policy = PeerPolicy(config)
        self.publisher = Publisher(table, self.allocations, self.policy)
        self.ports = RelayPorts(config.min_port, config.max_port, random_bytes)
        self.quotas = Quotas(per_id=config.quota_per_id, total=config.max_allocations)
        self.ended = EndedTransactions()
        self.connections = PeerConnections(random_bytes)

    def lifetime(self, requested: int | None, *, at_most: float | None = None) -> int:
        """The seconds to grant (RFC 8656 section 7.2), no more than an access token lasts
        (RFC 7635 section 9)."""
        wanted = min(requested or 0, self.config.max_lifetime)
        granted = max(wanted, self.config.default_lifetime)
        return granted if at_most is None else min(granted, int(at_most))

    def advertised(self, relayed: TransportAddress) -> TransportAddress:
        """What clients and peers are told for the address of a relay's socket."""
        told = self.config.advertised.get(relayed.ip)
        return relayed if told is None else TransportAddress(told, relayed.port)

    def end(self, allocation: Allocation, reason: AllocationEnd) -> None:
        """Free an allocation with all it holds."""
        self.allocations.remove(allocation)
        self.publisher.update_all(allocation)
        for connection in self.connections.of(allocation):
            self.close_connection(connection)
        for address in allocation.addresses:
            self._release(address)
        self.quotas.give_back(allocation.quota_id)
        self.outbox.events.append(
            AllocationEnded(
                allocation.client,
                allocation.relayed,
                allocation.username,
                reason,
                allocation.meter,
            )
        )
        logger.info("%r has ended: %s", allocation, reason.value)

    def end_address(self, allocation: Allocation, address: RelayedAddress) -> None:
        """Free one address of a dual allocation, with the permissions and channels of its
        family; the other's are not touched (section 8.1)."""
        self.allocations.remove_address(address)
        version = address.local.ip.version
        for ip in [ip for ip in allocation.permissions if ip.version == version]:
            del allocation.permissions[ip]
        for binding in list(allocation.channels.values()):
            if binding.peer.ip.version == version:
                self._unbind(allocation, binding)
        for connection in self.connections.of(allocation):
            if connection.peer.ip.version == version:
                self.close_connection(connection)
        allocation.addresses.remove(address)
        self._release(address)
        logger.info("%r goes on without %s", allocation, address.local)

    def expire(self, now: float) -> None:
        """Let go what is due: allocations, permissions and channel bindings."""
        for allocation in self.allocations.due(now):
            if allocation.expires_at <= now:
                self.end(allocation, AllocationEnd.EXPIRED)
            else:
                self._expire_parts(allocation, now)
                self.allocations.arm(allocation)

    def close_connection(self, connection: PeerConnection) -> None:
        """Have a connection to a peer closed; what its client may wait for, it does no more."""
        self.connections.remove(connection)
        self.outbox.events.append(PeerCloseRequested(connection.connection_id))

    def _release(self, address: RelayedAddress) -> None:
        self.ports.release(address.local)
        self.outbox.events.append(RelayReleased(address.local))

    def _unbind(self, allocation: Allocation, binding: ChannelBinding) -> None:
        del allocation.channels[binding.number]
        del allocation.channels_by_peer[binding.peer]
        self.publisher.update(allocation, binding)

    def _expire_parts(self, allocation: Allocation, now: float) -> None:
        for address in [each for each in allocation.addresses if each.expires_at <= now]:
            self.end_address(allocation, address)
        permissions = allocation.permissions
        ended_ips = {ip for ip, expires_at in permissions.items() if expires_at <= now}
        for ip in ended_ips:
            del permissions[ip]
        touched = [
            binding
            for binding in allocation.channels.values()
            if binding.expires_at <= now or binding.peer.ip in ended_ips
        ]
        for binding in touched:
            if binding.expires_at <= now:
                self._unbind(allocation, binding)
            else:
                self.publisher.update(allocation, binding)
