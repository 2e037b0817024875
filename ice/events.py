"""What an agent reports."""

from __future__ import annotations

import dataclasses

from transport import Event, Path

from .candidate import Candidate
from .state import IceState


@dataclasses.dataclass(frozen=True, slots=True)
class HostAddressesRequested(Event):
    """Open a socket on each usable local address, then call ``hosts_opened``.

    One event comes per component of each data stream; pass its ``stream`` and
    ``component`` back.
    """

    stream: int = 0
    component: int = 1


@dataclasses.dataclass(frozen=True, slots=True)
class ResolveRequested(Event):
    """Find the IP addresses of a server's name, then call ``resolved`` with the token.

    The order counts: of each family the first address is used. A name that cannot be
    resolved is answered with no addresses.
    """

    token: int
    host: str


@dataclasses.dataclass(frozen=True, slots=True)
class LocalCandidateGathered(Event):
    """Convey this candidate to the peer, in the generation of ``ufrag``.

    A server that was not waited for may answer after GatheringCompleted. What it tells is
    used, and reported; whoever has conveyed an end of candidates must keep it to himself
    then (RFC 8838 section 13), and the peer will learn it from our checks.
    """

    candidate: Candidate
    ufrag: str
    stream: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class GatheringCompleted(Event):
    """No further local candidates are worth waiting for in the generation of ``ufrag``."""

    ufrag: str


@dataclasses.dataclass(frozen=True, slots=True)
class PairValidated(Event):
    """A check succeeded: data may flow on this pair (RFC 8445 section 12.1)."""

    local: Candidate
    remote: Candidate
    path: Path
    stream: int = 0
    component: int = 1


@dataclasses.dataclass(frozen=True, slots=True)
class PairSelected(Event):
    """The pair that a component uses from now on (RFC 8445 section 8.1.2)."""

    local: Candidate
    remote: Candidate
    path: Path
    stream: int = 0
    component: int = 1


@dataclasses.dataclass(frozen=True, slots=True)
class IceStateChanged(Event):
    state: IceState


@dataclasses.dataclass(frozen=True, slots=True)
class ConsentExpired(Event):
    """The peer's consent to receive on a path is gone (RFC 7675): nothing is sent on it.

    ``revoked`` tells that the peer said so itself (section 5.2), instead of falling silent.
    """

    path: Path
    revoked: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class RoleChanged(Event):
    """A role conflict was resolved against the role we had (RFC 8445 section 7.3.1.1)."""

    controlling: bool


@dataclasses.dataclass(frozen=True, slots=True)
class DatagramReceived(Event):
    """Data of the application, from a path that a check has proven."""

    data: bytes
    path: Path
