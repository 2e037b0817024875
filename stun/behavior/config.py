"""How patient the discovery of a NAT's behaviour is."""

from __future__ import annotations

import dataclasses

from stun.transaction import INITIAL_RTO


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BehaviorConfig:
    """Times are seconds.

    Silence is an answer here, and is waited for again and again: a request goes out ``rc``
    times, ``rto`` apart at first, and is given up ``rm`` times ``rto`` after the last, which
    makes 5.5 s; of paths that lose a tenth each way, 1 in 700 looks silent then.
    ``longest_lifetime`` is where the search for that of bindings ends, ``lifetime_step`` how
    closely it is told; the search takes a few times as long as the lifetime.

    Raises:
        ValueError: a number is not positive.
    """

    rto: float = INITIAL_RTO
    rc: int = 4
    rm: int = 4
    longest_lifetime: float = 300.0
    lifetime_step: float = 1.0

    def __post_init__(self) -> None:
        if min(self.rto, self.rc, self.rm, self.longest_lifetime, self.lifetime_step) <= 0:
            raise ValueError("times and counts are positive")
