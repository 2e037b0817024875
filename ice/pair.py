"""Candidate pairs and their states (RFC 8445 sections 6.1.2.3 and 6.1.2.6)."""

from __future__ import annotations

import enum

from transport import Path, TransportAddress, TransportProtocol

from .candidate import Candidate
from .priority import pair_priority


class PairState(enum.Enum):
    FROZEN = "frozen"
    WAITING = "waiting"
    IN_PROGRESS = "in-progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


UNFINISHED = frozenset({PairState.FROZEN, PairState.WAITING, PairState.IN_PROGRESS})

_ARCS: dict[PairState, frozenset[PairState]] = {
    # The valid pair that a check of another pair proves succeeds in any state (7.2.5.3.3).
    PairState.FROZEN: frozenset({PairState.WAITING, PairState.SUCCEEDED}),
    # A late answer to a cancelled check finds the pair waiting for its triggered one (7.3.1.4).
    PairState.WAITING: frozenset({PairState.IN_PROGRESS, PairState.SUCCEEDED, PairState.FAILED}),
    # Back to Waiting: re-checked when the peer's check arrives (7.3.1.4), or after 487 (7.2.5.1).
    PairState.IN_PROGRESS: frozenset({PairState.WAITING, PairState.SUCCEEDED, PairState.FAILED}),
    # A nomination that fails (7.2.5.3.4), or consent that is gone (RFC 7675).
    PairState.SUCCEEDED: frozenset({PairState.FAILED}),
    PairState.FAILED: frozenset({PairState.WAITING, PairState.SUCCEEDED}),
}


class CandidatePair:
    """A local and a remote candidate of one component, and what is known of the path.

    ``base`` is the address that checks leave from, ``path`` the same with its
    destination. ``state`` changes through ``move_to`` alone, which knows the arcs.
    """

    __slots__ = (
        "base",
        "component",
        "foundation",
        "local",
        "local_priority",
        "nominate_on_success",
        "path",
        "priority",
        "remote",
        "remote_priority",
        "state",
        "stream",
    )

    def __init__(
        self, local: Candidate, remote: Candidate, path: Path, *, stream: int, controlling: bool
    ) -> None:
        self.local = local
        self.remote = remote
        self.path = path
        self.base: TransportAddress = path.local
        self.stream = stream
        self.component = local.component
        self.local_priority = local.priority
        self.remote_priority = remote.priority
        self.foundation = (local.foundation, remote.foundation)
        self.state = PairState.FROZEN
        self.nominate_on_success = False
        """The peer nominated the pair before our check of it succeeded (section 7.3.1.5)."""
        self.priority = 0
        self.set_role(controlling=controlling)

    def set_role(self, *, controlling: bool) -> None:
        """Compute the priority, which depends on who controls."""
        if controlling:
            self.priority = pair_priority(self.local_priority, self.remote_priority)
        else:
            self.priority = pair_priority(self.remote_priority, self.local_priority)

    def adopt_remote(self, remote: Candidate) -> None:
        """The peer signalled what was a peer-reflexive candidate (RFC 8838 section 11).

        State and priority stay: both sides have been ordering the pair by them.
        """
        self.remote = remote
        self.foundation = (self.local.foundation, remote.foundation)

    def move_to(self, state: PairState) -> None:
        """Change state along an arc of Figure 6; to the same state is no change.

        Raises:
            AssertionError: there is no such arc, a defect of this package.
        """
        if state is self.state:
            return
        if state not in _ARCS[self.state]:
            raise AssertionError(f"a pair cannot go from {self.state.value} to {state.value}")
        self.state = state

    @property
    def is_unfinished(self) -> bool:
        return self.state in UNFINISHED

    def __repr__(self) -> str:
        return f"<pair {self.local.address} -> {self.remote.address} {self.state.value}>"


def udp_path(base: TransportAddress, remote: TransportAddress) -> Path:
    return Path(TransportProtocol.UDP, base, remote)


def check_order(pair: CandidatePair) -> tuple[int, int]:
    """Sorts pairs as they are checked: highest priority, then lowest component."""
    return (-pair.priority, pair.component)


def column_order(pair: CandidatePair) -> tuple[int, int]:
    """Sorts the pairs of one foundation: lowest component, then highest priority."""
    return (pair.component, -pair.priority)
