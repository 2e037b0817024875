"""Bringing received packets back into order, and frames out of them.

RFC 3550 leaves playout to the receiver. This buffer waits for what is missing, up to a
deadline, and gives complete access units on at once: who displays or records them keeps
time by their timestamps.
"""

from __future__ import annotations

import dataclasses
from collections import deque

from media.payload import Depacketizer
from media.rtp import RtpPacket
from media.units import AccessUnit
from transport import Event

VIDEO_MAX_WAIT = 0.5
"""Seconds: time for a few retransmissions, before waiting is worse than a gap."""

AUDIO_MAX_WAIT = 0.06
"""Seconds: three packets of 20 ms; audio is reordered, but hardly ever sent again."""

START_TOLERANCE = 0.01
"""Seconds for which the first packet may turn out not to be the first one sent: without
its beginning, a key frame is lost to mere reordering."""

MAX_HELD_PACKETS = 2048
"""Packets behind a gap, about 2.5 MB: a second of 20 Mbit/s."""

MAX_JUMP = 3000
MAX_MISORDER = 100
"""MAX_DROPOUT and MAX_MISORDER of RFC 3550 appendix A.1: beyond, the source began anew."""


@dataclasses.dataclass(frozen=True, slots=True)
class PacketsSkipped(Event):
    """The buffer waits no longer for ``count`` packets, or the source began anew (0).

    ``next_sequence_number`` is where it goes on.
    """

    count: int
    next_sequence_number: int


@dataclasses.dataclass(slots=True)
class JitterStats:
    """What happened to the packets of one stream."""

    received: int = 0
    reordered: int = 0
    duplicates: int = 0
    late: int = 0
    skipped: int = 0
    restarts: int = 0


class JitterBuffer:
    """The packets of one received stream, in; its access units in order, out.

    ``push`` each packet, then ``pop`` to None. While something is missing,
    ``next_timeout`` says when it will be skipped; call ``handle_timeout`` then, and
    ``pop`` again.
    """

    def __init__(
        self,
        depacketizer: Depacketizer,
        *,
        max_wait: float = VIDEO_MAX_WAIT,
        start_tolerance: float = START_TOLERANCE,
    ) -> None:
        self.stats = JitterStats()
        self._depacketizer = depacketizer
        self._max_wait = max_wait
        self._start_tolerance = start_tolerance
        self._starting_until: float | None = None
        self._next: int | None = None
        self._highest = 0
        self._held: dict[int, tuple[RtpPacket, float]] = {}
        self._deadline: float | None = None
        self._restart_at: int | None = None
        self._units: deque[AccessUnit] = deque()
        self._events: deque[Event] = deque()

    def push(self, packet: RtpPacket, now: float) -> bool:
        """Take a packet as it arrived; duplicates and late ones are counted, not used.

        False when nothing came of it: no unit, no event, and no change of what is missing
        or of ``next_timeout``.
        """
        self.stats.received += 1
        if (
            self._held
            or self._next is None
            or self._starting_until is not None
            or packet.sequence_number != self._next & 0xFFFF
        ):
            self._push_out_of_order(packet, now)
            return True
        self._restart_at = None
        self._highest = self._next
        self._next += 1
        unit = self._depacketizer.push(packet)
        if unit is None:
            return False
        self._units.append(unit)
        return True

    def _push_out_of_order(self, packet: RtpPacket, now: float) -> None:
        if self._next is None:
            self._next = self._highest = packet.sequence_number
            self._starting_until = now + self._start_tolerance
        distance = (packet.sequence_number - self._next + 0x8000 & 0xFFFF) - 0x8000
        if self._began_anew(packet.sequence_number, distance):
            self._restart(packet.sequence_number)
            distance = 0
        elif distance < 0 and self._starting_until is not None:
            self._next += distance
            distance = 0
        elif distance < 0:
            self.stats.late += 1
            return
        elif distance > MAX_JUMP:
            return  # one stray packet; the next in a row shows a source that began anew
        self._hold(self._next + distance, packet, now)
        if self._starting_until is not None:
            self.handle_timeout(now)
            return
        self._release()
        if len(self._held) > MAX_HELD_PACKETS:
            self._skip()

    def pop(self) -> AccessUnit | None:
        """The next complete access unit, or None."""
        return self._units.popleft() if self._units else None

    def handle_timeout(self, now: float) -> None:
        """Skip what is past its deadline."""
        if self._starting_until is not None and now >= self._starting_until:
            self._starting_until = None
            self._release()
        while self._deadline is not None and now >= self._deadline:
            self._skip()

    def next_timeout(self) -> float | None:
        return self._deadline if self._starting_until is None else self._starting_until

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def missing(self) -> tuple[int, ...]:
        """The sequence numbers (16 bits) that later packets wait for."""
        if self._next is None or not self._held:
            return ()
        numbers = range(self._next, max(self._held))
        return tuple(number & 0xFFFF for number in numbers if number not in self._held)

    def _began_anew(self, sequence_number: int, distance: int) -> bool:
        """Two packets in a row, far from what is expected (RFC 3550 appendix A.1)."""
        if -MAX_MISORDER <= distance <= MAX_JUMP:
            self._restart_at = None
            return False
        if sequence_number == self._restart_at:
            self._restart_at = None
            return True
        self._restart_at = (sequence_number + 1) & 0xFFFF
        return False

    def _restart(self, sequence_number: int) -> None:
        self._held.clear()
        self._deadline = self._starting_until = None
        self._next = self._highest = sequence_number
        self.stats.restarts += 1
        self._events.append(PacketsSkipped(0, sequence_number))

    def _hold(self, number: int, packet: RtpPacket, now: float) -> None:
        if number in self._held:
            self.stats.duplicates += 1
            return
        self.stats.reordered += number < self._highest
        self._highest = max(self._highest, number)
        self._held[number] = (packet, now)

    def _release(self) -> None:
        """Hand on what is in order, then wait for the gap behind it."""
        assert self._next is not None
        start = self._next
        while (held := self._held.pop(self._next, None)) is not None:
            self._next += 1
            unit = self._depacketizer.push(held[0])
            if unit is not None:
                self._units.append(unit)
        if not self._held:
            self._deadline = None
        elif self._deadline is None or self._next != start:
            self._deadline = self._oldest_arrival() + self._max_wait

    def _oldest_arrival(self) -> float:
        return min(arrival for _, arrival in self._held.values())

    def _skip(self) -> None:
        """Go on behind the gap."""
        assert self._next is not None
        following = min(self._held)
        count = following - self._next
        self._next = following
        self.stats.skipped += count
        self._events.append(PacketsSkipped(count, following & 0xFFFF))
        self._deadline = None
        self._release()
