"""The state of allocations (RFC 8656 sections 6, 9 and 12), and where to find them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from stun import AddressFamily, KeyAlgorithm
from transport import IPAddress, Path, Timers, TransportAddress

from .forwarding import ForwardingEntry, Meter

PERMISSION_LIFETIME: Final = 300.0
"""Seconds; a MUST of RFC 8656 section 9."""

CHANNEL_LIFETIME: Final = 600.0
"""Seconds (RFC 8656 section 12)."""


class ChannelBinding:
    """A channel number and a peer; ``published`` is what the data planes know of it."""

    __slots__ = ("expires_at", "number", "peer", "published")

    def __init__(self, number: int, peer: TransportAddress, expires_at: float) -> None:
        self.number = number
        self.peer = peer
        self.expires_at = expires_at
        self.published: ForwardingEntry | None = None


class Allocation:
    """What the server keeps of one client.

    ``relayed`` is the address of the relay's socket, ``advertised`` what clients and
    peers know it by. The password is not kept, only the key (RFC 8656 section 6), and
    that as bytes, which take less room than prepared hash states.
    """

    __slots__ = (
        "advertised",
        "channels",
        "channels_by_peer",
        "client",
        "created_at",
        "expires_at",
        "key",
        "key_algorithm",
        "meter",
        "permissions",
        "quota_id",
        "relayed",
        "reservation_token",
        "transaction_id",
        "username",
    )

    def __init__(
        self,
        client: Path,
        relayed: TransportAddress,
        advertised: TransportAddress,
        *,
        username: str,
        key: bytes,
        key_algorithm: KeyAlgorithm,
        quota_id: str | None,
        transaction_id: bytes,
        created_at: float,
        expires_at: float,
    ) -> None:
        self.client = client
        self.relayed = relayed
        self.advertised = advertised
        self.username = username
        self.key = key
        self.key_algorithm = key_algorithm
        self.quota_id = quota_id
        self.transaction_id = transaction_id
        self.reservation_token: bytes | None = None
        """Stands for the next port, and is told again when the request comes again."""
        self.created_at = created_at
        self.expires_at = expires_at
        self.permissions: dict[IPAddress, float] = {}
        """When each expires."""
        self.channels: dict[int, ChannelBinding] = {}
        self.channels_by_peer: dict[TransportAddress, ChannelBinding] = {}
        self.meter = Meter()

    @property
    def family(self) -> AddressFamily:
        return AddressFamily.of(self.relayed)

    def next_expiry(self) -> float:
        """When the first of all it holds expires, or it does itself."""
        return min(
            self.expires_at,
            min(self.permissions.values(), default=self.expires_at),
            min((each.expires_at for each in self.channels.values()), default=self.expires_at),
        )

    def __repr__(self) -> str:
        return f"<allocation of {self.username!r} at {self.relayed}>"


class AllocationTable:
    """All allocations, by 5-tuple and by relayed transport address, and their timers.

    Each allocation has one timer, for whatever of it expires first. It may come too
    early, as when a permission was refreshed meanwhile, but never too late.
    """

    __slots__ = ("_by_client", "_by_relayed", "_local_ips", "_timers")

    def __init__(self, advertised: Mapping[IPAddress, IPAddress]) -> None:
        self._by_client: dict[Path, Allocation] = {}
        self._by_relayed: dict[TransportAddress, Allocation] = {}
        self._local_ips = {told: local for local, told in advertised.items()}
        self._timers: Timers[Allocation] = Timers()

    def __len__(self) -> int:
        return len(self._by_client)

    def __iter__(self) -> Iterator[Allocation]:
        return iter(tuple(self._by_client.values()))

    def of(self, client: Path) -> Allocation | None:
        """The allocation of this 5-tuple."""
        return self._by_client.get(client)

    def at(self, relayed: TransportAddress) -> Allocation | None:
        """The allocation whose socket has this address."""
        return self._by_relayed.get(relayed)

    def known_as(self, peer: TransportAddress) -> Allocation | None:
        """The allocation that a peer address stands for, if it is one of this relay's."""
        local = self._local_ips.get(peer.ip)
        if local is not None:
            peer = TransportAddress(local, peer.port)
        return self._by_relayed.get(peer)

    def add(self, allocation: Allocation) -> None:
        self._by_client[allocation.client] = allocation
        self._by_relayed[allocation.relayed] = allocation
        self.arm(allocation)

    def remove(self, allocation: Allocation) -> None:
        del self._by_client[allocation.client]
        del self._by_relayed[allocation.relayed]
        self._timers.cancel(allocation)

    def arm(self, allocation: Allocation) -> None:
        """Set the timer, after anything of the allocation got another time to expire."""
        deadline = allocation.next_expiry()
        if deadline != self._timers.deadline(allocation):
            self._timers.set(allocation, deadline)

    def arm_by(self, allocation: Allocation, deadline: float) -> None:
        """Have the timer no later than this."""
        current = self._timers.deadline(allocation)
        if current is None or deadline < current:
            self._timers.set(allocation, deadline)

    def next_timeout(self) -> float | None:
        return self._timers.next_timeout()

    def due(self, now: float) -> Iterator[Allocation]:
        """Allocations of which something may have expired; arm each again, or remove it."""
        return self._timers.expired(now)
