"""What a server can tell about itself."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping

from transport import IPAddress, Path, TransportAddress

from .forwarding import Meter


class DropReason(enum.Enum):
    """Why a datagram was discarded in silence."""

    NOT_TURN = "not-turn"
    """Neither STUN nor ChannelData, or malformed as a whole."""
    BAD_FINGERPRINT = "bad-fingerprint"
    UNEXPECTED_METHOD = "unexpected-method"
    """An unknown method, a class it does not have, or a response (RFC 8489 section 6.3)."""
    RATE_LIMITED = "rate-limited"
    """An unauthenticated request, small beside its answer, from a busy network; or an ICMP
    error, if there are many."""
    WAITING = "waiting"
    """An Allocate request that is being carried out already."""
    NO_ALLOCATION = "no-allocation"
    MALFORMED_INDICATION = "malformed-indication"
    UNKNOWN_ATTRIBUTE = "unknown-attribute"
    """Comprehension-required, in an indication."""
    MALFORMED_CHANNEL_DATA = "malformed-channel-data"
    NO_CHANNEL = "no-channel"
    NO_PERMISSION = "no-permission"
    FORBIDDEN_PEER = "forbidden-peer"
    TOO_LONG = "too-long"
    """A peer's datagram that fits into no Data indication."""
    ICMP_TYPE = "icmp-type"
    """An ICMP message that is not for clients, such as a redirect."""
    NOT_OF_UDP = "not-of-udp"
    """A Send indication on a TCP allocation."""
    TOO_MANY_CONNECTIONS = "too-many-connections"
    """A peer's, which was closed."""
    UNKNOWN_RELAY = "unknown-relay"
    """To a relayed transport address that is not allocated any more."""


@dataclasses.dataclass(frozen=True, slots=True)
class AllocationSnapshot:
    """One allocation; the times are seconds left.

    ``relayed`` is its relayed transport address, ``additional`` the IPv6 one that a dual
    allocation has as well.
    """

    client: Path
    relayed: TransportAddress
    username: str
    time_to_expiry: float
    permissions: Mapping[IPAddress, float]
    channels: Mapping[int, TransportAddress]
    meter: Meter
    additional: TransportAddress | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ServerStats:
    """Counters since the server was made, and what it holds now.

    ``waiting`` are Allocate requests for which the driver binds a socket; ``errors``
    counts error responses by code; ``connections`` are those of TCP allocations to peers,
    from the Connect request on.
    """

    allocations: int
    waiting: int
    drops: Mapping[DropReason, int]
    errors: Mapping[int, int]
    connections: int = 0
