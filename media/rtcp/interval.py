"""When RTCP may be sent (RFC 3550 sections 6.2 and 6.3, RFC 4585 section 3.5)."""

from __future__ import annotations

import enum
import math

from transport import RandomBytes

from .members import RtcpMembers

SENDER_BANDWIDTH_FRACTION = 0.25
COMPENSATION = math.e - 1.5
"""Timer reconsideration ends up below the interval aimed at by this factor (6.3.1)."""

DEFAULT_REPORT_INTERVAL = 1.0
"""T_rr_interval of RFC 4585 section 3.4, in seconds: reports more often than this tell a
congestion controller nothing that feedback does not tell sooner."""

PROBABLE_SIZE = 128
"""Bytes of the first packets, before there is an average (RFC 3550 section 6.3.2)."""

LOWER_LAYERS_SIZE = 28
"""IPv4 and UDP headers, which count towards the bandwidth (RFC 3550 section 6.2)."""


class FeedbackTiming(enum.Enum):
    """What becomes of a feedback message that is ready now (RFC 4585 section 3.5.2)."""

    NOW = "now"
    WITH_NEXT_REPORT = "with-next-report"
    TOO_LATE = "too-late"


def deterministic_interval(
    members: int, senders: int, *, bandwidth: float, we_sent: bool, average_size: float
) -> float:
    """The interval before minimum and randomisation (RFC 3550 section 6.3.1).

    ``bandwidth`` is the share of RTCP in bytes per second, ``average_size`` in bytes.
    """
    sharers = members
    if senders <= members * SENDER_BANDWIDTH_FRACTION:
        if we_sent:
            bandwidth *= SENDER_BANDWIDTH_FRACTION
            sharers = senders
        else:
            bandwidth *= 1 - SENDER_BANDWIDTH_FRACTION
            sharers -= senders
    return average_size * sharers / bandwidth


class RtcpScheduler:
    """Says when the next report is due, and whether feedback may go before it.

    For a session of two endpoints, so that feedback is not dithered and there is no
    minimum interval but ``report_interval`` (RFC 4585 section 3.5.1); a datagram of
    feedback moves the next report so that the bandwidth holds.

    Call ``start``, tell it what was received and sent, and at ``next_timeout`` ask
    ``is_report_due``; when it is, send a report (with all feedback that waits) and
    call ``report_sent``.
    """

    def __init__(
        self,
        random_bytes: RandomBytes,
        *,
        bandwidth: float,
        report_interval: float = DEFAULT_REPORT_INTERVAL,
    ) -> None:
        """``bandwidth`` is what RTCP may use, in bytes per second: 5 % of the session's."""
        if bandwidth <= 0 or report_interval < 0:
            raise ValueError(f"{bandwidth} bytes per second, {report_interval} seconds")
        self.bandwidth = bandwidth
        self.members = RtcpMembers()
        self._random_bytes = random_bytes
        self._report_interval = report_interval
        self._average_size = float(PROBABLE_SIZE + LOWER_LAYERS_SIZE)
        self._previous = 0.0  # tp
        self._interval = 0.0  # T_rr
        self._next: float | None = None  # tn
        self._suppressed_until = -math.inf  # t_rr_last + T_rr_current_interval
        self._allow_early = True
        self._is_feedback_waiting = False

    def start(self, now: float) -> None:
        """Begin; the first report comes at once but for randomness."""
        self._previous = now
        self._draw(now)

    def stop(self) -> None:
        """Send nothing more; a BYE of so small a session needs no back-off (6.3.7)."""
        self._next = None

    def next_timeout(self) -> float | None:
        """When a report may be due; intervals whose report would be suppressed are slept over."""
        if self._next is None:
            return None
        if self._is_feedback_waiting:
            return self._next
        return max(self._next, self._suppressed_until)

    def packet_received(self, size: int) -> None:
        """Note the size of a datagram of RTCP."""
        self._average_size += (size + LOWER_LAYERS_SIZE - self._average_size) / 16

    def goodbye_received(self, ssrc: int, now: float) -> None:
        """Take a source off, and come sooner for it (reverse reconsideration, 6.3.4)."""
        before = len(self.members)
        self.members.remove(ssrc)
        if self._next is not None and len(self.members) < before:
            share = len(self.members) / before
            self._next = now + share * (self._next - now)
            self._previous = now - share * (now - self._previous)

    def is_report_due(self, now: float) -> bool:
        """Whether to send a report now; if not, ``next_timeout`` has moved."""
        if self._next is None or now < self._next:
            return False
        self.members.expire(now, self._timeout_interval())
        # Timer reconsideration (6.3.6): with what is known now, is it still time?
        self._interval = self._random_interval()
        if self._previous + self._interval > now:
            self._next = self._previous + self._interval
            return False
        if now < self._suppressed_until and not self._is_feedback_waiting:
            self._pass_over(now)
            return False
        return True

    def report_sent(self, size: int, now: float) -> None:
        """A full report went out; the next interval begins."""
        self.packet_received(size)
        if now >= self._suppressed_until:
            self._suppressed_until = now + self._random_factor() * self._report_interval
        self._is_feedback_waiting = False
        self._pass_over(now)

    def request_feedback(self, now: float, *, max_delay: float) -> FeedbackTiming:
        """Whether a message may go out now; after sending it call ``feedback_sent``.

        ``max_delay`` is how late it may come and still be of use, in seconds. What is to
        wait for the next report makes that report due even if it would be suppressed.
        """
        if self._next is None:
            return FeedbackTiming.TOO_LATE
        if now >= self._next and now < self._suppressed_until and not self._is_feedback_waiting:
            self._pass_over(now)  # a report that was slept over
        if self._allow_early and not self._is_feedback_waiting and now <= self._next:
            return FeedbackTiming.NOW
        if now <= self._next and self._next - now >= max_delay:
            return FeedbackTiming.TOO_LATE
        self._is_feedback_waiting = True
        return FeedbackTiming.WITH_NEXT_REPORT

    def feedback_sent(self, size: int) -> None:
        """Feedback went out early: the next report comes one interval later (3.5.2 step 6)."""
        self.packet_received(size)
        self._allow_early = False
        if self._next is not None:
            previous = self._next
            self._next = self._previous + 2 * self._interval
            self._previous = previous

    def _pass_over(self, now: float) -> None:
        """A regular transmission time was reached, with or without a report sent."""
        self._allow_early = True
        self._previous = now
        self._draw(now)

    def _draw(self, now: float) -> None:
        self._interval = self._random_interval()
        self._next = now + self._interval

    def _random_interval(self) -> float:
        return self._calculated_interval() * self._random_factor() / COMPENSATION

    def _calculated_interval(self) -> float:
        return deterministic_interval(
            max(len(self.members), 1),
            self.members.senders,
            bandwidth=self.bandwidth,
            we_sent=self.members.we_sent,
            average_size=self._average_size,
        )

    def _timeout_interval(self) -> float:
        """Td of 6.3.5; RFC 4585 section 3.5.4 puts T_rr_interval in place of the minimum."""
        return max(self._calculated_interval(), self._report_interval)

    def _random_factor(self) -> float:
        """From 0.5 to 1.5."""
        return 0.5 + int.from_bytes(self._random_bytes(4), "big") / (1 << 32)
