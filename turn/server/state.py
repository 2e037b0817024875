"""What the procedures of one server share."""

from __future__ import annotations

import collections
import logging

from stun import ErrorNumber
from transport import Event, Path, RandomBytes, Transmit

from .allocation import Allocation, AllocationTable
from .config import ServerConfig
from .events import AllocationEnd, AllocationEnded, RelayReleased
from .forwarding import ForwardingTable
from .peer_policy import PeerPolicy
from .ports import RelayPorts
from .publishing import Publisher
from .quotas import Quotas
from .stats import DropReason

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

    def lifetime(self, requested: int | None) -> int:
        """The seconds to grant (RFC 8656 section 7.2)."""
        wanted = min(requested or 0, self.config.max_lifetime)
        return max(wanted, self.config.default_lifetime)

    def end(self, allocation: Allocation, reason: AllocationEnd) -> None:
        """Free an allocation with all it holds."""
        self.allocations.remove(allocation)
        self.publisher.update_all(allocation)
        self.ports.release(allocation.relayed)
        self.quotas.give_back(allocation.quota_id)
        events = self.outbox.events
        events.append(RelayReleased(allocation.relayed))
        events.append(
            AllocationEnded(
                allocation.client,
                allocation.relayed,
                allocation.username,
                reason,
                allocation.meter,
            )
        )
        logger.info("%r has ended: %s", allocation, reason.value)

    def expire(self, now: float) -> None:
        """Let go what is due: allocations, permissions and channel bindings."""
        for allocation in self.allocations.due(now):
            if allocation.expires_at <= now:
                self.end(allocation, AllocationEnd.EXPIRED)
            else:
                self._expire_parts(allocation, now)
                self.allocations.arm(allocation)

    def _expire_parts(self, allocation: Allocation, now: float) -> None:
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
                del allocation.channels[binding.number]
                del allocation.channels_by_peer[binding.peer]
            self.publisher.update(allocation, binding)
