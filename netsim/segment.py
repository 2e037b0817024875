"""A segment: where interfaces meet, and who is reached from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Protocol

from transport import Event, IPAddress

from .link import Link, LinkProfile
from .rng import SeededRandom
from .scheduler import Scheduler
from .trace import Datagram, Fate, Ledger


@dataclasses.dataclass(frozen=True, slots=True)
class World:
    """What the parts of one network share."""

    scheduler: Scheduler
    ledger: Ledger
    random: SeededRandom
    events: list[tuple[float, str, Event]]
    partitions: set[tuple[str, str]]
    """Pairs of host names: what the first sends does not reach the second."""

    def settle(self, datagram: Datagram, fate: Fate, *, where: str) -> None:
        self.ledger.settle(datagram, fate, where=where, now=self.scheduler.now)


class Router(Protocol):
    """The way out of a segment."""

    def route(self, datagram: Datagram) -> None:
        """Take a datagram whose destination is not on the segment."""
        ...

    def address_added(self, ip: IPAddress) -> None:
        """The segment has a new address."""
        ...

    def address_removed(self, ip: IPAddress) -> None:
        """The segment has an address no more."""
        ...


class Interface:
    """Attaches a host or a router to a segment by a pair of links.

    ``uplink`` leads to the segment, ``downlink`` from it.
    """

    def __init__(self, name: str, segment: Segment, uplink: Link, downlink: Link) -> None:
        self.name = name
        self.segment = segment
        self.uplink = uplink
        self.downlink = downlink
        self._addresses: list[IPAddress] = []

    @property
    def addresses(self) -> tuple[IPAddress, ...]:
        return tuple(self._addresses)

    def add_address(self, ip: IPAddress) -> None:
        """Be reached by ``ip`` too.

        Raises:
            ValueError: another interface of the segment has it.
        """
        self.segment.add_route(ip, self)
        self._addresses.append(ip)

    def remove_address(self, ip: IPAddress) -> None:
        self._addresses.remove(ip)
        self.segment.remove_route(ip)

    def take_down(self) -> None:
        """As if the cable were pulled: nothing enters it in either direction."""
        self.uplink.take_down()
        self.downlink.take_down()

    def bring_up(self) -> None:
        self.uplink.bring_up()
        self.downlink.bring_up()

    def set_profile(self, profile: LinkProfile) -> None:
        """Make both directions like ``profile`` from now on."""
        self.uplink.profile = profile
        self.downlink.profile = profile


class Segment:
    """Interfaces that reach each other directly.

    What is for nobody here goes to the segment's router, if it has one. Interfaces
    that are attached without a profile of their own get ``default_link``.
    """

    def __init__(
        self,
        name: str,
        world: World,
        *,
        default_link: LinkProfile,
        router: Router | None = None,
    ) -> None:
        self.name = name
        self.world = world
        self.default_link = default_link
        self._router = router
        self._routes: dict[IPAddress, Interface] = {}
        self._names: set[str] = set()

    def attach(
        self,
        owner: str,
        deliver: Callable[[Datagram], None],
        *,
        addresses: Iterable[IPAddress] = (),
        link: LinkProfile | None = None,
    ) -> Interface:
        """A new interface of ``owner``, whose datagrams are handed to ``deliver``.

        ``link`` is what both of its directions are like; either profile may be
        changed afterwards.
        """
        name = self._unique_name(owner)
        interface = Interface(
            name,
            self,
            self._link(f"{name}>{self.name}", link, self.forward),
            self._link(f"{self.name}>{name}", link, deliver),
        )
        for ip in addresses:
            interface.add_address(ip)
        return interface

    def add_route(self, ip: IPAddress, interface: Interface) -> None:
        """Hand what is for ``ip`` to ``interface``."""
        if ip in self._routes:
            raise ValueError(f"{ip} is on {self.name} already")
        self._routes[ip] = interface
        if self._router is not None:
            self._router.address_added(ip)

    def remove_route(self, ip: IPAddress) -> None:
        del self._routes[ip]
        if self._router is not None:
            self._router.address_removed(ip)

    def forward(self, datagram: Datagram) -> None:
        """Take a datagram that has reached the segment to where it goes next."""
        ip = datagram.destination.ip
        interface = self._routes.get(ip)
        if interface is not None:
            interface.downlink.send(datagram)
        elif self._router is not None and not (ip.is_link_local or ip.is_multicast):
            self._router.route(datagram)
        else:
            self.world.settle(datagram, Fate.UNREACHABLE, where=self.name)

    def _link(
        self, name: str, profile: LinkProfile | None, deliver: Callable[[Datagram], None]
    ) -> Link:
        return Link(
            name,
            self.default_link if profile is None else profile,
            deliver,
            random=self.world.random.fork(f"link {name}"),
            scheduler=self.world.scheduler,
            ledger=self.world.ledger,
        )

    def _unique_name(self, owner: str) -> str:
        """A name of its own for each link, since randomness and traces go by it."""
        number = 1
        name = owner
        while name in self._names:
            number += 1
            name = f"{owner}#{number}"
        self._names.add(name)
        return name
