"""A server with two addresses on the internet, and a client behind whatever there is."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from netsim import Firewall, Host, LinkProfile, Nat, NatBehavior, Network, Process
from stun.behavior import (
    ALL_BUT_LIFETIME,
    BehaviorClient,
    BehaviorConfig,
    BehaviorReport,
    BehaviorTest,
    ClientAddresses,
    DiscoveryFinished,
)
from stun.server import AlternatePair, BehaviorServer
from transport import Machine, TransportAddress

RTT = 0.05
NAT_IP = "198.51.100.1"
INSIDE_IP = "10.0.0.2"
OPEN_IP = "198.51.100.77"
PAIR = AlternatePair(
    TransportAddress.parse("192.0.2.1", 3478), TransportAddress.parse("192.0.2.2", 3479)
)
SERVER = PAIR.primary
JUMBO = LinkProfile(delay=0.0125, mtu=9000)
"""A link that bears what elsewhere would come in fragments."""


@dataclasses.dataclass
class World:
    """A client at work, and what it has found."""

    network: Network
    host: Host
    process: Process[BehaviorClient]

    @property
    def report(self) -> BehaviorReport:
        (finished,) = self.process.events_of(DiscoveryFinished)
        return finished.report


def open_host(network: Network) -> Host:
    """A client on the internet itself."""
    return network.host("client", OPEN_IP)


def host_behind(network: Network, nat: Nat | Firewall, ip: str = INSIDE_IP) -> Host:
    return network.host("client", ip, segment=nat.inside)


def nat_of(network: Network, behavior: NatBehavior, *external: str) -> Nat:
    return network.nat("nat", *(external or (NAT_IP,)), behavior=behavior)


def serve(
    network: Network, machine: Machine | None = None, *, link: LinkProfile | None = None
) -> Host:
    """The server's host, which answers at all four addresses."""
    host = network.host("server", "192.0.2.1", "192.0.2.2", link=link)
    host.run(
        machine or BehaviorServer(PAIR), addresses=[host.bind(a.ip, a.port) for a in PAIR.addresses]
    )
    return host


def discover(
    network: Network,
    host: Host,
    *,
    tests: Collection[BehaviorTest] = ALL_BUT_LIFETIME,
    config: BehaviorConfig | None = None,
    timeout: float = 60.0,
) -> World:
    """Run the tests to their end."""
    ip = host.addresses[0]
    addresses = ClientAddresses(*(host.bind(ip) for _ in range(3)))
    client = BehaviorClient(
        SERVER,
        addresses,
        random_bytes=network.random_bytes("client"),
        tests=tests,
        config=config,
    )
    process = host.run(client, addresses=[addresses.main, addresses.fresh, addresses.second])
    process.call(lambda machine, now: machine.start(now))
    network.run_until(lambda: process.events_of(DiscoveryFinished), timeout=timeout)
    return World(network, host, process)
