"""Asking for lost packets again, and for a keyframe when that is too late.

The receiver's side of RFC 4585: generic NACK (section 6.2.1) and picture loss
indication (section 6.3.1). The schedule is our own, as the RFC leaves it open.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import deque

from transport import Event, Timers

REORDER_TOLERANCE = 0.01
"""How long a gap may be mere reordering: most paths reorder by less than 10 ms."""

START_TOLERANCE = 0.01
"""How long a packet may come that was sent before the first one that arrived."""

MAX_NACKS = 10
"""For one packet; at a loss of 50 % the eleventh would be needed once in a thousand."""

MAX_WAIT = 0.5
"""After this the frame is past its deadline, whatever is still missing of it."""

MIN_RETRY = 0.02
"""A round trip shorter than this would only repeat what is on its way."""

INITIAL_RTT = 0.1
"""Until the first measurement."""

MAX_MISSING = 1000
"""Packets missing at one time; more is an outage that only a keyframe mends."""

MAX_JUMP = 3000
"""A gap of more is a source that began anew (MAX_DROPOUT of RFC 3550 appendix A.1)."""

KEYFRAME_RETRY = 0.5
"""Seconds after which a request for a keyframe that brought none is repeated."""


@dataclasses.dataclass(frozen=True, slots=True)
class NackRequested(Event):
    """These sequence numbers (16 bits) are to be asked for, in one generic NACK."""

    sequence_numbers: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class KeyframeRequested(Event):
    """Packets are lost for good: a picture loss indication is to be sent."""


class _Alarm(enum.Enum):
    KEYFRAME = "keyframe"


@dataclasses.dataclass(slots=True)
class _Missing:
    noticed_at: float
    nacks: int = 0


class LossRecovery:
    """Watches the sequence numbers of one received video stream.

    ``received`` for each packet as it arrives, retransmitted ones too, under the
    sequence number of the stream itself. A missing packet is asked for once the reorder
    tolerance is over, then once per round trip, at most ten times; when its deadline
    passes it is given up, and a keyframe is wanted until ``keyframe_received``.
    """

    def __init__(
        self,
        *,
        rtt: float = INITIAL_RTT,
        max_wait: float = MAX_WAIT,
        reorder_tolerance: float = REORDER_TOLERANCE,
    ) -> None:
        self.rtt = rtt
        self.nacks_sent = 0
        self.packets_nacked = 0
        self.packets_recovered = 0
        self.packets_given_up = 0
        self.keyframes_requested = 0
        self._max_wait = max_wait
        self._reorder_tolerance = reorder_tolerance
        self._highest: int | None = None
        self._lowest = 0
        self._started_at = 0.0
        self._missing: dict[int, _Missing] = {}
        self._timers: Timers[int | _Alarm] = Timers()
        self._events: deque[Event] = deque()

    def received(self, sequence_number: int, now: float) -> bool:
        """A packet arrived. False when it was the next in order, and nothing came of it."""
        if self._highest is None:
            self._highest = self._lowest = sequence_number
            self._started_at = now
            return False
        if sequence_number == (self._highest + 1) & 0xFFFF:
            self._highest += 1
            return False
        self._received_out_of_order(self._highest, sequence_number, now)
        return True

    def _received_out_of_order(self, highest: int, sequence_number: int, now: float) -> None:
        distance = (sequence_number - highest + 0x8000 & 0xFFFF) - 0x8000
        extended = highest + distance
        if extended < self._lowest and now <= self._started_at + START_TOLERANCE:
            self._miss(range(extended + 1, self._lowest), now)
            self._lowest = extended
            return
        if distance <= 0:
            self._recover(extended)
            return
        first_missing = highest + 1
        self._highest = extended
        if distance > MAX_JUMP:
            self._give_up_all(now)
        else:
            self._miss(range(first_missing, extended), now)

    def skipped(self, before: int, now: float) -> None:
        """The jitter buffer waits no longer for what is before this sequence number."""
        if self._highest is None:
            return
        limit = self._highest + ((before - self._highest + 0x8000 & 0xFFFF) - 0x8000)
        late = [number for number in self._missing if number < limit]
        for number in late:
            self._forget(number)
        if late:
            self.packets_given_up += len(late)
            self.keyframe_needed(now)

    def keyframe_needed(self, now: float) -> None:
        """Decoding cannot go on: ask for a keyframe, unless one is under way."""
        if _Alarm.KEYFRAME not in self._timers:
            self._request_keyframe(now)

    def keyframe_received(self) -> None:
        """Decoding goes on."""
        self._timers.cancel(_Alarm.KEYFRAME)

    def handle_timeout(self, now: float) -> None:
        due: list[int] = []
        gave_up = False
        for key in self._timers.expired(now):
            if key is _Alarm.KEYFRAME:
                self._request_keyframe(now)
            elif isinstance(key, int) and self._is_past(self._missing[key], now):
                self._forget(key)
                self.packets_given_up += 1
                gave_up = True
            elif isinstance(key, int):
                due.append(key)
        if gave_up:
            self.keyframe_needed(now)
        if due:
            self._ask(sorted(due), now)

    def next_timeout(self) -> float | None:
        return self._timers.next_timeout()

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def _miss(self, numbers: range, now: float) -> None:
        if len(self._missing) + len(numbers) > MAX_MISSING:
            self._give_up_all(now)
            return
        for number in numbers:
            self._missing[number] = _Missing(now)
            self._timers.set(number, now + self._reorder_tolerance)

    def _recover(self, number: int) -> None:
        missing = self._missing.get(number)
        if missing is not None:
            self._forget(number)
            self.packets_recovered += missing.nacks > 0

    def _ask(self, numbers: list[int], now: float) -> None:
        self._events.append(NackRequested(tuple(number & 0xFFFF for number in numbers)))
        self.nacks_sent += 1
        self.packets_nacked += len(numbers)
        retry = max(self.rtt, MIN_RETRY)
        for number in numbers:
            missing = self._missing[number]
            missing.nacks += 1
            deadline = missing.noticed_at + self._max_wait
            self._timers.set(number, max(min(now + retry, deadline), now + MIN_RETRY))

    def _is_past(self, missing: _Missing, now: float) -> bool:
        return missing.nacks == MAX_NACKS or now >= missing.noticed_at + self._max_wait

    def _forget(self, number: int) -> None:
        del self._missing[number]
        self._timers.cancel(number)

    def _give_up_all(self, now: float) -> None:
        self.packets_given_up += len(self._missing)
        for number in list(self._missing):
            self._forget(number)
        self.keyframe_needed(now)

    def _request_keyframe(self, now: float) -> None:
        self._events.append(KeyframeRequested())
        self.keyframes_requested += 1
        self._timers.set(_Alarm.KEYFRAME, now + max(KEYFRAME_RETRY, self.rtt))
