"""What an accepted check of the peer leads to (RFC 8445 sections 7.3.1.3 and 7.3.1.4)."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence

from transport import Path

from .checklist import Checklist
from .checklist_set import ChecklistSet
from .checks_client import ClientChecks
from .checks_server import AcceptedRequest
from .context import AgentContext, ComponentKey
from .drops import DropReason
from .pair import CandidatePair, PairState
from .remote_candidates import RemoteCandidates

IsSilent = Callable[[ComponentKey], bool]


class Unpaired(enum.Enum):
    """Why a request leads to no pair."""

    REFUSED = "refused"
    """There is no room for the pair, or consent was lost on it: it cannot be nominated."""
    NOT_WANTED = "not-wanted"
    """The component has a better pair, which goes on (section 8.1.1)."""


class TriggeredChecks:
    """Learns peer-reflexive candidates, and queues checks in the other direction."""

    def __init__(
        self,
        context: AgentContext,
        checklists: ChecklistSet,
        remotes: Sequence[RemoteCandidates],
        client: ClientChecks,
    ) -> None:
        self._context = context
        self._checklists = checklists
        self._remotes = remotes
        self._client = client
        self._revoked: set[Path] = set()

    def revoke(self, path: Path) -> None:
        """Consent was lost here: the same credentials serve no more (RFC 7675 section 5.1)."""
        self._revoked.add(path)  # one per 30 s at most

    def handle(self, request: AcceptedRequest, *, is_silent: IsSilent) -> CandidatePair | Unpaired:
        """The pair that the request is about, after what it triggers."""
        base = self._context.bases.get(request.path.local)
        if base is None or request.path in self._revoked:
            return Unpaired.REFUSED
        checklist = self._checklists[base.stream]
        pair = checklist.find(request.path)
        if pair is None:
            return self._new_pair(checklist, request, is_silent)
        if pair.state is PairState.SUCCEEDED:
            self._repeat_nomination(checklist, pair)
            return pair
        # In-Progress: a new check beats waiting for the old one to be retransmitted.
        self._client.cancel(pair)
        self._trigger(checklist, pair)
        return pair

    def _repeat_nomination(self, checklist: Checklist, pair: CandidatePair) -> None:
        """A check under way on a Succeeded pair nominates it, and is In-Progress too."""
        if self._client.is_under_way(pair):
            self._client.cancel(pair)
            checklist.trigger(pair)

    def _new_pair(
        self, checklist: Checklist, request: AcceptedRequest, is_silent: IsSilent
    ) -> CandidatePair | Unpaired:
        pair = self._build(checklist, request)
        if pair is None:
            return Unpaired.REFUSED
        if not self._is_wanted(checklist, pair, request, is_silent):
            return Unpaired.NOT_WANTED
        if not self._checklists.insert_triggered(pair):
            self._context.drop(DropReason.CHECKLIST_FULL)
            return Unpaired.REFUSED
        self._trigger(checklist, pair)
        return pair

    def _build(self, checklist: Checklist, request: AcceptedRequest) -> CandidatePair | None:
        local = self._context.bases[request.path.local].candidate
        remotes = self._remotes[checklist.stream]
        address = request.path.remote
        remote = remotes.find(local.component, address)
        if remote is None:
            remotes.forget_learned({pair.remote for pair in checklist.pairs})
            remote = remotes.learn(
                local.component, address, base=request.path.local, priority=request.priority
            )
        if remote is None:
            return None
        controlling = self._context.role.controlling
        return CandidatePair(
            local, remote, request.path, stream=checklist.stream, controlling=controlling
        )

    def _is_wanted(
        self,
        checklist: Checklist,
        pair: CandidatePair,
        request: AcceptedRequest,
        is_silent: IsSilent,
    ) -> bool:
        """A component that has its pair takes another only for two reasons.

        A peer of RFC 5245 may nominate a better one (section 8.1.1); and when the peer
        no longer answers on the pair but sends from a new address, its NAT was rebound.
        """
        selected = checklist.selected.get(pair.component)
        if selected is None:
            return True
        if is_silent((checklist.stream, pair.component)):
            return True
        return request.use_candidate and pair.priority > selected.priority

    def _trigger(self, checklist: Checklist, pair: CandidatePair) -> None:
        pair.move_to(PairState.WAITING)
        checklist.trigger(pair)
        checklist.revive()
