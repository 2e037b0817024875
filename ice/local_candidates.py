"""Our own candidates and the bases they stand on; they outlive a restart."""

from __future__ import annotations

from collections.abc import Iterator

from transport import TransportAddress

from .bases import Base
from .candidate import Candidate
from .context import AgentContext
from .foundation import Foundations


class LocalCandidates:
    """What was gathered so far, in order."""

    def __init__(self, context: AgentContext) -> None:
        self._bases = context.bases
        self.foundations = Foundations()

    def __iter__(self) -> Iterator[Base]:
        return iter(self._bases.values())

    def add(self, base: Base) -> None:
        self._bases[base.address] = base

    def remove(self, address: TransportAddress) -> Base | None:
        return self._bases.pop(address, None)

    def base_at(self, address: TransportAddress) -> TransportAddress | None:
        """The address itself if it is one of our bases."""
        return address if address in self._bases else None

    def of_component(self, stream: int, component: int) -> Iterator[Base]:
        for base in self._bases.values():
            if base.stream == stream and base.candidate.component == component:
                yield base

    def find(self, stream: int, component: int, address: TransportAddress) -> Candidate | None:
        """The candidate with this address (no zone), if there is one."""
        for base in self.of_component(stream, component):
            if base.candidate.address == address:
                return base.candidate
        return None
