"""Small networks with probes in them."""

from __future__ import annotations

import dataclasses

from netsim import Host, LinkProfile, Network, Process
from transport import TransportAddress

from .machines import MESSAGE, Probe, Received


@dataclasses.dataclass
class Station:
    """A probe on a host, with one transport address."""

    host: Host
    process: Process[Probe]
    address: TransportAddress

    def send(self, remote: TransportAddress, *segments: bytes) -> None:
        self.process.call(lambda probe, _: probe.send(self.address, remote, *segments))

    @property
    def arrivals(self) -> list[tuple[float, bytes, TransportAddress]]:
        """(time, data, source) of what came."""
        return [
            (at, event.data, event.path.remote)
            for at, event in self.process.events
            if isinstance(event, Received)
        ]

    @property
    def sources(self) -> list[TransportAddress]:
        return [source for _, _, source in self.arrivals]


def station(host: Host, port: int = 5000, ip: str | None = None) -> Station:
    address = host.bind(host.addresses[0] if ip is None else ip, port)
    return Station(host, host.run(Probe(), addresses=[address]), address)


def pair(profile: LinkProfile, *, seed: int = 1) -> tuple[Network, Station, Station]:
    """Two hosts; what the first sends leaves on a link with the profile, all else is ideal."""
    network = Network(seed, link=LinkProfile())
    sender = network.host("sender", "192.0.2.1")
    sender.interfaces[0].uplink.profile = profile
    return network, station(sender), station(network.host("receiver", "192.0.2.2"))


def ask(network: Network, sender: Station, receiver: Station) -> TransportAddress | None:
    """Send one datagram; the source it arrived from, or None if it did not."""
    before = len(receiver.arrivals)
    sender.send(receiver.address)
    network.run_idle()
    arrived = receiver.arrivals[before:]
    assert all(data == MESSAGE for _, data, _ in arrived)
    return arrived[0][2] if arrived else None
