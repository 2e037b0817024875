"""Collects times of arrival, and makes transport-wide feedback of them."""

from __future__ import annotations

from .transport_feedback import (
    DELTA_UNIT,
    MAX_DELTA,
    MIN_DELTA,
    TICKS_PER_REFERENCE,
    TransportFeedback,
)

MAX_PACKETS = 512
"""Packets that one feedback message is on. With a two-byte delta each they make 1200
bytes, and at 50 ms between messages they are 100 Mbit/s of video."""

MAX_GAP = 0x4000
"""A number further off than this from what waits begins afresh, as two halves of the
number space cannot be told apart in one message."""


class ArrivalRecorder:
    """Notes when packets of a transport came, until they are reported."""

    __slots__ = ("_arrivals", "_feedback_count", "_next")

    def __init__(self) -> None:
        self._arrivals: dict[int, int] = {}  # by unwrapped number, in ticks of DELTA_UNIT
        self._next: int | None = None  # the unwrapped number behind the last one reported
        self._feedback_count = 0

    def received(self, number: int, now: float) -> None:
        """A packet came with that transport-wide number (unwrapped).

        A duplicate, and one that came after its number was reported lost, change nothing.
        """
        if self._next is not None and abs(number - self._next) > MAX_GAP:
            self._arrivals.clear()
            self._next = None
        if self._next is None:
            self._next = number
        if self._next <= number and len(self._arrivals) < MAX_GAP:
            self._arrivals.setdefault(number, round(now / DELTA_UNIT))

    def take(self, *, sender_ssrc: int, media_ssrc: int) -> list[TransportFeedback]:
        """Messages on all packets since the last call, and forget them."""
        messages = []
        while self._arrivals:
            messages.append(self._take_one(sender_ssrc, media_ssrc))
        return messages

    def _take_one(self, sender_ssrc: int, media_ssrc: int) -> TransportFeedback:
        first = min(self._arrivals)
        base = first if self._next is None or first - self._next >= MAX_PACKETS else self._next
        reference, last_tick = 0, None
        deltas: list[int | None] = []
        number, end = base, min(max(self._arrivals) + 1, base + MAX_PACKETS)
        while number < end:
            tick = self._arrivals.get(number)
            if tick is not None:
                if last_tick is None:
                    reference = tick // TICKS_PER_REFERENCE
                    last_tick = reference * TICKS_PER_REFERENCE
                if not MIN_DELTA <= tick - last_tick <= MAX_DELTA:
                    break  # 8 seconds apart: the next message has a reference of its own
                deltas.append(tick - last_tick)
                last_tick = tick
                del self._arrivals[number]
            else:
                deltas.append(None)
            number += 1
        self._next = number
        return self._message(sender_ssrc, media_ssrc, base, reference, deltas)

    def _message(
        self, sender_ssrc: int, media_ssrc: int, base: int, reference: int, deltas: list[int | None]
    ) -> TransportFeedback:
        message = TransportFeedback(
            sender_ssrc=sender_ssrc,
            media_ssrc=media_ssrc,
            base_sequence_number=base & 0xFFFF,
            # 24 bits with a sign: it wraps after 12 days.
            reference_time=((reference + (1 << 23)) & 0xFF_FFFF) - (1 << 23),
            feedback_count=self._feedback_count,
            deltas=tuple(deltas),
        )
        self._feedback_count = (self._feedback_count + 1) & 0xFF
        return message
