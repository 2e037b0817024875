"""Trickled candidates as messages (RFC 8829 section 3.5.2)."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class CandidateMessage:
    """A candidate and the m= section it is for: {candidate, sdpMid, sdpMLineIndex,
    usernameFragment}. An empty ``candidate`` ends the candidates of that generation.
    """

    candidate: str
    mid: str | None = None
    index: int | None = None
    ufrag: str | None = None
