"""What a receiver counts of a source (RFC 3550 appendices A.1, A.3 and A.8)."""

from __future__ import annotations

from media.rtcp.ntp import ntp_short
from media.rtcp.reports import MAX_CUMULATIVE_LOST, MIN_CUMULATIVE_LOST, ReportBlock

MAX_DROPOUT = 3000
MAX_MISORDER = 100
MIN_SEQUENTIAL = 2

_SEQUENCE_CYCLE = 1 << 16
_NONE_BAD = _SEQUENCE_CYCLE + 1
_MAX_JITTER = 0xFFFF_FFFF


class ReceiveStatistics:
    """Follows the sequence numbers and the timing of one SSRC.

    ``probation`` is how many packets in sequence make the source valid. SRTP has
    authenticated what it lets through, so with it 0 is right: the first counts.
    """

    __slots__ = (
        "_bad_sequence_number",
        "_base",
        "_clock_rate",
        "_cycles",
        "_expected_prior",
        "_highest",
        "_is_started",
        "_jitter",
        "_last_arrival",
        "_last_timestamp",
        "_probation",
        "_received",
        "_received_prior",
        "_sr_arrival",
        "_sr_ntp",
        "ssrc",
    )

    def __init__(self, ssrc: int, clock_rate: int, *, probation: int = MIN_SEQUENTIAL) -> None:
        self._highest = 0
        self.ssrc = ssrc
        self._clock_rate = clock_rate
        self._probation = probation
        self._is_started = False
        self._last_arrival: float | None = None
        self._last_timestamp = 0
        self._jitter = 0.0
        self._sr_arrival = 0.0
        self._sr_ntp: int | None = None
        self._received = self._received_prior = self._expected_prior = 0
        self._restart(0)

    @property
    def packets_received(self) -> int:
        """Valid packets, late ones and duplicates among them."""
        return self._received

    @property
    def packets_expected(self) -> int:
        """By the range of the sequence numbers."""
        return self.highest_sequence_number - self._base + 1 if self._is_valid else 0

    @property
    def packets_lost(self) -> int:
        """Expected less received: below zero when duplicates outnumber losses."""
        return self.packets_expected - self._received

    @property
    def highest_sequence_number(self) -> int:
        """The extended one: the count of cycles stands above its low 16 bits."""
        return self._cycles + self._highest

    @property
    def jitter(self) -> float:
        """The smoothed interarrival jitter in seconds."""
        return self._jitter / self._clock_rate

    def receive(self, sequence_number: int, timestamp: int, now: float) -> bool:
        """Count a packet; False if its sequence number is not (yet) valid."""
        # The next in order, as nearly always, without the cases of appendix A.1.
        if sequence_number == self._highest + 1 and self._is_started and not self._probation:
            self._highest = sequence_number
            self._received += 1
        elif not self._update(sequence_number):
            return False
        self._update_jitter(timestamp, now)
        return True

    def sender_report_received(self, ntp_timestamp: int, now: float) -> None:
        """Note a sender report of the source, for the report blocks to refer to."""
        self._sr_ntp = ntp_timestamp
        self._sr_arrival = now

    def report_block(self, now: float) -> ReportBlock:
        """The block for the next report; the fraction lost is since the block before."""
        expected, received = self.packets_expected, self._received
        fraction = _fraction_lost(expected - self._expected_prior, received - self._received_prior)
        self._expected_prior, self._received_prior = expected, received
        last_sr = delay = 0
        if self._sr_ntp is not None:
            last_sr = ntp_short(self._sr_ntp)
            delay = min(round((now - self._sr_arrival) * 65536), 0xFFFF_FFFF)
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=fraction,
            cumulative_lost=min(max(expected - received, MIN_CUMULATIVE_LOST), MAX_CUMULATIVE_LOST),
            highest_sequence_number=self.highest_sequence_number & 0xFFFF_FFFF,
            jitter=min(int(self._jitter), _MAX_JITTER),
            last_sr=last_sr,
            delay_since_last_sr=delay,
        )

    @property
    def _is_valid(self) -> bool:
        return self._is_started and self._probation == 0

    def _restart(self, sequence_number: int) -> None:
        self._base = self._highest = sequence_number
        self._bad_sequence_number = _NONE_BAD
        self._cycles = 0
        self._received = self._received_prior = self._expected_prior = 0
        self._last_arrival = None  # what came before says nothing about the new run

    def _update(self, sequence_number: int) -> bool:
        if not self._is_started:
            self._start(sequence_number)
        if self._probation:
            return self._update_on_probation(sequence_number)
        step = (sequence_number - self._highest) & 0xFFFF
        if step < MAX_DROPOUT:
            if sequence_number < self._highest:
                self._cycles += _SEQUENCE_CYCLE
            self._highest = sequence_number
        elif step <= _SEQUENCE_CYCLE - MAX_MISORDER:
            if sequence_number != self._bad_sequence_number:
                self._bad_sequence_number = (sequence_number + 1) & 0xFFFF
                return False
            self._restart(sequence_number)  # two in a row: the source started anew
        self._received += 1
        return True

    def _start(self, sequence_number: int) -> None:
        self._is_started = True
        self._restart(sequence_number)
        if self._probation:
            self._highest = (sequence_number - 1) & 0xFFFF

    def _update_on_probation(self, sequence_number: int) -> bool:
        if sequence_number != (self._highest + 1) & 0xFFFF:
            self._probation = MIN_SEQUENTIAL - 1
            self._highest = sequence_number
            return False
        self._probation -= 1
        self._highest = sequence_number
        if self._probation:
            return False
        self._restart(sequence_number)
        self._received = 1
        return True

    def _update_jitter(self, timestamp: int, now: float) -> None:
        if self._last_arrival is not None:
            step = (timestamp - self._last_timestamp) & 0xFFFF_FFFF
            if step >= 1 << 31:
                step -= 1 << 32
            difference = abs((now - self._last_arrival) * self._clock_rate - step)
            self._jitter += (difference - self._jitter) / 16
        self._last_arrival = now
        self._last_timestamp = timestamp


def _fraction_lost(expected: int, received: int) -> int:
    """In 1/256 of those expected; more lost than all cannot be (8 bits)."""
    lost = expected - received
    if expected <= 0 or lost <= 0:
        return 0
    return min((lost << 8) // expected, 0xFF)
