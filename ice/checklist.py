"""The checklist of one data stream (RFC 8445 section 6.1.2)."""

from __future__ import annotations

import collections
import dataclasses
import enum
from collections.abc import Iterable, Iterator

from transport import Path

from .candidate import Candidate
from .pair import CandidatePair, PairState, check_order

CONSENT_LIFETIME = 30.0
"""Seconds that an answer of the peer lets us send to it (RFC 7675 section 5.1)."""


class ChecklistState(enum.Enum):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclasses.dataclass(slots=True, eq=False)
class ValidPair:
    """A pair that a check has proven (section 7.2.5.3.2).

    ``local`` may be a reflexive candidate that is on no checklist; ``generator`` is the
    pair whose check proved it, and which is checked again to nominate it. ``proven_at``
    is when the peer last answered, ``round_trip_time`` how long it took, in seconds.
    """

    local: Candidate
    remote: Candidate
    path: Path
    priority: int
    generator: CandidatePair
    proven_at: float
    round_trip_time: float
    nominated: bool = False

    @property
    def consent_ends_at(self) -> float:
        """Until when data may be sent (RFC 7675 section 5.1)."""
        return self.proven_at + CONSENT_LIFETIME

    def answered(self, now: float, round_trip_time: float) -> None:
        """The peer has answered a request on this pair."""
        self.proven_at = now
        self.round_trip_time = round_trip_time

    @property
    def component(self) -> int:
        return self.generator.component


class Checklist:
    """Pairs in the order of their checks, the triggered-check queue, and the valid list."""

    def __init__(self, stream: int, components: int) -> None:
        self.stream = stream
        self.components = components
        self.state = ChecklistState.RUNNING
        self.pairs: list[CandidatePair] = []
        self.valid: list[ValidPair] = []
        self.selected: dict[int, ValidPair] = {}
        """The selected pair of each component that has one."""
        self._by_path: dict[Path, CandidatePair] = {}
        self._triggered: collections.deque[CandidatePair] = collections.deque()

    def find(self, path: Path) -> CandidatePair | None:
        """The pair with this base and remote address: pruning leaves one at most."""
        return self._by_path.get(path)

    def holds(self, pair: CandidatePair) -> bool:
        return self._by_path.get(pair.path) is pair

    def add(self, pair: CandidatePair) -> None:
        """Put a pair in, by priority; it must not be redundant (section 6.1.2.4)."""
        if pair.path in self._by_path:
            raise AssertionError(f"redundant: {pair!r}")
        self._by_path[pair.path] = pair
        self.pairs.append(pair)
        self.sort()

    def remove(self, pair: CandidatePair) -> None:
        del self._by_path[pair.path]
        self.pairs.remove(pair)
        self.forget_trigger(pair)

    def sort(self) -> None:
        self.pairs.sort(key=check_order)

    def trigger(self, pair: CandidatePair) -> None:
        """Queue a pair for a check ahead of the ordinary ones, once (section 6.1.4.1)."""
        if pair not in self._triggered:
            self._triggered.append(pair)

    def forget_trigger(self, pair: CandidatePair) -> None:
        if pair in self._triggered:
            self._triggered.remove(pair)

    def next_triggered(self) -> CandidatePair | None:
        return self._triggered.popleft() if self._triggered else None

    def has_triggered(self) -> bool:
        return bool(self._triggered)

    def revive(self) -> None:
        """There is something to check again in a list that had failed."""
        if self.state is ChecklistState.FAILED:
            self.state = ChecklistState.RUNNING

    def waiting(self) -> CandidatePair | None:
        """The Waiting pair to be checked next."""
        return next((p for p in self.pairs if p.state is PairState.WAITING), None)

    def of_component(self, component: int) -> Iterator[CandidatePair]:
        return (pair for pair in self.pairs if pair.component == component)

    def best_valid(self, component: int) -> ValidPair | None:
        """The selected pair, or else the valid pair of highest priority."""
        chosen = self.selected.get(component)
        if chosen is not None:
            return chosen
        candidates = [valid for valid in self.valid if valid.component == component]
        return max(candidates, key=lambda valid: valid.priority, default=None)

    def valid_of(self, pair: CandidatePair) -> ValidPair | None:
        """The valid pair that checks of this pair have proven, or that is this very pair."""
        for valid in self.valid:
            if valid.generator is pair or valid.path == pair.path:
                return valid
        return None

    def has_valid_pairs(self, components: Iterable[int]) -> bool:
        found = {valid.component for valid in self.valid}
        return found.issuperset(components)
