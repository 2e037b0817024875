"""What the server asks of its driver, and what it reports."""

from __future__ import annotations

import dataclasses
import enum

from transport import Event, Path, TransportAddress

from .forwarding import Meter


@dataclasses.dataclass(frozen=True, slots=True)
class RelayRequested(Event):
    """Bind a UDP socket to exactly this address.

    Answered by ``relay_opened(token, address, now)`` or, when the address is taken or
    sockets have run out, by ``relay_refused(token, now)``; the server may then ask for
    another address under the same token. Whether this token is waited for
    still, the driver need not know: an answer that comes too late is met with
    RelayReleased.
    """

    token: int
    address: TransportAddress


@dataclasses.dataclass(frozen=True, slots=True)
class RelayReleased(Event):
    """Close the socket of this relayed transport address."""

    relayed: TransportAddress


@dataclasses.dataclass(frozen=True, slots=True)
class AllocationCreated(Event):
    """A client has a relayed transport address now."""

    client: Path
    relayed: TransportAddress
    username: str


class AllocationEnd(enum.Enum):
    """Why an allocation is gone."""

    DELETED = "deleted"
    """By a Refresh request with a lifetime of 0."""
    EXPIRED = "expired"
    DISCONNECTED = "disconnected"
    """The client's stream was closed."""
    CLOSED = "closed"
    """The server was closed."""


@dataclasses.dataclass(frozen=True, slots=True)
class AllocationEnded(Event):
    """An allocation is gone; ``meter`` says what it has relayed."""

    client: Path
    relayed: TransportAddress
    username: str
    reason: AllocationEnd
    meter: Meter
