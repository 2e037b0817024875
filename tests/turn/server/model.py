"""What a relay has to know by the letter of RFC 8656, as plain dictionaries with times."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Final

from transport import TransportAddress

PORTS: Final = range(50000, 50005)
MOST_ALLOCATIONS: Final = 3
MOST_OF_ONE_ID: Final = 1
MOST_PARTS: Final = 128
"""Permissions of an allocation, and channels."""

BURST, RATE = 50.0, 10.0
"""Answers that one network may have to requests that are small beside them."""


def granted(lifetime: int | None) -> int:
    """Section 7.2: at least the default, at most the greatest."""
    return max(600, min(lifetime or 0, 3600))


@dataclasses.dataclass
class ModelAllocation:
    """What one client has."""

    relayed: TransportAddress
    expires_at: float
    request: bytes
    """What it was made by, for retransmissions."""
    permissions: dict[str, float] = dataclasses.field(default_factory=dict)
    channels: dict[int, tuple[TransportAddress, float]] = dataclasses.field(default_factory=dict)

    def permitted(self, now: float) -> dict[str, float]:
        return {host: at for host, at in self.permissions.items() if at > now}

    def permits(self, peer: TransportAddress, now: float) -> bool:
        return peer.host in self.permitted(now)

    def bound(self, now: float) -> dict[int, TransportAddress]:
        return {number: peer for number, (peer, at) in self.channels.items() if at > now}

    def number(self, peer: TransportAddress, now: float) -> int | None:
        found = (number for number, bound in self.bound(now).items() if bound == peer)
        return next(found, None)

    def permit(self, peers: Iterable[TransportAddress], now: float) -> int:
        """Install permissions; the code of the answer."""
        hosts = {peer.host for peer in peers}
        live = self.permitted(now)
        if not hosts <= live.keys() and len(live.keys() | hosts) > MOST_PARTS:
            return 508
        self.permissions.update(dict.fromkeys(hosts, now + 300))
        return 0

    def bind(self, number: int, peer: TransportAddress, now: float) -> int:
        """Bind a channel; the code of the answer."""
        bound = self.bound(now)
        if bound.get(number, peer) != peer or self.number(peer, now) not in (None, number):
            return 400
        if number not in bound and len(bound) >= MOST_PARTS:
            return 508
        refused = self.permit([peer], now)
        if not refused:
            self.channels[number] = (peer, now + 600)
        return refused


@dataclasses.dataclass
class Model:
    """What all clients have; ``quota_ids`` are those whose allocations are counted."""

    quota_ids: dict[int, str]
    allocations: dict[int, ModelAllocation] = dataclasses.field(default_factory=dict)
    reservations: dict[bytes, tuple[TransportAddress, float]] = dataclasses.field(
        default_factory=dict
    )

    def of(self, who: int, now: float) -> ModelAllocation | None:
        found = self.allocations.get(who)
        return found if found is not None and found.expires_at > now else None

    def live(self, now: float) -> dict[int, ModelAllocation]:
        return {who: each for who, each in self.allocations.items() if each.expires_at > now}

    def held(self, now: float) -> dict[bytes, TransportAddress]:
        return {token: address for token, (address, at) in self.reservations.items() if at > now}

    def owner(self, peer: TransportAddress, now: float) -> int | None:
        """Whose relayed transport address this is."""
        return next((who for who, each in self.live(now).items() if each.relayed == peer), None)

    def used_ports(self, now: float) -> set[int]:
        relayed = {each.relayed.port for each in self.live(now).values()}
        return relayed | {address.port for address in self.held(now).values()}

    def refusal(self, who: int, now: float) -> int:
        """Why this client cannot have another allocation, whatever the port; 0 if it can."""
        if self.of(who, now) is not None:
            return 437
        live = self.live(now)
        id = self.quota_ids.get(who)
        if id and sum(self.quota_ids.get(each) == id for each in live) >= MOST_OF_ONE_ID:
            return 486
        return 508 if len(live) >= MOST_ALLOCATIONS else 0

    def has_port(self, *, is_even: bool, has_next: bool, now: float) -> bool:
        free = set(PORTS) - self.used_ports(now)
        return any(
            (port % 2 == 0 or not is_even) and (port + 1 in free or not has_next) for port in free
        )


class ModelBucket:
    """Answers that one network may still have."""

    def __init__(self, now: float) -> None:
        self._tokens, self._touched = BURST, now

    def take(self, count: int, now: float) -> int:
        """How many of ``count`` requests are answered."""
        self._tokens = min(BURST, self._tokens + (now - self._touched) * RATE)
        self._touched = now
        answered = min(count, int(self._tokens))
        self._tokens -= answered
        return answered
