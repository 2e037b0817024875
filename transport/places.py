"""Room for what strangers open, shared so that nobody takes all of it."""

from __future__ import annotations

import collections
from ipaddress import IPv4Address

from .address import IPAddress


class Places:
    """Counts places in use: at most ``total``, and ``per_network`` of one network.

    A network is an IPv4 address, or the /64 of an IPv6 address: what one subscriber has.
    """

    __slots__ = ("_held", "_per_network", "_taken", "_total")

    def __init__(self, total: int, *, per_network: int) -> None:
        self._total = total
        self._per_network = per_network
        self._taken = 0
        self._held: collections.Counter[tuple[int, int]] = collections.Counter()

    def __len__(self) -> int:
        """How many are in use."""
        return self._taken

    def take(self, ip: IPAddress) -> bool:
        """A place for this address, to be given back; False if there is none."""
        network = _network(ip)
        if self._taken >= self._total or self._held[network] >= self._per_network:
            return False
        self._taken += 1
        self._held[network] += 1
        return True

    def give_back(self, ip: IPAddress) -> None:
        """End what ``take`` has begun."""
        network = _network(ip)
        self._taken -= 1
        self._held[network] -= 1
        if not self._held[network]:
            del self._held[network]


def _network(ip: IPAddress) -> tuple[int, int]:
    if isinstance(ip, IPv4Address):
        return 4, int(ip)
    if ip.ipv4_mapped is not None:
        return 4, int(ip.ipv4_mapped)
    return 6, int(ip) >> 64
