"""Which pair is checked when Ta fires (RFC 8445 section 6.1.4.2)."""

from __future__ import annotations

from .checklist import Checklist, ChecklistState
from .checklist_set import ChecklistSet
from .pair import CandidatePair, PairState

_CHECKABLE = frozenset({PairState.WAITING, PairState.FROZEN})


class Scheduler:
    """Goes round the checklists; one without work costs no time."""

    def __init__(self, checklists: ChecklistSet) -> None:
        self._checklists = checklists
        self._turn = 0

    def has_work(self) -> bool:
        """Whether ``next_pair`` may have one."""
        return any(
            checklist.has_triggered()
            or (
                checklist.state is ChecklistState.RUNNING
                and any(pair.state in _CHECKABLE for pair in checklist.pairs)
            )
            for checklist in self._checklists
        )

    def next_pair(self) -> CandidatePair | None:
        """The pair to check now, or None if there is nothing to check anywhere."""
        count = len(self._checklists.lists)
        for step in range(count):
            position = (self._turn + step) % count
            pair = self._pick(self._checklists[position])
            if pair is not None:
                self._turn = position + 1
                return pair
        return None

    def _pick(self, checklist: Checklist) -> CandidatePair | None:
        # A Completed list has triggered checks only when a peer nominates a better pair.
        triggered = checklist.next_triggered()
        if triggered is not None or checklist.state is not ChecklistState.RUNNING:
            return triggered
        if checklist.waiting() is None:
            self._checklists.thaw_idle(checklist)
        return checklist.waiting()
