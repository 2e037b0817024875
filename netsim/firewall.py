"""A firewall between two segments: it filters, and translates nothing."""

from __future__ import annotations

from transport import IPAddress, TransportAddress

from .behavior import Filtering
from .filter import PeerFilter
from .link import LinkProfile
from .nat import MAX_HOPS
from .segment import Segment
from .trace import Datagram, Fate


class Firewall:
    """Lets in what answers something from ``inside``, or no UDP at all.

    The addresses of the inside are reached from the outside as they are. Filtering
    goes by the internal endpoint and, as ``filtering`` says, by whom it has sent to
    in the last ``lifetime`` seconds. Made by ``Network.firewall``.
    """

    def __init__(
        self,
        name: str,
        *,
        filtering: Filtering,
        lifetime: float,
        outer: Segment,
        link: LinkProfile | None = None,
    ) -> None:
        self.name = name
        self._filtering = filtering
        self._lifetime = lifetime
        self._world = outer.world
        self._is_blocking = False
        self._filters: dict[TransportAddress, PeerFilter] = {}
        self.interface = outer.attach(name, self._from_outside, link=link)
        self.inside = Segment(
            f"{name}.inside", self._world, default_link=LinkProfile(), router=self
        )

    def block_udp(self) -> None:
        """From now on nothing passes, in either direction."""
        self._is_blocking = True

    def allow_udp(self) -> None:
        self._is_blocking = False

    def address_added(self, ip: IPAddress) -> None:
        """Make an inside address known outside, unless it means nothing there."""
        if not ip.is_link_local:
            self.interface.add_address(ip)

    def address_removed(self, ip: IPAddress) -> None:
        if ip in self.interface.addresses:
            self.interface.remove_address(ip)

    def route(self, datagram: Datagram) -> None:
        """Take a datagram from the inside out, and remember whom it went to."""
        if self._is_blocking:
            self._world.settle(datagram, Fate.BLOCKED, where=self.name)
        elif datagram.hops >= MAX_HOPS:
            self._world.settle(datagram, Fate.HOPS_EXCEEDED, where=self.name)
        else:
            peers = self._filters.setdefault(datagram.source, PeerFilter(self._filtering))
            peers.permit(datagram.destination, self._world.scheduler.now + self._lifetime)
            self.interface.uplink.send(datagram.forwarded(datagram.source, datagram.destination))

    def _from_outside(self, datagram: Datagram) -> None:
        peers = self._filters.get(datagram.destination)
        if self._is_blocking:
            self._world.settle(datagram, Fate.BLOCKED, where=self.name)
        elif peers is None or not peers.admits(datagram.source, self._world.scheduler.now):
            self._world.settle(datagram, Fate.FILTERED, where=self.name)
        else:
            self.inside.forward(datagram.forwarded(datagram.source, datagram.destination))
