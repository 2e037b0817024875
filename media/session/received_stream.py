"""One received RTP stream: order, repair, access units (RFC 3550, RFC 4585)."""

from __future__ import annotations

import dataclasses
from collections import deque

from media.jitter import AUDIO_MAX_WAIT, JitterBuffer, PacketsSkipped
from media.loss import KeyframeRequested, LossRecovery, NackRequested
from media.payload import depacketizer_for
from media.rtcp import SenderReport, unix_from_ntp
from media.rtp import ReceiveStatistics, RtpPacket, TimestampUnwrapper
from media.units import AccessUnit, CodecName, MediaKind
from transport import Event

from .events import UnitReceived


@dataclasses.dataclass(frozen=True, slots=True)
class ReceivedFormat:
    """What a payload type of ours stands for."""

    codec: CodecName
    has_nack: bool
    has_pli: bool


Request = NackRequested | KeyframeRequested


@dataclasses.dataclass(slots=True)
class ReceiveCounters:
    """What came in, in the W3C's terms."""

    payload_bytes: int = 0
    frames: int = 0
    keyframes: int = 0
    frames_dropped: int = 0
    retransmitted: int = 0
    nacks: int = 0
    plis: int = 0


class ReceivedStream:
    """One SSRC: its packets in, its access units out in order, and what it asks for.

    Units go into ``events``, which all streams of a session share.
    """

    def __init__(
        self, ssrc: int, fmt: ReceivedFormat, events: deque[Event], *, mid: str, max_wait: float
    ) -> None:
        self.ssrc = ssrc
        self.mid = mid
        self.format = fmt
        self.payload_type: int | None = None
        """Of the packets that are known to be of this format."""
        self.counters = ReceiveCounters()
        self.statistics = ReceiveStatistics(ssrc, fmt.codec.clock_rate, probation=0)
        self.is_video = fmt.codec.kind is MediaKind.VIDEO
        self.loss = LossRecovery(max_wait=max_wait)
        self._jitter = JitterBuffer(
            depacketizer_for(fmt.codec), max_wait=max_wait if self.is_video else AUDIO_MAX_WAIT
        )
        self._timestamps = TimestampUnwrapper()
        self._first_timestamp: int | None = None
        self._needs_keyframe = self.is_video
        self._sender_report: SenderReport | None = None
        self._events = events
        self.requests: deque[Request] = deque()
        self.heard_at = 0.0

    @property
    def packets_discarded(self) -> int:
        """Received, but too late or twice."""
        return self._jitter.stats.late + self._jitter.stats.duplicates

    def receive(self, packet: RtpPacket, now: float) -> bool:
        """A packet of the stream itself; False when it changed no deadline and no request."""
        self.heard_at = now
        self.counters.payload_bytes += len(packet.payload)
        self.statistics.receive(packet.sequence_number, packet.timestamp, now)
        return self._push(packet, now)

    def receive_again(self, packet: RtpPacket, now: float) -> None:
        """A packet that came as a retransmission, restored."""
        self.counters.retransmitted += 1
        self._push(packet, now)

    def sender_report_received(self, report: SenderReport, now: float) -> None:
        self._sender_report = report
        self.statistics.sender_report_received(report.ntp_timestamp, now)

    def request_keyframe(self, now: float) -> None:
        """The application cannot decode."""
        if self.is_video:
            self.loss.keyframe_needed(now)
            self._take_requests()

    def handle_timeout(self, now: float) -> None:
        self.loss.handle_timeout(now)
        self._jitter.handle_timeout(now)
        self._collect(now)

    def next_timeout(self) -> float | None:
        jitter, loss = self._jitter.next_timeout(), self._loss_timeout()
        if jitter is None or loss is None:
            return loss if jitter is None else jitter
        return min(jitter, loss)

    def _loss_timeout(self) -> float | None:
        return self.loss.next_timeout() if self.is_video else None

    def _push(self, packet: RtpPacket, now: float) -> bool:
        out_of_order = self.is_video and self.loss.received(packet.sequence_number, now)
        if not self._jitter.push(packet, now) and not out_of_order:
            return False
        self._collect(now)
        return True

    def _collect(self, now: float) -> None:
        """Take what the jitter buffer has; a gap makes video wait for a keyframe."""
        while (event := self._jitter.poll_event()) is not None:
            if isinstance(event, PacketsSkipped):
                self._needs_keyframe = self.is_video
                if self.is_video:
                    self.loss.skipped(event.next_sequence_number, now)
        while (unit := self._jitter.pop()) is not None:
            self._deliver(unit, now)
        self._take_requests()

    def _take_requests(self) -> None:
        """What the peer is to be asked for, as far as it was negotiated."""
        while (event := self.loss.poll_event()) is not None:
            match event:
                case NackRequested() if self.format.has_nack:
                    self.counters.nacks += 1
                    self.requests.append(event)
                case KeyframeRequested() if self.format.has_pli:
                    self.counters.plis += 1
                    self.requests.append(event)

    def _deliver(self, unit: AccessUnit, now: float) -> None:
        if self._needs_keyframe and not unit.keyframe:
            self.counters.frames_dropped += 1
            self.loss.keyframe_needed(now)
            return
        if unit.keyframe:
            self._needs_keyframe = False
            self.loss.keyframe_received()
        self.counters.frames += 1
        self.counters.keyframes += unit.keyframe
        self._events.append(
            UnitReceived(self.mid, self._on_timeline(unit), self._captured_at(unit.timestamp))
        )

    def _on_timeline(self, unit: AccessUnit) -> AccessUnit:
        """The unit with a timestamp that counts from the first one and does not wrap."""
        timestamp = self._timestamps.unwrap(unit.timestamp)
        if self._first_timestamp is None:
            self._first_timestamp = timestamp
        return dataclasses.replace(unit, timestamp=timestamp - self._first_timestamp)

    def _captured_at(self, timestamp: int) -> float | None:
        report = self._sender_report
        if report is None:
            return None
        step = (timestamp - report.rtp_timestamp) & 0xFFFF_FFFF
        if step >= 1 << 31:
            step -= 1 << 32
        return unix_from_ntp(report.ntp_timestamp) + step / self.format.codec.clock_rate
