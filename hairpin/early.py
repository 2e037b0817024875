"""Candidates that came before the offer they belong to: KVS promises no order."""

from __future__ import annotations

from signaling import RemoteCandidate

MAX_SENDERS = 24
"""Viewers of whom candidates are kept: ten are connected at a time, the rest has just left.
Beyond that, whoever came first is forgotten."""

MAX_CANDIDATES = 32
"""Of one viewer; a browser on a machine with VPNs and both IP families has about twenty."""


class EarlyCandidates:
    """Candidates of viewers that have no connection yet, by client id."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[RemoteCandidate]] = {}

    def keep(self, client_id: str, candidate: RemoteCandidate) -> None:
        """Hold a candidate until ``take``; too many of one viewer are dropped."""
        waiting = self._waiting.setdefault(client_id, [])
        if len(waiting) < MAX_CANDIDATES:
            waiting.append(candidate)
        if len(self._waiting) > MAX_SENDERS:
            del self._waiting[next(iter(self._waiting))]

    def take(self, client_id: str) -> list[RemoteCandidate]:
        """What a viewer sent so far, in its order."""
        return self._waiting.pop(client_id, [])
