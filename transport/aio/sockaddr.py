"""Between TransportAddress and the tuples that the socket module uses.

An IPv6 link-local address needs its zone. TransportAddress keeps it in the text
(``fe80::1%eth0``), the kernel wants its index.
"""

from __future__ import annotations

import ipaddress
import socket

from transport.address import TransportAddress

SocketAddress = tuple[str, int] | tuple[str, int, int, int]

ANY_ADDRESS = {
    4: TransportAddress.parse("0.0.0.0", 0),
    6: TransportAddress.parse("::", 0),
}
"""By IP version: where a socket is before it is bound, or what is not known."""


def to_sockaddr(address: TransportAddress) -> SocketAddress:
    """What sendto and bind take. The zone may be a name or a number.

    Raises:
        OSError: there is no interface of the zone's name.
    """
    ip = address.ip
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip), address.port
    zone = ip.scope_id
    if zone is None:
        return str(ip), address.port, 0, 0
    index = int(zone) if zone.isdecimal() else socket.if_nametoindex(zone)
    return str(ip).partition("%")[0], address.port, 0, index


def from_sockaddr(sockaddr: SocketAddress) -> TransportAddress:
    """What recvfrom and getsockname gave; a zone comes out as the interface's name."""
    host, port = sockaddr[0].partition("%")[0], sockaddr[1]
    index = sockaddr[3] if len(sockaddr) == 4 else 0
    return TransportAddress.parse(f"{host}%{_zone(index)}" if index else host, port)


def _zone(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError:  # the interface has just gone
        return str(index)
