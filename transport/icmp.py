"""ICMP errors, which say what became of a datagram (RFC 792, RFC 4443)."""

from __future__ import annotations

import dataclasses

from .address import TransportAddress


@dataclasses.dataclass(frozen=True, slots=True)
class IcmpError:
    """An ICMP message about a UDP datagram that left from one of our sockets.

    ``destination`` is where that datagram was going, whoever sent the message; its port
    is 0 where the system does not tell it. Whether type and code are those of ICMPv4 or
    of ICMPv6 goes by its family. ``mtu`` is that of the next hop, in bytes, if the datagram
    was too big for it.
    """

    destination: TransportAddress
    icmp_type: int
    icmp_code: int
    mtu: int = 0
