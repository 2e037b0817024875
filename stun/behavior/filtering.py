"""How the NAT filters: answers from addresses that we never sent to (RFC 5780 section 4.4)."""

from __future__ import annotations

from stun.attributes import ChangeRequest
from transport import TransportAddress

from .exchange import Answered, Ask
from .mapping import usable_other
from .procedure import ClientAddresses, Procedure, first_missing, first_unfit
from .results import Inconclusive, NatFiltering, Obstacle, Reached


def discover_filtering(
    addresses: ClientAddresses, server: TransportAddress, reached: Reached
) -> Procedure[NatFiltering | Inconclusive]:
    """Tests II and III at once: what the one lets in the other does not need.

    An answer that does not come is a verdict about the NAT only if the server can be heard
    from there at all, which another socket then finds out.
    """
    other = usable_other(reached, server)
    if isinstance(other, Inconclusive):
        return other
    same_ip = TransportAddress(server.ip, other.port)
    first = yield (Ask(addresses.fresh, server),)
    if missing := first_missing(first):
        return missing
    outcomes = yield (
        Ask(
            addresses.fresh,
            server,
            (ChangeRequest(change_ip=True, change_port=True),),
            origin=other,
        ),
        Ask(addresses.fresh, server, (ChangeRequest(change_port=True),), origin=same_ip),
    )
    if unfit := first_unfit(outcomes):
        return unfit
    by_any, by_ip = (isinstance(each, Answered) for each in outcomes)
    if by_any:
        return NatFiltering.ENDPOINT_INDEPENDENT
    audible = yield (Ask(addresses.second, other), Ask(addresses.second, same_ip))
    if missing := first_missing(audible, Obstacle.ALTERNATE_SILENT):
        return missing
    if by_ip:
        return NatFiltering.ADDRESS_DEPENDENT
    return NatFiltering.ADDRESS_AND_PORT_DEPENDENT
