"""Bases: the local transport addresses that an agent sends from (RFC 8445 section 4)."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Sequence
from typing import Protocol

from transport import Path, Transmit, TransportAddress

from .candidate import Candidate


class Base(Protocol):
    """Sends from one local transport address, which belongs to one component.

    A host base hands datagrams to its socket. A relayed base will wrap them for its
    TURN server; for everything else in the agent it is an address like any other.
    """

    @property
    def stream(self) -> int: ...

    @property
    def candidate(self) -> Candidate:
        """The host or relayed candidate whose address this is."""
        ...

    @property
    def address(self) -> TransportAddress: ...

    def send(
        self,
        path: Path,
        segments: Sequence[bytes],
        *,
        dscp: int | None,
        transmits: collections.deque[Transmit],
    ) -> None:
        """Queue a run of datagrams for ``path``, whose local side is this base."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class HostBase:
    """A socket of this host."""

    address: TransportAddress
    candidate: Candidate
    stream: int

    def send(
        self,
        path: Path,
        segments: Sequence[bytes],
        *,
        dscp: int | None,
        transmits: collections.deque[Transmit],
    ) -> None:
        transmits.append(Transmit(path, segments, dscp))
