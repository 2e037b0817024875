"""Sending a flight again before OpenSSL's own timer would.

RFC 6347 section 4.2.4.1 starts the retransmission timer at 1 s, and OpenSSL's cannot
be set; a lost datagram then costs a second or more of black screen. Here the datagrams
of the last flight are sent again unchanged, at the pace of WebRTC's other
retransmissions. That is harmless: a record that did arrive is recognised by its
sequence number and dropped (RFC 6347 section 4.1.2.6), no record is encrypted twice,
and the count is bounded. OpenSSL's timer stays underneath.
"""

from __future__ import annotations

from collections.abc import Sequence

FIRST_INTERVAL = 0.1
INTERVAL = 0.2
"""Seconds; also the least time between two answers to a peer that repeats itself."""

MAX_REPEATS_OF_FLIGHT = 10
"""About 2 s: who has not answered by then is not there yet, or lost for longer."""

MAX_REPEATS = 40
"""Of one association, all flights together: about 30 kB sent to a peer that never answers."""


class FlightRepeater:
    """Keeps the last flight, and says when to send it again."""

    def __init__(self) -> None:
        self._datagrams: Sequence[bytes] = ()
        self._repeats_of_flight = 0
        self._repeats = 0
        self._not_before = 0.0

    def sent(self, datagrams: Sequence[bytes], now: float) -> float | None:
        """Keep a flight that has just been sent; when to repeat it, or None."""
        self._datagrams = datagrams
        self._repeats_of_flight = 0
        self._not_before = now + FIRST_INTERVAL
        return self._not_before if self._repeats < MAX_REPEATS else None

    def repeat(self, now: float) -> Sequence[bytes]:
        """The datagrams to send again: none when it is too early, or enough is enough."""
        is_spent = self._repeats >= MAX_REPEATS or self._repeats_of_flight >= MAX_REPEATS_OF_FLIGHT
        if is_spent or now < self._not_before:
            return ()
        self._repeats += 1
        self._repeats_of_flight += 1
        self._not_before = now + INTERVAL
        return self._datagrams

    @property
    def next_repeat(self) -> float | None:
        """When ``repeat`` has something to say again, or None."""
        if self._repeats >= MAX_REPEATS or self._repeats_of_flight >= MAX_REPEATS_OF_FLIGHT:
            return None
        return self._not_before
