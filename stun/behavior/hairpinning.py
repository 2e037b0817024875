"""Whether the NAT turns datagrams around (RFC 5780 section 3.4, RFC 4787 section 6)."""

from __future__ import annotations

from transport import TransportAddress

from .exchange import Answered, Ask, Looped
from .procedure import ClientAddresses, Procedure, obstacle
from .results import Inconclusive, NatHairpinning, NatMapping, Obstacle, Reached


def discover_hairpinning(
    addresses: ClientAddresses,
    server: TransportAddress,
    reached: Reached,
    mapping: NatMapping | Inconclusive | None,
) -> Procedure[NatHairpinning | Inconclusive]:
    """Two sockets send to each other's mapped address, so that each opens its filter for the
    other; where the mapping depends on whom one sends to, that may not suffice."""
    if reached.mapped == reached.local:
        return Inconclusive(Obstacle.NO_NAT)
    (second,) = yield (Ask(addresses.second, server),)
    if not isinstance(second, Answered):
        return obstacle(second)
    outcomes = yield (
        Ask(addresses.main, second.mapped),
        Ask(addresses.second, reached.mapped),
    )
    looped = [each.path.remote for each in outcomes if isinstance(each, Looped)]
    if any(source in (addresses.main, addresses.second) for source in looped):
        return NatHairpinning.INTERNAL_SOURCE
    if looped:
        return NatHairpinning.EXTERNAL_SOURCE
    if mapping is NatMapping.ENDPOINT_INDEPENDENT:
        return NatHairpinning.NONE
    return Inconclusive(Obstacle.FILTERED)
