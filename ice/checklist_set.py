"""All checklists of a session: what spans the data streams (RFC 8445 section 6.1.2).

Initial states (6.1.2.6), the limit on pairs (6.1.2.5), unfreezing (7.2.5.3.3), and the
insertion of pairs that come later (RFC 8838 section 12).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .checklist import Checklist
from .pair import CandidatePair, PairState, column_order

Foundation = tuple[str, str]

_REPLACEABLE = frozenset({PairState.WAITING, PairState.FROZEN})


class ChecklistSet:
    """The checklists of the data streams, in order."""

    def __init__(self, components: Sequence[int], *, max_pairs: int) -> None:
        self.lists = [Checklist(stream, count) for stream, count in enumerate(components)]
        self._max_pairs = max_pairs

    def __iter__(self) -> Iterator[Checklist]:
        return iter(self.lists)

    def __getitem__(self, stream: int) -> Checklist:
        return self.lists[stream]

    def pairs(self) -> Iterator[CandidatePair]:
        for checklist in self.lists:
            yield from checklist.pairs

    def of(self, pair: CandidatePair) -> Checklist:
        return self.lists[pair.stream]

    def form(self, pairs: Sequence[CandidatePair]) -> None:
        """Take all pairs known at the start: prune, limit, and set their first states."""
        for pair in sorted(pairs, key=lambda pair: -pair.priority):
            checklist = self.of(pair)
            if checklist.find(pair.path) is None:  # or else redundant, and of lower priority
                checklist.add(pair)
        while sum(len(checklist.pairs) for checklist in self.lists) > self._max_pairs:
            longest = max(self.lists, key=lambda checklist: len(checklist.pairs))
            longest.remove(longest.pairs[-1])
        self._thaw_topmost()

    def _thaw_topmost(self) -> None:
        """One pair per foundation may start, in the first checklist that has it (6.1.2.6)."""
        thawed: set[Foundation] = set()
        for checklist in self.lists:
            for pair in sorted(checklist.pairs, key=column_order):
                if pair.foundation not in thawed:
                    thawed.add(pair.foundation)
                    pair.move_to(PairState.WAITING)

    def insert(self, pair: CandidatePair) -> bool:
        """Add a pair that was formed later, in the state of RFC 8838 section 12.

        False if it is redundant, or no room can be made for it.
        """
        if not self._make_place(pair):
            return False
        same_foundation = [p for p in self.pairs() if p.foundation == pair.foundation]
        succeeded = any(p.state is PairState.SUCCEEDED for p in same_foundation)
        if succeeded or self._is_topmost(pair, same_foundation):
            pair.move_to(PairState.WAITING)
        self.of(pair).add(pair)
        return True

    @staticmethod
    def _is_topmost(pair: CandidatePair, others: Sequence[CandidatePair]) -> bool:
        rank = (pair.stream, *column_order(pair))
        return all(rank < (p.stream, *column_order(p)) for p in others)

    def insert_triggered(self, pair: CandidatePair) -> bool:
        """Add a pair that the peer's check told us of, Waiting (RFC 8445 section 7.3.1.4)."""
        if not self._make_place(pair):
            return False
        pair.move_to(PairState.WAITING)
        self.of(pair).add(pair)
        return True

    def _make_place(self, pair: CandidatePair) -> bool:
        existing = self.of(pair).find(pair.path)
        if existing is not None:
            # RFC 8838 section 10: a pair that was checked, or is being checked, stays.
            if existing.state not in _REPLACEABLE or existing.priority >= pair.priority:
                return False
            self.of(existing).remove(existing)
        return self._make_room(pair)

    def _make_room(self, pair: CandidatePair) -> bool:
        """Discard Failed pairs, then one of lower priority (RFC 8838 sections 10, 11)."""
        pairs = list(self.pairs())
        if len(pairs) < self._max_pairs:
            return True
        failed = [p for p in pairs if p.state is PairState.FAILED]
        for old in failed:
            self.of(old).remove(old)
        if failed:
            return True
        lower = [p for p in pairs if p.state in _REPLACEABLE and p.priority < pair.priority]
        if not lower:
            return False
        lowest = min(lower, key=lambda p: p.priority)
        self.of(lowest).remove(lowest)
        return True

    def unfreeze(self, foundation: Foundation) -> None:
        """A pair of this foundation succeeded: the others may follow (7.2.5.3.3)."""
        for pair in self.pairs():
            if pair.state is PairState.FROZEN and pair.foundation == foundation:
                pair.move_to(PairState.WAITING)

    def thaw_idle(self, checklist: Checklist) -> None:
        """Unfreeze what nothing under way would unfreeze (6.1.4.2 step 2)."""
        active = {
            pair.foundation
            for pair in self.pairs()
            if pair.state in (PairState.WAITING, PairState.IN_PROGRESS)
        }
        for pair in checklist.pairs:
            if pair.state is PairState.FROZEN and pair.foundation not in active:
                active.add(pair.foundation)
                pair.move_to(PairState.WAITING)

    def set_role(self, *, controlling: bool) -> None:
        """Recompute priorities after a role conflict (7.2.5.1)."""
        for checklist in self.lists:
            for pair in checklist.pairs:
                pair.set_role(controlling=controlling)
            checklist.sort()
