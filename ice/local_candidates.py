"""Our own candidates and the bases they stand on; they outlive a restart."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from transport import TransportAddress

from .bases import Base
from .candidate import Candidate, CandidateType
from .context import AgentContext
from .foundation import Foundations
from .limits import MAX_REFLEXIVE


@dataclasses.dataclass(frozen=True, slots=True)
class Gathered:
    """A candidate of ours; a server-reflexive one has another's address as its base."""

    stream: int
    candidate: Candidate
    base: TransportAddress


class LocalCandidates:
    """What was gathered so far, in order.

    Iterating gives the bases: a server-reflexive candidate is replaced by its base
    where pairs are formed (section 6.1.2.4).
    """

    def __init__(self, context: AgentContext) -> None:
        self._bases = context.bases
        self._gathered: list[Gathered] = []
        self.foundations = Foundations()

    def __iter__(self) -> Iterator[Base]:
        return iter(self._bases.values())

    def gathered(self) -> tuple[Gathered, ...]:
        """Every candidate, to be conveyed."""
        return tuple(self._gathered)

    def has_any(self) -> bool:
        return bool(self._gathered)

    def add(self, base: Base) -> None:
        self._bases[base.address] = base
        self._gathered.append(Gathered(base.stream, base.candidate, base.address))

    def remove(self, address: TransportAddress) -> Base | None:
        """Forget a base, and what stands on it."""
        base = self._bases.pop(address, None)
        if base is not None:
            self._gathered = [item for item in self._gathered if item.base != address]
        return base

    def add_reflexive(self, stream: int, candidate: Candidate, base: TransportAddress) -> None:
        self._gathered.append(Gathered(stream, candidate, base))

    def has_room_for_reflexive(self, base: TransportAddress) -> bool:
        """Whether a base may have one more."""
        count = sum(
            item.base == base and item.candidate.type is CandidateType.SERVER_REFLEXIVE
            for item in self._gathered
        )
        return count < MAX_REFLEXIVE

    def has_reflexive(self, address: TransportAddress, base: TransportAddress) -> bool:
        """Whether the candidate would be redundant (section 5.1.3)."""
        return any(
            item.candidate.address == address and item.base == base for item in self._gathered
        )

    def forget_reflexive(self, is_stale: Callable[[TransportAddress], bool]) -> None:
        """The NATs keep no mapping any more for bases that are ``is_stale``."""
        self._gathered = [
            item
            for item in self._gathered
            if item.candidate.type is not CandidateType.SERVER_REFLEXIVE or not is_stale(item.base)
        ]

    def base_at(self, address: TransportAddress) -> TransportAddress | None:
        """The address itself if it is one of our bases."""
        return address if address in self._bases else None

    def of_component(self, stream: int, component: int) -> Iterator[Base]:
        for base in self._bases.values():
            if base.stream == stream and base.candidate.component == component:
                yield base

    def find(
        self, stream: int, component: int, address: TransportAddress, *, base: TransportAddress
    ) -> Candidate | None:
        """The candidate with this address (no zone), that of ``base`` before others."""
        found = [
            item
            for item in self._gathered
            if item.candidate.address == address
            and (item.stream, item.candidate.component) == (stream, component)
        ]
        found.sort(key=lambda item: item.base != base)
        return found[0].candidate if found else None
