"""Which addresses can talk to each other (RFC 8445 section 6.1.2.2; zones: RFC 4007)."""

from __future__ import annotations

import ipaddress

from transport import IPAddress, TransportAddress

from .candidate import Candidate


def without_zone(address: TransportAddress) -> TransportAddress:
    """The address as it is written to a peer, for whom our zones mean nothing."""
    ip = address.ip
    if isinstance(ip, ipaddress.IPv6Address) and ip.scope_id is not None:
        return TransportAddress(ipaddress.IPv6Address(int(ip)), address.port)
    return address


def in_zone_of(address: TransportAddress, base: TransportAddress) -> TransportAddress:
    """A peer's link-local address, in the zone of the base that reaches it."""
    zone = base.ip.scope_id if isinstance(base.ip, ipaddress.IPv6Address) else None
    if zone is None or not address.ip.is_link_local:
        return address
    return TransportAddress(ipaddress.ip_address(f"{address.ip}%{zone}"), address.port)


def can_pair(local: Candidate, remote: Candidate) -> bool:
    """Same component and family; link-local IPv6 only with its like."""
    here, there = local.transport_address, remote.transport_address
    if here is None or there is None or local.component != remote.component:
        return False
    if here.is_ipv6 != there.is_ipv6:
        return False
    return not here.is_ipv6 or here.ip.is_link_local == there.ip.is_link_local


def is_usable_remote(ip: IPAddress, port: int) -> bool:
    """Whether a check could be sent there at all."""
    return port != 0 and not (ip.is_unspecified or ip.is_multicast)


def can_reach(host: IPAddress, server: IPAddress) -> bool:
    """Whether a server may be asked from a host address: loopback and link-local
    addresses reach their like alone."""
    return (
        host.version == server.version
        and host.is_loopback == server.is_loopback
        and host.is_link_local == server.is_link_local
    )


def unspecified_like(ip: IPAddress) -> TransportAddress:
    """The local address of a stream that is not connected yet."""
    return TransportAddress.parse("::" if ip.version == 6 else "0.0.0.0", 0)


def hidden(address: TransportAddress) -> TransportAddress:
    """A related address that tells nothing (RFC 8839 section 5.1)."""
    return TransportAddress(unspecified_like(address.ip).ip, 9)
