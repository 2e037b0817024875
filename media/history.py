"""What was sent, for as long as a receiver may ask for it again (RFC 4585, RFC 4588).

The history keeps whatever the sender hands it for each packet - a reference to the
shared payload and the header fields, say - and decides whether a NACK is answered.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

DEFAULT_CAPACITY = 2048
"""Packets kept; a power of two of at least 1024. At 10 Mbit/s about two seconds."""

MAX_CAPACITY = 32_768
"""Half the sequence numbers: beyond, a number would be ambiguous."""

MAX_AGE = 2.0
"""Older packets are past every deadline of a receiver: a keyframe is what helps then."""

INITIAL_RTT = 0.1
"""Until the first measurement."""

RESEND_SHARE = 0.2
"""Of the target bitrate, for retransmissions: repairing must not be what congests."""

RESEND_SPACING = 0.75
"""Of a round trip, between two retransmissions of a packet. Receivers ask again after a
round trip, or after 0.1 s where they cannot measure it: who counts a whole one refuses a
request that was a millisecond faster, and the next comes too late to be played.
"""

BUDGET_SECONDS = 0.5
"""The budget saved up at most, so that the loss of one burst can be repaired at once."""


class ResendRefusal(enum.Enum):
    """Why a packet is not sent again."""

    UNKNOWN = "unknown"
    """Never sent, or no longer kept."""
    TOO_OLD = "too-old"
    """Past its deadline; the receiver needs a keyframe instead."""
    TOO_SOON = "too-soon"
    """Sent again hardly a round trip ago: the receiver cannot have missed that yet."""
    OVER_BUDGET = "over-budget"


class SendHistory(Generic[T]):
    """A bounded ring of the packets last sent in one stream.

    Times are seconds that never run backwards, sizes are bytes on the wire.
    """

    __slots__ = (
        "_budget",
        "_budget_at",
        "_items",
        "_mask",
        "_max_age",
        "_resent_at",
        "_sent_at",
        "_sequence_numbers",
        "_sizes",
        "_target_bps",
        "refused",
        "resent_bytes",
        "resent_packets",
        "rtt",
    )

    def __init__(
        self,
        *,
        target_bps: float,
        capacity: int = DEFAULT_CAPACITY,
        max_age: float = MAX_AGE,
        rtt: float = INITIAL_RTT,
    ) -> None:
        if capacity & (capacity - 1) or not 1024 <= capacity <= MAX_CAPACITY:
            raise ValueError(f"a capacity is a power of two from 1024 to 32768, not {capacity}")
        if max_age < 1.0:
            raise ValueError(f"packets are kept for at least a second, not {max_age}")
        self._mask = capacity - 1
        self._max_age = max_age
        self._items: list[T | None] = [None] * capacity
        self._sequence_numbers = [-1] * capacity
        self._sizes = [0] * capacity
        self._sent_at = [0.0] * capacity
        self._resent_at: dict[int, float] = {}
        self.rtt = rtt
        self.refused: Counter[ResendRefusal] = Counter()
        self.resent_packets = 0
        self.resent_bytes = 0
        self._target_bps = target_bps
        self._budget = self._max_budget
        self._budget_at: float | None = None

    def store(self, sequence_number: int, item: T, size_bytes: int, now: float) -> None:
        """Keep what was sent under this sequence number (16 bits), in place of the oldest."""
        self.store_run(sequence_number, (item,), (size_bytes,), now)

    def store_run(
        self, sequence_number: int, items: Sequence[T], sizes: Sequence[int], now: float
    ) -> None:
        """``store`` for consecutive packets, of which ``sequence_number`` is the first's."""
        slot = sequence_number & self._mask
        count = len(items)
        # The numbers wrap only where the slots do, as the capacity is a power of two.
        split = min(count, self._mask + 1 - slot)
        if split < count:
            self.store_run(sequence_number, items[:split], sizes[:split], now)
            rest = (sequence_number + split) & 0xFFFF
            self.store_run(rest, items[split:], sizes[split:], now)
            return
        end = slot + count
        if self._resent_at:
            for resent in range(slot, end):
                self._resent_at.pop(resent, None)
        self._items[slot:end] = items
        self._sequence_numbers[slot:end] = range(sequence_number, sequence_number + count)
        self._sizes[slot:end] = sizes
        self._sent_at[slot:end] = [now] * count

    def take_for_resend(self, sequence_number: int, now: float) -> T | ResendRefusal:
        """What to send again for a NACK, charged to the budget; or why not."""
        slot = sequence_number & self._mask
        item = self._items[slot]
        if item is None or self._sequence_numbers[slot] != sequence_number:
            return self._refuse(ResendRefusal.UNKNOWN)
        if now - self._sent_at[slot] > self._max_age:
            return self._refuse(ResendRefusal.TOO_OLD)
        resent_at = self._resent_at.get(slot)
        if resent_at is not None and now - resent_at < RESEND_SPACING * self.rtt:
            return self._refuse(ResendRefusal.TOO_SOON)
        size = self._sizes[slot]
        if not self._spend(size, now):
            return self._refuse(ResendRefusal.OVER_BUDGET)
        self._resent_at[slot] = now
        self.resent_packets += 1
        self.resent_bytes += size
        return item

    def set_target(self, target_bps: float, now: float) -> None:
        """Follow the bitrate that the stream is sent at."""
        self._refill(now)
        self._target_bps = target_bps
        self._budget = min(self._budget, self._max_budget)

    def clear(self) -> None:
        """Drop all references, such as when a stream stops for good."""
        self._items = [None] * len(self._items)
        self._resent_at.clear()

    @property
    def _max_budget(self) -> float:
        return RESEND_SHARE * self._target_bps / 8 * BUDGET_SECONDS

    def _refill(self, now: float) -> None:
        if self._budget_at is not None:
            earned = RESEND_SHARE * self._target_bps / 8 * (now - self._budget_at)
            self._budget = min(self._max_budget, self._budget + earned)
        self._budget_at = now

    def _spend(self, size_bytes: int, now: float) -> bool:
        self._refill(now)
        if self._budget < size_bytes:
            return False
        self._budget -= size_bytes
        return True

    def _refuse(self, reason: ResendRefusal) -> ResendRefusal:
        self.refused[reason] += 1
        return reason
