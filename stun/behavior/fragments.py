"""Whether fragments pass (RFC 5780 sections 3.5 and 7.6)."""

from __future__ import annotations

from typing import Final

from stun.attributes import Padding
from transport import TransportAddress

from .exchange import Answered, Ask, Outcome, Silent
from .procedure import ClientAddresses, Procedure, obstacle
from .results import Fragments, Inconclusive, Obstacle

PADDING_BYTES: Final = 1500
"""As long as the MTU of an Ethernet: with headers, it makes two fragments."""

_SHORT: Final = Padding(bytes(4))
_LONG: Final = Padding(bytes(PADDING_BYTES))


def discover_fragments(
    addresses: ClientAddresses, server: TransportAddress
) -> Procedure[Fragments | Inconclusive]:
    """The server pads its answer whenever the request is padded; that may be short itself."""
    (both,) = yield (Ask(addresses.main, server, (_LONG,)),)
    if _is_padded(both):
        return Fragments.PASS
    if not isinstance(both, Silent):
        return obstacle(both)
    (inbound,) = yield (Ask(addresses.main, server, (_SHORT,)),)
    if _is_padded(inbound):
        return Fragments.LOST_OUTBOUND
    if not isinstance(inbound, Silent):
        return obstacle(inbound)
    (plain,) = yield (Ask(addresses.main, server),)
    if not isinstance(plain, Answered):
        return obstacle(plain, Obstacle.NO_RESPONSE)
    return Fragments.LOST_INBOUND


def _is_padded(outcome: Outcome) -> bool:
    return isinstance(outcome, Answered) and len(outcome.response.data) >= PADDING_BYTES
