"""A host: interfaces, transport addresses, and the processes that own them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from transport import Event, IPAddress, Machine, Path, TransportAddress, TransportProtocol

from .errors import AddressInUse, NotOwned
from .link import LinkProfile
from .process import Process
from .segment import Interface, Segment, World
from .trace import Datagram, Fate

M = TypeVar("M", bound=Machine)

EPHEMERAL_PORTS = range(49152, 65536)
"""What ``bind`` with port 0 chooses from, in order (RFC 6335 section 6)."""


class Receiver(Protocol):
    """Who gets the datagrams for a transport address."""

    def deliver(self, data: bytes, path: Path) -> None:
        """Take one datagram."""
        ...


def parse_ip(ip: IPAddress | str) -> IPAddress:
    """An address from its text; a zone is kept."""
    return ipaddress.ip_address(ip) if isinstance(ip, str) else ip


def without_zone(ip: IPAddress) -> IPAddress:
    """What of an address is on the wire: a zone is known to one host alone."""
    if isinstance(ip, ipaddress.IPv6Address) and ip.scope_id is not None:
        return ipaddress.IPv6Address(int(ip))
    return ip


class Host:
    """A node with IP addresses that runs machines. Made by ``Network.host``.

    A datagram leaves through the interface that has its source address, and one to
    an address of the host itself, or a loopback address, never leaves at all.
    """

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self._world = world
        self._interfaces: dict[IPAddress, Interface] = {}
        self._zoned: dict[IPAddress, IPAddress] = {}
        self._receivers: dict[TransportAddress, Receiver | None] = {}
        self._next_port: dict[IPAddress, int] = {}
        self._process_names: set[str] = set()

    def __repr__(self) -> str:
        return f"<Host {self.name}>"

    @property
    def now(self) -> float:
        return self._world.scheduler.now

    @property
    def addresses(self) -> tuple[IPAddress, ...]:
        """The IP addresses of all interfaces, without loopback."""
        return tuple(self._interfaces)

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        return tuple(dict.fromkeys(self._interfaces.values()))

    def attach(
        self, segment: Segment, *addresses: IPAddress | str, link: LinkProfile | None = None
    ) -> Interface:
        """A new interface on a segment, with these addresses."""
        interface = segment.attach(self.name, self._receive, link=link)
        for address in addresses:
            self.add_address(interface, address)
        return interface

    def add_address(self, interface: Interface, address: IPAddress | str) -> None:
        """One more address for an interface, now or in the middle of a run."""
        ip = parse_ip(address)
        interface.add_address(without_zone(ip))
        self._interfaces[ip] = interface
        self._zoned[without_zone(ip)] = ip

    def remove_address(self, address: IPAddress | str) -> None:
        """Lose an address. What is bound stays bound, and reaches nobody."""
        ip = parse_ip(address)
        self._interfaces.pop(ip).remove_address(without_zone(ip))
        del self._zoned[without_zone(ip)]

    def bind(self, ip: IPAddress | str, port: int = 0) -> TransportAddress:
        """Reserve a transport address; port 0 stands for any free one.

        Raises:
            AddressInUse: it is taken, or no port is free.
            ValueError: the host does not have the IP address.
        """
        ip = parse_ip(ip)
        if ip not in self._interfaces and not ip.is_loopback:
            raise ValueError(f"{self.name} does not have the address {ip}")
        address = TransportAddress(ip, port) if port else self._free_address(ip)
        if address in self._receivers:
            raise AddressInUse(f"{address} is taken on {self.name}")
        self._receivers[address] = None
        return address

    def is_bound(self, address: TransportAddress) -> bool:
        return address in self._receivers

    def assign(self, address: TransportAddress, receiver: Receiver) -> None:
        """Hand what comes for a bound transport address to ``receiver``.

        Raises:
            AddressInUse: another receiver has it.
            NotOwned: it is not bound.
        """
        if address not in self._receivers:
            raise NotOwned(f"{address} is not bound on {self.name}")
        if self._receivers[address] is not None:
            raise AddressInUse(f"{address} on {self.name} belongs to somebody else")
        self._receivers[address] = receiver

    def release(self, address: TransportAddress) -> None:
        """Make a transport address free again."""
        del self._receivers[address]

    def run(
        self,
        machine: M,
        *,
        name: str | None = None,
        addresses: Iterable[TransportAddress] = (),
        on_event: Callable[[Process[M], Event], None] | None = None,
    ) -> Process[M]:
        """Start a process around a machine, and do what the machine wants done.

        It owns ``addresses``, which are bound if they are not yet. See ``Process``
        for ``on_event``; ``name`` is for events and errors, by default that of the
        host and the machine's class.
        """
        unique = self._unique_process_name(name or f"{self.name}.{type(machine).__name__}")
        process = Process(self, machine, world=self._world, name=unique, on_event=on_event)
        for address in addresses:
            if not self.is_bound(address):
                self.bind(address.ip, address.port)
            process.own(address)
        process.call(lambda _machine, _now: None)
        return process

    def send(
        self,
        data: bytes,
        local: TransportAddress,
        remote: TransportAddress,
        *,
        dscp: int | None = None,
    ) -> None:
        """Send one datagram from a transport address that is, or was, bound here."""
        datagram = self._world.ledger.send(
            data,
            TransportAddress(without_zone(local.ip), local.port),
            TransportAddress(without_zone(remote.ip), remote.port),
            sender=self.name,
            now=self.now,
            dscp=dscp,
        )
        interface = self._interfaces.get(local.ip)
        if local not in self._receivers:
            self._settle(datagram, Fate.UNBOUND)
        elif local.is_ipv6 != remote.is_ipv6:
            self._settle(datagram, Fate.WRONG_FAMILY)
        elif remote.ip in self._interfaces or remote.ip.is_loopback:
            self._world.scheduler.call_at(
                self.now, lambda: self._receive(datagram), owner=self.name
            )
        elif interface is None:
            self._settle(datagram, Fate.UNREACHABLE)
        else:
            interface.uplink.send(datagram)

    def _receive(self, datagram: Datagram) -> None:
        origin = datagram.origin
        if (origin.sender, self.name) in self._world.partitions:
            self._settle(datagram, Fate.PARTITIONED)
            return
        local = self._zone(datagram.destination, datagram.destination.ip)
        receiver = self._receivers.get(local)
        if receiver is None:
            self._settle(datagram, Fate.PORT_CLOSED)
            return
        self._settle(datagram, Fate.DELIVERED)
        remote = self._zone(datagram.source, datagram.destination.ip)
        receiver.deliver(origin.data, Path(TransportProtocol.UDP, local, remote))

    def _zone(self, address: TransportAddress, interface_ip: IPAddress) -> TransportAddress:
        """An address as this host writes it: link-local ones with the interface's zone."""
        ours = self._zoned.get(interface_ip, interface_ip)
        if ours is interface_ip or ours == interface_ip or not address.ip.is_link_local:
            return address
        assert isinstance(ours, ipaddress.IPv6Address)
        return TransportAddress(
            ipaddress.IPv6Address(f"{address.ip}%{ours.scope_id}"), address.port
        )

    def _free_address(self, ip: IPAddress) -> TransportAddress:
        first = self._next_port.get(ip, EPHEMERAL_PORTS.start) - EPHEMERAL_PORTS.start
        for step in range(len(EPHEMERAL_PORTS)):
            port = EPHEMERAL_PORTS[(first + step) % len(EPHEMERAL_PORTS)]
            if TransportAddress(ip, port) not in self._receivers:
                self._next_port[ip] = port + 1
                return TransportAddress(ip, port)
        raise AddressInUse(f"every ephemeral port of {ip} is taken on {self.name}")

    def _unique_process_name(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._process_names:
            number += 1
            name = f"{wanted}#{number}"
        self._process_names.add(name)
        return name

    def _settle(self, datagram: Datagram, fate: Fate) -> None:
        self._world.settle(datagram, fate, where=self.name)
