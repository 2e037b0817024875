"""Taking a snapshot of an agent."""

from __future__ import annotations

from types import MappingProxyType

from .checklist import ValidPair
from .context import AgentContext
from .local_candidates import LocalCandidates
from .pair import CandidatePair, PairState
from .session import IceSession
from .state import IceState
from .stats import IceStats, PairStats


def snapshot(
    context: AgentContext, local: LocalCandidates, session: IceSession, state: IceState
) -> IceStats:
    return IceStats(
        state=state,
        controlling=context.role.controlling,
        local_candidates=tuple(item.candidate for item in local.gathered()),
        remote_candidates=tuple(c for remotes in session.remotes for c in remotes.all()),
        pairs=tuple(_pair(pair) for pair in session.checklists.pairs()),
        valid_pairs=tuple(_valid(v) for checklist in session.checklists for v in checklist.valid),
        checks_sent=context.checks_sent,
        consent_checks_sent=context.consent_checks_sent,
        requests_answered=context.requests_answered,
        drops=MappingProxyType(dict(context.drops.counts)),
    )


def _pair(pair: CandidatePair) -> PairStats:
    return PairStats(
        local=pair.local,
        remote=pair.remote,
        path=pair.path,
        stream=pair.stream,
        component=pair.component,
        state=pair.state,
        priority=pair.priority,
        nominated=False,
        round_trip_time=None,
    )


def _valid(valid: ValidPair) -> PairStats:
    return PairStats(
        local=valid.local,
        remote=valid.remote,
        path=valid.path,
        stream=valid.generator.stream,
        component=valid.component,
        state=PairState.SUCCEEDED,
        priority=valid.priority,
        nominated=valid.nominated,
        round_trip_time=valid.round_trip_time,
    )
