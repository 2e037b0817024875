"""Pairing candidates as they come, and which generation they belong to (RFC 8838)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from .bases import Base
from .candidate import Candidate
from .checklist_set import ChecklistSet
from .context import AgentContext
from .drops import DropReason
from .limits import MAX_HELD_CANDIDATES, MAX_PAST_UFRAGS
from .local_candidates import LocalCandidates
from .pair import CandidatePair, udp_path
from .remote_candidates import Added, RemoteCandidates
from .scope import can_pair, in_zone_of


class Trickle:
    """Forms pairs of local and remote candidates (sections 10 and 11).

    Until ``start`` candidates are only kept; then all pairs are formed at once, as
    without trickle, and later ones are inserted by the rules of section 12.
    """

    def __init__(
        self,
        context: AgentContext,
        checklists: ChecklistSet,
        local: LocalCandidates,
        remotes: Sequence[RemoteCandidates],
    ) -> None:
        self._context = context
        self._checklists = checklists
        self._local = local
        self._remotes = remotes
        self._has_started = False

    def start(self) -> None:
        self._has_started = True
        pairs = [
            pair
            for base in self._local
            for remote in self._remotes[base.stream].signalled()
            if (pair := self._pair(base, remote)) is not None
        ]
        self._checklists.form(pairs)

    def add_local(self, base: Base) -> None:
        """Pair a local candidate, which was conveyed just before (section 10)."""
        for remote in self._remotes[base.stream].signalled():
            self._insert(base, remote)

    def add_remote(self, stream: int, candidate: Candidate) -> None:
        """Pair a candidate that the peer signalled (section 11)."""
        added = self._remotes[stream].add(candidate)
        if added is None:
            return
        self._identify(stream, added)
        for base in self._local.of_component(stream, candidate.component):
            self._insert(base, candidate)

    def _identify(self, stream: int, added: Added) -> None:
        """A learned candidate was signalled: its pairs go on under the signalled one."""
        if added.replaces is None:
            return
        checklist = self._checklists[stream]
        for pair in checklist.pairs:
            if pair.remote is added.replaces:
                pair.adopt_remote(added.candidate)
        for valid in checklist.valid:
            if valid.remote is added.replaces:
                valid.remote = added.candidate

    def _insert(self, base: Base, remote: Candidate) -> None:
        checklist = self._checklists[base.stream]
        if not self._has_started or base.candidate.component in checklist.selected:
            return
        pair = self._pair(base, remote)
        if pair is None or checklist.find(pair.path) is not None:
            return
        if not self._checklists.insert(pair):
            self._context.drop(DropReason.CHECKLIST_FULL)
        else:
            checklist.revive()

    def _pair(self, base: Base, remote: Candidate) -> CandidatePair | None:
        address = remote.transport_address
        if address is None or not can_pair(base.candidate, remote):
            return None
        if not base.prepare(address.ip):
            self._context.drop(DropReason.PEER_REFUSED)
            return None
        path = udp_path(base.address, in_zone_of(address, base.address))
        controlling = self._context.role.controlling
        return CandidatePair(
            base.candidate, remote, path, stream=base.stream, controlling=controlling
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """What came too early: a candidate, or the end of candidates when that is None."""

    ufrag: str | None
    stream: int
    candidate: Candidate | None


class HeldCandidates:
    """Tells candidates of this generation from former and coming ones (section 9).

    Signalling may deliver candidates before the description they belong to, and after
    the one that replaces it.
    """

    def __init__(self, context: AgentContext) -> None:
        self._context = context
        self._current: str | None = None
        self._past: dict[str, None] = {}
        self._held: list[Held] = []

    def admit(self, item: Held) -> bool:
        """Whether the item counts now; if it may count later, it is kept."""
        if self._current is not None and item.ufrag in (None, self._current):
            return True
        if item.ufrag is not None and item.ufrag in self._past:
            self._context.drop(DropReason.STALE_GENERATION)
        elif len(self._held) >= MAX_HELD_CANDIDATES:
            self._context.drop(DropReason.CANDIDATES_FULL)
        else:
            self._held.append(item)
        return False

    def begin(self, ufrag: str) -> list[Held]:
        """The remote credentials are there: what was held for them, in order."""
        self._current = ufrag
        ready = [item for item in self._held if item.ufrag in (None, ufrag)]
        self._held = [item for item in self._held if item.ufrag not in (None, ufrag)]
        return ready

    def end(self) -> None:
        """A restart: what comes for the generation so far is stale."""
        if self._current is not None:
            self._past[self._current] = None
            if len(self._past) > MAX_PAST_UFRAGS:
                del self._past[next(iter(self._past))]
        self._current = None
