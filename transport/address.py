"""Transport addresses (RFC 8489 section 4: an IP address and a port)."""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import Self

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclasses.dataclass(frozen=True, slots=True, order=False)
class TransportAddress:
    """An IP address and a port.

    Equal addresses hash alike, so that it serves as a key. An IPv6 link-local
    address keeps its zone (``fe80::1%eth0``) inside ``ip``.

    Raises:
        ValueError: the port is not from 0 to 65535.
    """

    ip: IPAddress
    port: int

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 0xFFFF:
            raise ValueError(f"a port is from 0 to 65535, not {self.port}")

    def __hash__(self) -> int:
        """Addresses are keys everywhere, and ``ip`` is slow to hash: it makes text of itself."""
        return hash((int(self.ip), self.port))

    @classmethod
    def parse(cls, host: str, port: int) -> Self:
        """From an IP address in text; names are not resolved here.

        Raises:
            ValueError: the host is no IP address, or the port is out of range.
        """
        return cls(ipaddress.ip_address(host), port)

    @property
    def host(self) -> str:
        """The IP address in text, without brackets."""
        return str(self.ip)

    @property
    def is_ipv6(self) -> bool:
        return self.ip.version == 6

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if self.is_ipv6 else f"{self.ip}:{self.port}"
