"""How the NAT maps: a request to three of the server's addresses (RFC 5780 section 4.3)."""

from __future__ import annotations

from transport import TransportAddress

from .exchange import Answered, Ask
from .procedure import ClientAddresses, Procedure, obstacle
from .results import Inconclusive, NatMapping, Obstacle, Reached


def usable_other(reached: Reached, server: TransportAddress) -> TransportAddress | Inconclusive:
    """The server's second address, if it is one to test with."""
    other = reached.other
    if other is None:
        return Inconclusive(Obstacle.NO_OTHER_ADDRESS)
    if other.ip.version != server.ip.version or other.ip == server.ip or other.port == server.port:
        return Inconclusive(Obstacle.UNEXPECTED_ANSWER)
    return other


def discover_mapping(
    addresses: ClientAddresses, server: TransportAddress, reached: Reached
) -> Procedure[NatMapping | Inconclusive]:
    """Test I was the one that reached the server."""
    if reached.mapped == reached.local:
        return NatMapping.NONE
    other = usable_other(reached, server)
    if isinstance(other, Inconclusive):
        return other
    (second,) = yield (Ask(addresses.main, TransportAddress(other.ip, server.port)),)
    if not isinstance(second, Answered):
        return obstacle(second, Obstacle.ALTERNATE_SILENT)
    if second.mapped == reached.mapped:
        return NatMapping.ENDPOINT_INDEPENDENT
    (third,) = yield (Ask(addresses.main, other),)
    if not isinstance(third, Answered):
        return obstacle(third, Obstacle.ALTERNATE_SILENT)
    if third.mapped == second.mapped:
        return NatMapping.ADDRESS_DEPENDENT
    return NatMapping.ADDRESS_AND_PORT_DEPENDENT
