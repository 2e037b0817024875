"""What gathering tells the agent."""

from __future__ import annotations

import dataclasses

from stun import AddressFamily
from transport import IPAddress, Path, TransportAddress
from turn.client import AllocationFailed

from .candidate import Candidate
from .origin import Origin


@dataclasses.dataclass(frozen=True, slots=True)
class MappedFound:
    """We were told our address as the server sees it."""

    origin: Origin
    mapped: TransportAddress


@dataclasses.dataclass(frozen=True, slots=True)
class RelayFound:
    """The source of this number has an allocation; ``mapped`` is as above."""

    number: int
    relayed: TransportAddress
    mapped: TransportAddress


@dataclasses.dataclass(frozen=True, slots=True)
class SourceFailed:
    """Nothing will come of ``origin``; ``failure`` is what became of an allocation for
    which relayed transport addresses of ``family`` were wanted."""

    origin: Origin
    failure: AllocationFailed | None = None
    family: AddressFamily | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class CandidateFound:
    """A candidate, to be conveyed; ``base`` if it has to be paired with remote ones."""

    stream: int
    candidate: Candidate
    base: TransportAddress | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class BaseLost:
    """A relayed transport address is ours no more."""

    address: TransportAddress


@dataclasses.dataclass(frozen=True, slots=True)
class PeerRefused:
    """A server relays nothing to this IP address."""

    address: TransportAddress
    ip: IPAddress


@dataclasses.dataclass(frozen=True, slots=True)
class RelayedDatagram:
    """A datagram of a peer; ``path`` is from the relayed transport address to it."""

    data: bytes
    path: Path


SourceFinding = MappedFound | RelayFound | SourceFailed | BaseLost | PeerRefused | RelayedDatagram
Finding = CandidateFound | BaseLost | PeerRefused | RelayedDatagram
