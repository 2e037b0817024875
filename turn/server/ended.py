"""Allocate transactions whose allocation was deleted (RFC 8489 section 6.3.1)."""

from __future__ import annotations

import collections

from transport import Path

from .limits import ENDED_LIFETIME, MAX_ENDED


class EndedTransactions:
    """Knows a delayed duplicate of an Allocate request by its transaction id.

    While an allocation lives, its own transaction id tells a retransmission. Once it is
    deleted, a duplicate that the network has held back would make another, which nobody
    knows of.
    """

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until: collections.OrderedDict[tuple[Path, bytes], float] = collections.OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def remember(self, client: Path, transaction_id: bytes, now: float) -> None:
        """The allocation that this request has made is deleted."""
        if client.transport.is_reliable:
            return
        self._forget_until(now)
        if len(self._until) >= MAX_ENDED:
            self._until.popitem(last=False)
        self._until[client, transaction_id] = now + ENDED_LIFETIME

    def knows(self, client: Path, transaction_id: bytes, now: float) -> bool:
        """Whether this is such a duplicate."""
        self._forget_until(now)
        return (client, transaction_id) in self._until

    def _forget_until(self, now: float) -> None:
        while self._until and next(iter(self._until.values())) <= now:
            self._until.popitem(last=False)
