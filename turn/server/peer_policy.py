"""Which peers a relay may be used to reach (RFC 8656 sections 10.2 and 21).

A relay stands where its clients do not, so it must not lead them to its own host, the
networks behind it or the services of a cloud provider. What is refused by default is
what RFC 6890 calls special-purpose, in every spelling that IPv6 has for an IPv4
address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from transport import IPAddress, TransportAddress

from .config import IPNetwork, ServerConfig

_DENIED_IPV4: Final = (
    "0.0.0.0/8",  # this network, and the unspecified address
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # shared between carriers and customers
    "127.0.0.0/8",  # loopback
    "168.63.129.16/32",  # the host of a virtual machine at Azure: a public address
    "169.254.0.0/16",  # link-local, with the metadata service of most clouds
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocol assignments, with Oracle's metadata service
    "192.0.2.0/24",  # documentation
    "192.88.99.0/24",  # 6to4 relays
    "192.168.0.0/16",  # private
    "198.18.0.0/15",  # benchmarking
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, and broadcast
)
_DENIED_IPV6: Final = (
    "::/96",  # unspecified, loopback, and the IPv4-compatible form
    "::ffff:0:0/96",  # IPv4-mapped
    "::ffff:0:0:0/96",  # IPv4-translated
    "64:ff9b::/96",  # NAT64
    "64:ff9b:1::/48",  # NAT64 of one's own
    "100::/64",  # discard
    "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4
    "3fff::/20",  # documentation
    "5f00::/16",  # segment routing
    "fc00::/7",  # unique local, with Amazon's metadata service
    "fe80::/10",  # link-local
    "fec0::/10",  # site-local
    "ff00::/8",  # multicast
)
_DENIED: Final[tuple[IPNetwork, ...]] = tuple(
    ipaddress.ip_network(text) for text in (*_DENIED_IPV4, *_DENIED_IPV6)
)
_IPV4_IN_LAST_BITS: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
)
_LOOPBACK: Final = IPv6Address("::1")
"""It only looks like the IPv4-compatible form of 0.0.0.1. (To ask for ``is_loopback``
would not do: newer Pythons say so of IPv4-mapped addresses too.)"""


MAX_VERDICTS: Final = 256
"""Remembered: at our own addresses each datagram is judged. A flood of peers gains nothing."""


def spellings(ip: IPAddress) -> Iterator[IPAddress]:
    """The address itself, and the IPv4 addresses that packets to it may end up at."""
    yield ip
    if isinstance(ip, IPv4Address) or ip == _LOOPBACK:
        return
    if any(ip in network for network in _IPV4_IN_LAST_BITS):
        yield IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip.sixtofour is not None:
        yield ip.sixtofour
    if ip.teredo is not None:
        yield from ip.teredo


def is_tunneled(ip: IPAddress) -> bool:
    """Whether it is a Teredo or a 6to4 address, through which packets could be made to
    run in circles (RFC 8656 section 21.4)."""
    return isinstance(ip, IPv6Address) and (ip.teredo is not None or ip.sixtofour is not None)


class PeerPolicy:
    """What the configuration allows clients to send to.

    The addresses of this host are refused like those on the list; an entry of
    ``allow_peers`` beats both, but has to be spelled like the address, and to hold the
    IPv4 address within as well, if there is one. The listening addresses are refused
    whatever is allowed, and so are the ports of ``deny_peer_ports``. Of live relayed
    transport addresses, which are always legal peers, this class knows nothing.
    """

    __slots__ = (
        "_allowed",
        "_denied_ports",
        "_listening",
        "_own",
        "_relay_ips",
        "_verdicts",
        "_wildcard_ports",
    )

    def __init__(self, config: ServerConfig) -> None:
        advertised = config.advertised
        listening = (*config.listening, *config.stream_listening)
        real = {address for address in listening if not address.ip.is_unspecified}
        self._listening = real | {
            TransportAddress(advertised[address.ip], address.port)
            for address in real
            if address.ip in advertised
        }
        self._wildcard_ports = frozenset(
            address.port for address in listening if address.ip.is_unspecified
        )
        self._relay_ips = frozenset(
            {*config.relay_addresses, *(advertised.get(ip, ip) for ip in config.relay_addresses)}
        )
        listening_ips = {address.ip for address in self._listening}
        self._own = self._relay_ips | listening_ips | {*advertised, *advertised.values()}
        self._allowed = config.allow_peers
        self._denied_ports = frozenset({0}.union(*config.deny_peer_ports))
        self._verdicts: dict[TransportAddress, bool] = {}

    def admits(self, peer: TransportAddress) -> bool:
        """Whether data may be sent to this transport address."""
        verdict = self._verdicts.get(peer)
        if verdict is None:
            if len(self._verdicts) >= MAX_VERDICTS:
                self._verdicts.clear()
            verdict = self._verdicts[peer] = self._judge(peer)
        return verdict

    def _judge(self, peer: TransportAddress) -> bool:
        return (
            not self.is_denied_port(peer.port)
            and not self.is_listening(peer)
            and self._admits_ip(peer.ip)
        )

    def admits_permission(self, peer: TransportAddress) -> bool:
        """Whether a permission may be installed for the address of this peer.

        For the relay's own addresses it may: other clients' relayed transport addresses
        are there. Each datagram is held against ``admits`` then.
        """
        if self.is_listening(peer):
            return False
        return peer.ip in self._relay_ips or self._admits_ip(peer.ip)

    def is_denied_port(self, port: int) -> bool:
        """Whether nobody may be reached at this port. A permission names none that counts
        (RFC 8656 section 10.2), so each datagram has to be held against it."""
        return port in self._denied_ports

    def is_own(self, ip: IPAddress) -> bool:
        """Whether it is an address of this host, where a permission does not say all."""
        return ip in self._own

    def is_listening(self, peer: TransportAddress) -> bool:
        """Whether clients of this relay send there: a loop."""
        return any(
            TransportAddress(ip, peer.port) in self._listening
            or (peer.port in self._wildcard_ports and ip in self._own)
            for ip in spellings(peer.ip)
        )

    def _admits_ip(self, ip: IPAddress) -> bool:
        return all(self._admits_spelling(form) for form in spellings(ip))

    def _admits_spelling(self, ip: IPAddress) -> bool:
        if any(ip in network for network in self._allowed):
            return True
        return ip not in self._own and not any(ip in network for network in _DENIED)
