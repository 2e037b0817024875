"""Which local addresses become host candidates (RFC 8445 section 5.1.1.1)."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable, Sequence

from transport import IPAddress

VIRTUAL_INTERFACES = ("docker", "br-", "veth", "virbr", "cni", "flannel", "cali", "vnet")
"""Beginnings of the names of interfaces that lead to containers and virtual machines of
this host: no peer is reached through them, and each would cost a check per remote address."""

_SITE_LOCAL = ipaddress.ip_network("fec0::/10")
_IPV4_COMPATIBLE = ipaddress.ip_network("::/96")


@dataclasses.dataclass(frozen=True, slots=True)
class InterfaceAddress:
    """An address of an interface, with what the kernel says of it.

    A link-local ``ip`` has the interface as its zone. ``temporary`` marks an IPv6
    privacy address (RFC 8981), ``usable`` is False for one that is deprecated or whose
    uniqueness is not established.
    """

    ip: IPAddress
    prefix_length: int
    interface: str
    temporary: bool = False
    usable: bool = True

    @property
    def prefix(self) -> tuple[str, int, int]:
        """Tells the prefixes of an interface apart."""
        bits = self.ip.max_prefixlen - self.prefix_length
        return self.interface, self.ip.version, int(self.ip) >> bits


def host_addresses(
    addresses: Iterable[InterfaceAddress],
    *,
    loopback: bool = False,
    ignored: Sequence[str] = VIRTUAL_INTERFACES,
) -> list[IPAddress]:
    """The addresses to gather, in the order given.

    Loopback addresses are left out unless asked for; IPv4-compatible, site-local and
    IPv4-mapped IPv6 addresses always. A temporary address keeps the stable ones of its
    prefix from being gathered, so that they do not give the host away. A link-local
    address counts only on an interface that has no other.
    """
    kept = [
        address
        for address in addresses
        if address.usable
        and not address.interface.startswith(tuple(ignored))
        and not _is_excluded(address.ip, loopback=loopback)
    ]
    private = {address.prefix for address in kept if address.temporary}
    routed = {address.interface for address in kept if not address.ip.is_link_local}
    return [
        address.ip
        for address in kept
        if (address.temporary or address.prefix not in private)
        and not (address.ip.is_link_local and address.interface in routed)
    ]


def _is_excluded(ip: IPAddress, *, loopback: bool) -> bool:
    if ip.is_unspecified or ip.is_multicast:
        return True
    if ip.is_loopback:
        return not loopback
    if isinstance(ip, ipaddress.IPv4Address):
        return False
    return ip.ipv4_mapped is not None or ip in _SITE_LOCAL or ip in _IPV4_COMPATIBLE
