"""What an agent tells about itself (the facts behind W3C's RTCIceCandidatePairStats)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from transport import Path

from .candidate import Candidate
from .drops import DropReason
from .pair import PairState
from .state import IceState


@dataclasses.dataclass(frozen=True, slots=True)
class PairStats:
    """One candidate pair; ``round_trip_time`` is in seconds, None until it was measured."""

    local: Candidate
    remote: Candidate
    path: Path
    stream: int
    component: int
    state: PairState
    priority: int
    nominated: bool
    round_trip_time: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class IceStats:
    """A snapshot; ``drops`` counts what was not acted upon, by reason."""

    state: IceState
    controlling: bool
    local_candidates: tuple[Candidate, ...]
    remote_candidates: tuple[Candidate, ...]
    pairs: tuple[PairStats, ...]
    valid_pairs: tuple[PairStats, ...]
    checks_sent: int
    consent_checks_sent: int
    requests_answered: int
    drops: Mapping[DropReason, int]
