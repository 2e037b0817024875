"""The state of allocations (RFC 8656 sections 6, 9 and 12), and where to find them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from stun import AddressErrorCode, AddressFamily, IpProtocol, KeyAlgorithm, UnknownAttribute
from transport import IPAddress, Path, Timers, TokenBucket, TransportAddress

from .forwarding import ForwardingEntry, Meter
from .limits import ICMP_BURST, ICMP_RATE
from .mobility.mobile import Mobile

PERMISSION_LIFETIME: Final = 300.0
"""Seconds; a MUST of RFC 8656 section 9."""

CHANNEL_LIFETIME: Final = 600.0
"""Seconds (RFC 8656 section 12)."""

_ROUNDING: Final = 1e-3
"""Seconds; what a sum of two clock readings may be off by is far less."""


class ChannelBinding:
    """A channel number and a peer; ``published`` is what the data planes know of it."""

    __slots__ = ("expires_at", "number", "peer", "published")

    def __init__(self, number: int, peer: TransportAddress, expires_at: float) -> None:
        self.number = number
        self.peer = peer
        self.expires_at = expires_at
        self.published: ForwardingEntry | None = None


class RelayedAddress:
    """A relayed transport address, which expires by itself (RFC 8656 section 8.1).

    ``local`` is the address of the relay's socket, ``advertised`` what clients and peers
    know it by.
    """

    __slots__ = ("advertised", "expires_at", "local")

    def __init__(
        self, local: TransportAddress, advertised: TransportAddress, expires_at: float
    ) -> None:
        self.local = local
        self.advertised = advertised
        self.expires_at = expires_at

    @property
    def family(self) -> AddressFamily:
        return AddressFamily.of(self.local)


class Allocation:
    """What the server keeps of one client.

    A dual allocation has two ``addresses``, IPv4 first, until one is deleted or expires.
    Its peers are of either family, so that permissions and channels are in one table, and
    those that belong to an address are those of its family. The password is not kept,
    only the key (RFC 8656 section 6), and that as bytes, which take less room than
    prepared hash states. ``key_algorithm`` is None for the mac_key of an access token.
    """

    __slots__ = (
        "address_error",
        "addresses",
        "channels",
        "channels_by_peer",
        "client",
        "created_at",
        "credential_ends_at",
        "icmp_errors",
        "key",
        "key_algorithm",
        "meter",
        "mobile",
        "permissions",
        "protocol",
        "quota_id",
        "reservation_token",
        "transaction_id",
        "username",
    )

    def __init__(
        self,
        client: Path,
        addresses: Sequence[RelayedAddress],
        *,
        username: str,
        key: bytes,
        key_algorithm: KeyAlgorithm | None,
        quota_id: str | None,
        transaction_id: bytes,
        created_at: float,
        protocol: int = IpProtocol.UDP,
    ) -> None:
        self.client = client
        self.protocol = protocol
        """What it speaks with peers; over TCP there are connections in place of channels."""
        self.addresses = list(addresses)
        self.username = username
        self.key = key
        self.key_algorithm = key_algorithm
        self.quota_id = quota_id
        self.transaction_id = transaction_id
        self.reservation_token: bytes | None = None
        """Stands for the next port, and is told again when the request comes again."""
        self.address_error: AddressErrorCode | UnknownAttribute | None = None
        """Why it has no second address that was asked for; told again with the token."""
        self.created_at = created_at
        self.credential_ends_at: float | None = None
        """When the access token ends that it was last granted for; None for passwords."""
        self.mobile: Mobile | None = None
        """For a client that may change its address."""
        self.permissions: dict[IPAddress, float] = {}
        """When each expires."""
        self.channels: dict[int, ChannelBinding] = {}
        self.channels_by_peer: dict[TransportAddress, ChannelBinding] = {}
        self.meter = Meter()
        self.icmp_errors = TokenBucket(ICMP_RATE, ICMP_BURST, created_at)
        """How many may be told: anybody can forge them."""

    @property
    def relayed(self) -> TransportAddress:
        """The socket's address; of a dual allocation that of the first."""
        return self.addresses[0].local

    @property
    def expires_at(self) -> float:
        """When nothing is left of it."""
        return max(each.expires_at for each in self.addresses)

    def seconds_left(self, now: float) -> int:
        """As LIFETIME has it, whole; a sum of floats makes it no longer than was granted."""
        return math.ceil(self.expires_at - now - _ROUNDING)

    def toward(self, peer: IPAddress) -> RelayedAddress | None:
        """The relayed transport address that peers of this one's family see, if there is one."""
        for each in self.addresses:
            if each.local.ip.version == peer.version:
                return each
        return None

    def next_expiry(self) -> float:
        """When the first of all it holds expires, or it does itself."""
        first = min(each.expires_at for each in self.addresses)
        return min(
            first,
            min(self.permissions.values(), default=first),
            min((each.expires_at for each in self.channels.values()), default=first),
        )

    def __repr__(self) -> str:
        return f"<allocation of {self.username!r} at {self.relayed}>"


