"""Local preferences that let IPv4 and IPv6 take turns (RFC 8421 sections 3 and 4)."""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import zip_longest

from transport import IPAddress, TransportAddress

from .priority import HIGHEST_LOCAL_PREFERENCE


def interleave(
    addresses: Sequence[TransportAddress], *, unreliable: Container[IPAddress] = ()
) -> list[TransportAddress]:
    """Order addresses as their candidates shall be checked.

    IPv6 goes first, with a head start of (N4 + N6) / N4 addresses; then the families
    alternate, so that a broken one delays the other by little. Addresses of interfaces
    known to be ``unreliable`` come last; one that nothing is known of counts as reliable.
    Within a family the given order is kept.
    """
    good = [address for address in addresses if address.ip not in unreliable]
    poor = [address for address in addresses if address.ip in unreliable]
    return _take_turns(good) + _take_turns(poor)


def _take_turns(addresses: Sequence[TransportAddress]) -> list[TransportAddress]:
    v6 = [address for address in addresses if address.is_ipv6]
    v4 = [address for address in addresses if not address.is_ipv6]
    if not v4 or not v6:
        return [*v6, *v4]
    head_start = len(addresses) // len(v4)
    ordered = v6[:head_start]
    for fourth, sixth in zip_longest(v4, v6[head_start:]):
        ordered += [address for address in (fourth, sixth) if address is not None]
    return ordered


class LocalPreferences:
    """Hands out a local preference per candidate: unique per component and type.

    The first address of a component gets 65535 (RFC 8445 section 5.1.2.1), each later
    one the next below, also when addresses turn up later.
    """

    def __init__(self) -> None:
        self._used: dict[tuple[int, int], int] = {}

    def take(self, stream: int, component: int) -> int:
        key = (stream, component)
        used = self._used.get(key, 0)
        self._used[key] = used + 1
        return max(HIGHEST_LOCAL_PREFERENCE - used, 0)
