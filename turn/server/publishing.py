"""Keeping the forwarding table true to the allocations."""

from __future__ import annotations

from transport import TransportAddress

from .allocation import Allocation, AllocationTable, ChannelBinding
from .forwarding import ForwardingEntry, ForwardingTable, SwitchTarget
from .peer_policy import PeerPolicy


class Publisher:
    """Publishes an entry for each channel that data may flow on, and takes it back.

    Between two allocations of this relay there is one when both have bound a channel to
    the other and both have a permission; data that goes another way between them is
    left to the machine.
    """

    __slots__ = ("_allocations", "_policy", "_table")

    def __init__(
        self, table: ForwardingTable, allocations: AllocationTable, policy: PeerPolicy
    ) -> None:
        self._table = table
        self._allocations = allocations
        self._policy = policy

    def update(self, allocation: Allocation, binding: ChannelBinding) -> None:
        """After the binding, its permission or its allocation came, changed or went."""
        self._update(allocation, binding)
        other = self._allocations.known_as(binding.peer)
        own = allocation.toward(binding.peer.ip)
        if own is not None and other is not None and other is not allocation:
            mirror = other.channels_by_peer.get(own.advertised)
            if mirror is not None:
                self._update(other, mirror)

    def update_all(self, allocation: Allocation) -> None:
        """After the allocation itself went, or its 5-tuple became another: the table of
        allocations says so by now."""
        for binding in allocation.channels.values():
            self.update(allocation, binding)

    def withdraw(self, allocation: Allocation) -> None:
        """Before the allocation gets another 5-tuple; ``update_all`` publishes anew."""
        for binding in allocation.channels.values():
            if binding.published is not None:
                self._table.remove(binding.published.client, binding.number)
                binding.published = None

    def _update(self, allocation: Allocation, binding: ChannelBinding) -> None:
        entry = self._entry(allocation, binding)
        if entry == binding.published:
            return
        binding.published = entry
        if entry is None:
            self._table.remove(allocation.client, binding.number)
        else:
            self._table.upsert(entry)

    def _entry(self, allocation: Allocation, binding: ChannelBinding) -> ForwardingEntry | None:
        peer = binding.peer
        own = allocation.toward(peer.ip)
        if own is None or not self._is_live(allocation, binding):
            return None
        other = self._allocations.known_as(peer)
        target = None
        if other is not None:
            target = self._switch_target(other, own.advertised)
            if target is None:
                return None
        elif not self._policy.admits(peer):
            return None
        return ForwardingEntry(
            allocation.client,
            binding.number,
            own.local,
            peer,
            allocation.meter,
            switched_to=target,
        )

    def _is_live(self, allocation: Allocation, binding: ChannelBinding) -> bool:
        return (
            self._allocations.of(allocation.client) is allocation
            and allocation.channels.get(binding.number) is binding
            and binding.peer.ip in allocation.permissions
        )

    @staticmethod
    def _switch_target(other: Allocation, source: TransportAddress) -> SwitchTarget | None:
        binding = other.channels_by_peer.get(source)
        if binding is None or source.ip not in other.permissions:
            return None
        return SwitchTarget(other.client, binding.number, other.meter)
