"""A NAT between two segments (RFC 4787)."""

from __future__ import annotations

from transport import IPAddress, TransportAddress

from .behavior import Hairpinning, NatBehavior, Refresh
from .link import LinkProfile
from .nat_table import NatMapping, NatTable
from .segment import Segment
from .trace import Datagram, Fate

MAX_HOPS = 16
"""Routers that a datagram may cross; more means that it goes round in circles."""


class Nat:
    """Translates between ``inside`` and the segment that it is attached to.

    Put one on the inside of another and it is a carrier-grade NAT's customer. Made
    by ``Network.nat``.
    """

    def __init__(
        self,
        name: str,
        external: tuple[IPAddress, ...],
        behavior: NatBehavior,
        *,
        outer: Segment,
        link: LinkProfile | None = None,
    ) -> None:
        self.name = name
        self._world = outer.world
        self._table = NatTable(behavior, external, self._world.random.fork(f"nat {name}"))
        self.inside = Segment(
            f"{name}.inside", self._world, default_link=LinkProfile(), router=self
        )
        self.interface = outer.attach(name, self._from_outside, addresses=external, link=link)

    @property
    def behavior(self) -> NatBehavior:
        return self._table.behavior

    @property
    def mappings(self) -> tuple[NatMapping, ...]:
        """Those that live now, oldest first."""
        return self._table.live(self._world.scheduler.now)

    def reset(self) -> None:
        """Forget every mapping, as a reboot does; new ones get other ports."""
        self._table.reset()

    def renumber(self, *external: IPAddress) -> None:
        """Change the external IP addresses; every mapping is forgotten."""
        for ip in self.interface.addresses:
            self.interface.remove_address(ip)
        for ip in external:
            self.interface.add_address(ip)
        self._table.renumber(external)

    def address_added(self, ip: IPAddress) -> None:
        """Nothing: an inside address means nothing outside."""

    def address_removed(self, ip: IPAddress) -> None:
        """Nothing, as above."""

    def route(self, datagram: Datagram) -> None:
        """Take a datagram from the inside out, or back in by hairpinning."""
        if datagram.hops >= MAX_HOPS:
            self._drop(datagram, Fate.HOPS_EXCEEDED)
            return
        is_hairpin = datagram.destination.ip in self._table.external
        if is_hairpin and self.behavior.hairpinning is Hairpinning.NONE:
            self._drop(datagram, Fate.NO_HAIRPINNING)
            return
        now = self._world.scheduler.now
        mapping = self._table.outbound(datagram.source, datagram.destination, now)
        if mapping is None:
            self._drop(datagram, Fate.PORTS_EXHAUSTED)
            return
        self._refresh(mapping, datagram.destination)
        translated = datagram.forwarded(mapping.external, datagram.destination)
        if is_hairpin:
            self._admit(translated, internal_source=datagram.source)
        else:
            self.interface.uplink.send(translated)

    def _from_outside(self, datagram: Datagram) -> None:
        self._admit(datagram, internal_source=None)

    def _admit(self, datagram: Datagram, *, internal_source: TransportAddress | None) -> None:
        """Let a datagram to an external endpoint in, if its mapping's filter does."""
        now = self._world.scheduler.now
        mapping = self._table.inbound(datagram.destination, now)
        if mapping is None:
            self._drop(datagram, Fate.NO_MAPPING)
            return
        if not mapping.filter.admits(datagram.source, now):
            self._drop(datagram, Fate.FILTERED)
            return
        if self.behavior.refresh is Refresh.BOTH_DIRECTIONS:
            self._refresh(mapping, datagram.source)
        source = datagram.source
        if self.behavior.hairpinning is Hairpinning.INTERNAL_SOURCE and internal_source is not None:
            source = internal_source
        self.inside.forward(datagram.forwarded(source, mapping.internal))

    def _refresh(self, mapping: NatMapping, peer: TransportAddress) -> None:
        mapping.expires = self._world.scheduler.now + self.behavior.lifetime
        mapping.filter.permit(peer, mapping.expires)

    def _drop(self, datagram: Datagram, fate: Fate) -> None:
        self._world.settle(datagram, fate, where=self.name)