class AllocationTable:
    """All allocations, by 5-tuple and by relayed transport address, and their timers.

    Each allocation has one timer, for whatever of it expires first. It may come too
    early, as when a permission was refreshed meanwhile, but never too late. An
    allocation that moves has two 5-tuples, one whose stream is gone has none.
    """

    __slots__ = ("_all", "_by_client", "_by_relayed", "_local_ips", "_mobile", "_timers")

    def __init__(self, advertised: Mapping[IPAddress, IPAddress]) -> None:
        self._all: dict[Allocation, None] = {}
        self._by_client: dict[Path, Allocation] = {}
        self._mobile: dict[bytes, Allocation] = {}
        self._by_relayed: dict[TransportAddress, Allocation] = {}
        self._local_ips = {told: local for local, told in advertised.items()}
        self._timers: Timers[Allocation] = Timers()

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Allocation]:
        return iter(tuple(self._all))

    def of(self, client: Path) -> Allocation | None:
        """The allocation of this 5-tuple."""
        return self._by_client.get(client)

    def mobile(self, id: bytes) -> Allocation | None:
        """The allocation whose tickets have this id."""
        return self._mobile.get(id)

    def at(self, relayed: TransportAddress) -> Allocation | None:
        """The allocation whose socket has this address."""
        return self._by_relayed.get(relayed)

    def known_as(self, peer: TransportAddress, protocol: int = IpProtocol.UDP) -> Allocation | None:
        """The allocation that a peer address stands for, if it is one of this relay's."""
        if self._local_ips and (local := self._local_ips.get(peer.ip)) is not None:
            peer = TransportAddress(local, peer.port)
        found = self._by_relayed.get(peer)
        return None if found is None or found.protocol != protocol else found

    def add(self, allocation: Allocation) -> None:
        self._all[allocation] = None
        self._by_client[allocation.client] = allocation
        if allocation.mobile is not None:
            self._mobile[allocation.mobile.id] = allocation
        for address in allocation.addresses:
            self._by_relayed[address.local] = allocation
        self.arm(allocation)

    def remove(self, allocation: Allocation) -> None:
        del self._all[allocation]
        self.leave(allocation.client)
        if allocation.mobile is not None:
            del self._mobile[allocation.mobile.id]
            if allocation.mobile.moving_to is not None:
                self.leave(allocation.mobile.moving_to)
        for address in allocation.addresses:
            del self._by_relayed[address.local]
        self._timers.cancel(allocation)

    def enter(self, client: Path, allocation: Allocation) -> None:
        """Let the allocation be that of a further 5-tuple, which has none yet."""
        self._by_client[client] = allocation

    def leave(self, client: Path) -> None:
        """The 5-tuple has no allocation any more."""
        self._by_client.pop(client, None)

    def remove_address(self, address: RelayedAddress) -> None:
        """One of two; what is left of the allocation stays."""
        del self._by_relayed[address.local]

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
