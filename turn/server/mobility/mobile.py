"""What the server keeps of a client that may change its address (RFC 8016)."""

from __future__ import annotations

import dataclasses
from typing import Final

from transport import Path, TokenBucket

OLD_TICKET_LIFETIME: Final = 30.0
"""Seconds that an old ticket is known, for retransmissions (section 3.2.2: at least 30)."""

RESUME_BURST: Final = 10.0
RESUME_RATE: Final = 1.0
"""Moves, and moves per second, of one allocation: each may cost new sockets in the data
plane. A client between two networks that both come and go stays below."""

DETACHED_LIFETIME: Final = 60.0
"""Seconds that an allocation outlives its stream: time to find another network. A phone
has one within a few; more would keep the allocations of clients that just left."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answered:
    """The Refresh request that was last answered with a new ticket."""

    path: Path
    transaction_id: bytes
    generation: int
    """That of the ticket in the request."""
    until: float


class Mobile:
    """Of one allocation: its newest ticket, and the 5-tuple that it moves to, if it does.

    ``is_detached`` says that the client's stream is gone, and no other 5-tuple is known.
    """

    __slots__ = (
        "_moves",
        "answered",
        "generation",
        "id",
        "is_detached",
        "moving_to",
        "ticket",
    )

    def __init__(self, id: bytes, ticket: bytes, now: float) -> None:
        self.id = id
        self.ticket = ticket
        self.generation = 0
        self.moving_to: Path | None = None
        self.is_detached = False
        self.answered: Answered | None = None
        self._moves = TokenBucket(RESUME_RATE, RESUME_BURST, now)

    def is_answered(self, path: Path, transaction_id: bytes, generation: int, now: float) -> bool:
        """Whether such a request is a retransmission of the one that was last answered."""
        return (
            self.answered is not None
            and now < self.answered.until
            and (path, transaction_id, generation)
            == (self.answered.path, self.answered.transaction_id, self.answered.generation)
        )

    def take_move(self, now: float) -> bool:
        """Whether it may move once more; counts it."""
        return self._moves.take(now)
