"""Bases: the local transport addresses that an agent sends from (RFC 8445 section 4)."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Sequence
from typing import Protocol

from transport import IPAddress, Path, Transmit, TransportAddress

from .candidate import Candidate


class Base(Protocol):
    """Sends from one local transport address, which belongs to one component.

    A host base hands datagrams to its socket, a relayed one wraps them for its TURN
    server; for everything else in the agent it is an address like any other.
    """

    @property
    def stream(self) -> int: ...

    @property
    def candidate(self) -> Candidate:
        """The host or relayed candidate whose address this is."""
        ...

    @property
    def address(self) -> TransportAddress: ...

    def prepare(self, remote: IPAddress) -> bool:
        """A pair with this IP address is formed; False if nothing can be sent there."""
        ...

    def use(self, remote: TransportAddress) -> None:
        """The pair with this remote address was selected."""
        ...

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

    def prepare(self, remote: IPAddress) -> bool:
        return True

    def use(self, remote: TransportAddress) -> None:
        """There is nothing to prepare for a socket."""

    def send(
        self,
        path: Path,
        segments: Sequence[bytes],
        *,
        dscp: int | None,
        transmits: collections.deque[Transmit],
    ) -> None:
        transmits.append(Transmit(path, segments, dscp))
