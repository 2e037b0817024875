"""Which pair is nominated, and when (RFC 8445 section 8.1.1)."""

from __future__ import annotations

from .candidate import Candidate, CandidateType
from .checklist import Checklist, ChecklistState, ValidPair
from .checklist_set import ChecklistSet
from .context import ComponentKey, SessionTimers, TimerKind
from .pair import CandidatePair

WAIT_IN_RTTS = 2
"""How long better pairs may still be awaited, in round-trip times of the valid ones: a
check, and the triggered check that opens a NAT for it."""

LONGEST_WAIT = 0.5
"""Seconds; beyond one RTO a lost check is being repeated, and data flows anyway."""

RELAY_WAIT = 1.0
"""Seconds that a pair with a relayed candidate gives trickled candidates to come, unless
both sides have said that none do."""


class Nomination:
    """The controlling agent's choice.

    A valid pair is nominated as soon as no unfinished pair has a higher priority, or
    when the wait since the first valid pair of its component is over. There is one
    nomination per component and session.
    """

    def __init__(self, checklists: ChecklistSet, timers: SessionTimers) -> None:
        self._checklists = checklists
        self._timers = timers
        self._pending: dict[ComponentKey, ValidPair] = {}
        self._first_valid_at: dict[ComponentKey, float] = {}

    def consider(self, now: float, *, candidates_ended: bool) -> None:
        """Nominate what can be nominated now; set timers for the rest."""
        for checklist in self._checklists:
            if checklist.state is ChecklistState.RUNNING:
                for component in range(1, checklist.components + 1):
                    self._consider(checklist, component, now, candidates_ended=candidates_ended)

    def _consider(
        self, checklist: Checklist, component: int, now: float, *, candidates_ended: bool
    ) -> None:
        key = (checklist.stream, component)
        best = checklist.best_valid(component)
        if best is None or best.nominated or key in self._pending:
            return
        first = self._first_valid_at.setdefault(key, now)
        until = self._wait_until(checklist, best, first, candidates_ended=candidates_ended)
        if now >= until:
            self._timers.cancel((TimerKind.NOMINATION, key))
            self._pending[key] = best
            checklist.trigger(best.generator)
        else:
            self._timers.set((TimerKind.NOMINATION, key), until)

    @staticmethod
    def _wait_until(
        checklist: Checklist, best: ValidPair, first: float, *, candidates_ended: bool
    ) -> float:
        until = first
        if any(
            pair.is_unfinished and pair.priority > best.priority
            for pair in checklist.of_component(best.component)
        ):
            rtt = max(v.round_trip_time for v in checklist.valid if v.component == best.component)
            until = first + min(WAIT_IN_RTTS * rtt, LONGEST_WAIT)
        if not candidates_ended and (_is_relayed(best.local) or _is_relayed(best.remote)):
            until = max(until, first + RELAY_WAIT)
        return until

    def is_pending(self, pair: CandidatePair) -> bool:
        """Whether the next check of this pair is to carry USE-CANDIDATE."""
        return any(valid.generator is pair for valid in self._pending.values())

    def finished(self, pair: CandidatePair) -> None:
        """The nominating check is over, one way or the other."""
        self._pending.pop((pair.stream, pair.component), None)

    def abandon(self) -> None:
        """We control no longer: what was not yet accepted is not nominated."""
        for checklist in self._checklists:
            for component in range(1, checklist.components + 1):
                self._timers.cancel((TimerKind.NOMINATION, (checklist.stream, component)))
        self._pending.clear()


def _is_relayed(candidate: Candidate) -> bool:
    return candidate.type is CandidateType.RELAYED
