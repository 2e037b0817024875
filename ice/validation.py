"""What follows from a check that succeeded (RFC 8445 section 7.2.5.3)."""

from __future__ import annotations

from transport import Path, TransportAddress

from .candidate import Candidate, CandidateType
from .checklist import Checklist, ValidPair
from .checklist_set import ChecklistSet
from .checks_client import CheckSucceeded
from .context import AgentContext
from .drops import DropReason
from .events import PairValidated
from .limits import MAX_LOCAL_PEER_REFLEXIVE
from .local_candidates import LocalCandidates
from .pair import CandidatePair, PairState, udp_path
from .priority import pair_priority
from .scope import in_zone_of, without_zone


class Validation:
    """Builds valid pairs, finding local peer-reflexive candidates on the way."""

    def __init__(
        self, context: AgentContext, checklists: ChecklistSet, local: LocalCandidates
    ) -> None:
        self._context = context
        self._checklists = checklists
        self._local = local
        self._reflexive: dict[tuple[int, int, TransportAddress], Candidate] = {}

    def succeed(self, outcome: CheckSucceeded, now: float) -> ValidPair | None:
        """Record a success; None if the pair was removed while its check was under way."""
        pair = outcome.check.pair
        checklist = self._checklists.of(pair)
        if not checklist.holds(pair):
            return None
        local = self._local_candidate(outcome)
        path = self._path_of(pair, local)
        pair.move_to(PairState.SUCCEEDED)
        other = checklist.find(path)
        if other is not None:
            other.move_to(PairState.SUCCEEDED)
        valid = self._record(checklist, outcome, local, path, now)
        self._checklists.unfreeze(pair.foundation)
        self._context.prove(pair.path)
        return valid

    def _local_candidate(self, outcome: CheckSucceeded) -> Candidate:
        """The candidate with the mapped address, new if need be (7.2.5.3.1)."""
        pair = outcome.check.pair
        mapped = without_zone(outcome.mapped)
        if mapped == pair.local.address:
            return pair.local
        known = self._local.find(pair.stream, pair.component, mapped, base=pair.base)
        key = (pair.stream, pair.component, mapped)
        known = known or self._reflexive.get(key)
        if known is not None:
            return known
        if len(self._reflexive) >= MAX_LOCAL_PEER_REFLEXIVE:
            self._context.drop(DropReason.PEER_REFLEXIVE_FULL)
            return pair.local
        candidate = Candidate(
            self._local.foundations.of(CandidateType.PEER_REFLEXIVE, pair.base.ip),
            pair.component,
            "udp",
            outcome.check.priority,
            mapped,
            CandidateType.PEER_REFLEXIVE,
            without_zone(pair.base),
        )
        self._reflexive[key] = candidate
        return candidate

    def _path_of(self, pair: CandidatePair, local: Candidate) -> Path:
        """Data leaves from the local candidate's base: its own address, or the pair's base."""
        address = local.transport_address
        if local is pair.local or address is None:
            return pair.path
        base = self._local.base_at(in_zone_of(address, pair.base))
        return pair.path if base is None else udp_path(base, pair.path.remote)

    def _record(
        self,
        checklist: Checklist,
        outcome: CheckSucceeded,
        local: Candidate,
        path: Path,
        now: float,
    ) -> ValidPair:
        pair = outcome.check.pair
        valid = checklist.valid_of(pair)
        if valid is not None:
            valid.local, valid.path = local, path
            valid.answered(now, outcome.round_trip_time)
            return valid
        valid = ValidPair(
            local,
            pair.remote,
            path,
            self._priority(pair, local),
            pair,
            now,
            outcome.round_trip_time,
        )
        checklist.valid.append(valid)
        self._context.report(
            PairValidated(local, pair.remote, path, checklist.stream, pair.component)
        )
        return valid

    def _priority(self, pair: CandidatePair, local: Candidate) -> int:
        if self._context.role.controlling:
            return pair_priority(local.priority, pair.remote_priority)
        return pair_priority(pair.remote_priority, local.priority)

    def set_role(self) -> None:
        """Recompute the priorities of the valid pairs after a role conflict."""
        for checklist in self._checklists:
            for valid in checklist.valid:
                valid.priority = self._priority(valid.generator, valid.local)
