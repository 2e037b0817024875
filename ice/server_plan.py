"""Which host address asks which server, and at which of its addresses (RFC 8445 5.1.1.2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

from transport import IPAddress, Path, TransportAddress

from .context import ComponentKey
from .scope import can_reach, unspecified_like
from .servers import Server

Addresses = Callable[[Server], Sequence[IPAddress]]
"""What is known of a server's addresses, in the order of preference."""


@dataclasses.dataclass(frozen=True, slots=True)
class Pairing:
    """A host address and a server that it reaches; over a stream there is no host address."""

    key: ComponentKey
    host: TransportAddress | None
    server: Server
    path: Path


def pairings(
    hosts: Mapping[TransportAddress, ComponentKey],
    servers: Sequence[Server],
    addresses: Addresses,
) -> Iterator[Pairing]:
    """Every pair, in the order in which they are to be asked.

    All servers over UDP from the first host address, then from the next; and last, over
    streams, one for each component, from whatever address the system chooses.
    """
    for host, key in hosts.items():
        for server in servers:
            if not server.transport.is_reliable:
                yield from _over_udp(key, host, server, addresses(server))
    for key in dict.fromkeys(hosts.values()):
        own = [host for host, its_key in hosts.items() if its_key == key]
        for server in servers:
            if server.transport.is_reliable:
                yield from _over_stream(key, own, server, addresses(server))


def _over_udp(
    key: ComponentKey, host: TransportAddress, server: Server, ips: Sequence[IPAddress]
) -> Iterator[Pairing]:
    """To the first address that the host address reaches."""
    for ip in ips:
        if can_reach(host.ip, ip):
            remote = TransportAddress(ip, server.uri.port)
            yield Pairing(key, host, server, Path(server.transport, host, remote))
            return


def _over_stream(
    key: ComponentKey,
    hosts: Sequence[TransportAddress],
    server: Server,
    ips: Sequence[IPAddress],
) -> Iterator[Pairing]:
    """To the first address that any of the host addresses reaches."""
    for ip in ips:
        if any(can_reach(host.ip, ip) for host in hosts):
            remote = TransportAddress(ip, server.uri.port)
            yield Pairing(key, None, server, Path(server.transport, unspecified_like(ip), remote))
            return
