"""How many allocations there may be (RFC 8656 sections 5 and 7.2)."""

from __future__ import annotations

from stun import ErrorNumber


class Quotas:
    """Counts allocations, and Allocate requests that are being carried out.

    An <id> of time-limited credentials has a quota; static users have none.
    """

    __slots__ = ("_by_id", "_per_id", "_total", "_total_limit")

    def __init__(self, *, per_id: int, total: int) -> None:
        self._per_id = per_id
        self._total_limit = total
        self._total = 0
        self._by_id: dict[str, int] = {}

    def take(self, quota_id: str | None) -> ErrorNumber | None:
        """Count one more, or say with which error to refuse it."""
        count = 0 if quota_id is None else self._by_id.get(quota_id, 0)
        if count >= self._per_id:
            return ErrorNumber.ALLOCATION_QUOTA_REACHED
        if self._total >= self._total_limit:
            return ErrorNumber.INSUFFICIENT_CAPACITY
        self._total += 1
        if quota_id is not None:
            self._by_id[quota_id] = count + 1
        return None

    def give_back(self, quota_id: str | None) -> None:
        """Count one less."""
        self._total -= 1
        if quota_id is None:
            return
        count = self._by_id[quota_id] - 1
        if count:
            self._by_id[quota_id] = count
        else:
            del self._by_id[quota_id]
