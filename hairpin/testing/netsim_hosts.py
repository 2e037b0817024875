"""STUN and TURN servers on hosts of a simulated network."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

from netsim import AddressInUse, Host, Network, Process
from stun.server import BindingServer
from transport import Event, IPAddress, Path, RandomBytes, Transmit, TransportAddress
from turn.credentials import CredentialVerifier
from turn.server import (
    AllocationSnapshot,
    IPNetwork,
    RelayReleased,
    RelayRequested,
    ServerConfig,
    TurnServer,
)

PORT = 3478
EVERYWHERE: tuple[IPNetwork, ...] = (
    ipaddress.ip_network("0.0.0.0/0"),
    ipaddress.ip_network("::/0"),
)
"""Simulated hosts have the documentation's addresses, which a relay refuses by default."""


def simulate_stun_server(host: Host, *, port: int = PORT) -> TransportAddress:
    """Answer Binding requests on the host's first address; returns where."""
    address = host.bind(host.addresses[0], port)
    host.run(BindingServer(), addresses=[address])
    return address


class SimulatedRelay:
    """A TURN server as one machine: tells what comes from clients and what from peers.

    A driver has a socket for each relayed transport address; here the address that a
    datagram came to says the same.
    """

    def __init__(
        self, config: ServerConfig, random_bytes: RandomBytes, *, wall_clock_offset: float = 0.0
    ) -> None:
        self.server = TurnServer(
            config, random_bytes=random_bytes, wall_clock_offset=wall_clock_offset
        )
        self.address = config.listening[0]
        """Where clients reach it, in the first place."""
        self._listening = frozenset(config.listening)

    def receive(self, data: bytes, path: Path, now: float) -> None:
        if path.local in self._listening:
            self.server.receive(data, path, now)
        else:
            self.server.receive_relayed(data, path.remote, path.local, now)

    def allocations(self, now: float) -> tuple[AllocationSnapshot, ...]:
        return self.server.allocations(now)

    def handle_timeout(self, now: float) -> None:
        self.server.handle_timeout(now)

    def next_timeout(self) -> float | None:
        return self.server.next_timeout()

    def poll_transmit(self) -> Transmit | None:
        return self.server.poll_transmit()

    def poll_event(self) -> Event | None:
        return self.server.poll_event()


def simulate_relay(
    network: Network,
    host: Host,
    *,
    users: Mapping[str, str],
    relay_ip: IPAddress | None = None,
    port: int = PORT,
    allow_peers: Sequence[IPNetwork] = EVERYWHERE,
    max_allocations: int = 1000,
    nonce_lifetime: float = 3600.0,
) -> Process[SimulatedRelay]:
    """Relay for ``users`` (name to password): clients reach the host's first address, peers
    that or ``relay_ip``.

    It relays to every address unless ``allow_peers`` says otherwise.
    """
    listening = host.bind(host.addresses[0], port)
    config = ServerConfig(
        realm="netsim",
        credentials=CredentialVerifier(users),
        listening=(listening,),
        relay_addresses=(listening.ip if relay_ip is None else relay_ip,),
        allow_peers=tuple(allow_peers),
        max_allocations=max_allocations,
        nonce_lifetime=nonce_lifetime,
    )
    relay = SimulatedRelay(config, network.random_bytes(f"{host.name} relay"))
    return host.run(relay, addresses=[listening], on_event=_bind_and_unbind)


def _bind_and_unbind(process: Process[SimulatedRelay], event: Event) -> None:
    match event:
        case RelayRequested(token=token, address=address):
            try:
                process.bind(address.ip, address.port)
            except AddressInUse:
                process.call(lambda relay, now: relay.server.relay_refused(token, now))
                return
            process.call(lambda relay, now: relay.server.relay_opened(token, address, now))
        case RelayReleased(relayed=relayed):
            process.unbind(relayed)
        case _:
            pass
