"""Receiving one media description's streams: order, repair, access units.

RFC 3550 for what is counted, RFC 4585 for what is asked for, RFC 4588 for what comes
again under another SSRC.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator

from media.jitter import AUDIO_MAX_WAIT, JitterBuffer, PacketsSkipped
from media.loss import KeyframeRequested, LossRecovery, NackRequested
from media.payload import depacketizer_for
from media.rtcp import (
    GenericNack,
    PictureLossIndication,
    ReportBlock,
    SenderReport,
    unix_from_ntp,
)
from media.rtp import ReceiveStatistics, RtpPacket, TimestampUnwrapper
from media.units import AccessUnit, CodecName, MediaKind
from sdp import NegotiatedMedia
from transport import Event

from .events import UnitReceived

MAX_STREAMS = 8
"""RTP streams of one media description: a track and its repair, and what replaces them."""

_OSN_LENGTH = 2
"""RFC 4588 section 4: the original sequence number in front of an RTX payload."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Format:
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
        self, ssrc: int, fmt: _Format, events: deque[Event], *, mid: str, max_wait: float
    ) -> None:
        self.ssrc = ssrc
        self.mid = mid
        self.format = fmt
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

    def receive(self, packet: RtpPacket, now: float) -> None:
        """A packet of the stream itself."""
        self.heard_at = now
        self.counters.payload_bytes += len(packet.payload)
        self.statistics.receive(packet.sequence_number, packet.timestamp, now)
        self._push(packet, now)

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

    def _push(self, packet: RtpPacket, now: float) -> None:
        if self.is_video:
            self.loss.received(packet.sequence_number, now)
        self._jitter.push(packet, now)
        self._collect(now)

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


class RtpReceiver:
    """All streams that the peer sends for one media description.

    ``deadline`` is when to call ``handle_timeout``, or earlier: it is put off only there.
    """

    def __init__(
        self, mid: str, kind: MediaKind, events: deque[Event], *, playout_delay: float
    ) -> None:
        self.mid = mid
        self.kind = kind
        self.deadline: float | None = None
        self.has_requests = False
        self._playout_delay = playout_delay
        self._formats: dict[int, _Format] = {}
        self._repairs: dict[int, int] = {}
        self._repaired: dict[int, int] = {}
        self._streams: dict[int, ReceivedStream] = {}
        self._repair_statistics: dict[int, ReceiveStatistics] = {}
        self._events = events

    @property
    def payload_types(self) -> frozenset[int]:
        """What may arrive, retransmissions too."""
        return frozenset((*self._formats, *self._repairs))

    @property
    def streams(self) -> tuple[ReceivedStream, ...]:
        return tuple(self._streams.values())

    def configure(self, media: NegotiatedMedia) -> None:
        """Take what offer and answer agreed on; streams that go on keep their state."""
        self._formats, self._repairs = {}, {}
        for codec in media.codecs:
            number = codec.receive.payload_type
            name = _codec_name(codec.receive.name)
            if number is None or name is None:
                continue
            feedback = codec.receive.feedback
            self._formats[number] = _Format(name, "nack" in feedback, "nack pli" in feedback)
            if codec.receive.rtx_payload_type is not None:
                self._repairs[codec.receive.rtx_payload_type] = number
        self._repaired = {
            source.rtx_ssrc: source.ssrc
            for source in media.remote_ssrcs
            if source.rtx_ssrc is not None
        }

    def receive(self, packet: RtpPacket, now: float) -> bool:
        """Take a packet of this media description; False if it is of no use."""
        if packet.payload_type in self._repairs:
            return self._receive_repair(packet, now)
        stream = self._stream(packet.ssrc, packet.payload_type)
        if stream is None:
            return False
        stream.receive(packet, now)
        self._follow(stream)
        return True

    def sender_report_received(self, report: SenderReport, now: float) -> None:
        stream = self._streams.get(report.ssrc)
        if stream is not None:
            stream.sender_report_received(report, now)

    def forget(self, ssrc: int) -> bool:
        """The source has left (BYE); True when it was the last one."""
        self._repair_statistics.pop(ssrc, None)
        return self._streams.pop(ssrc, None) is not None and not self._streams

    def set_round_trip_time(self, rtt: float) -> None:
        for stream in self._streams.values():
            stream.loss.rtt = rtt

    def request_keyframe(self, now: float) -> None:
        for stream in self._streams.values():
            stream.request_keyframe(now)
            self._follow(stream)

    def report_blocks(self, now: float) -> Iterator[ReportBlock]:
        """One for each source heard of (RFC 3550 section 6.4)."""
        for stream in self._streams.values():
            yield stream.statistics.report_block(now)
        for statistics in self._repair_statistics.values():
            yield statistics.report_block(now)

    def take_feedback(self, sender_ssrc: int) -> list[GenericNack | PictureLossIndication]:
        """What the peer is to be told at once."""
        packets: list[GenericNack | PictureLossIndication] = []
        for stream in self._streams.values():
            for request in stream.requests:
                match request:
                    case NackRequested(numbers):
                        packets.append(GenericNack(sender_ssrc, stream.ssrc, numbers))
                    case KeyframeRequested():
                        packets.append(PictureLossIndication(sender_ssrc, stream.ssrc))
            stream.requests.clear()
        self.has_requests = False
        return packets

    def handle_timeout(self, now: float) -> None:
        if self.deadline is None or now < self.deadline:
            return
        self.deadline = None
        for stream in self._streams.values():
            stream.handle_timeout(now)
            self._follow(stream)

    def _follow(self, stream: ReceivedStream) -> None:
        """Note what a stream now waits for, and whether it asks for something."""
        deadline = stream.next_timeout()
        if deadline is not None and (self.deadline is None or deadline < self.deadline):
            self.deadline = deadline
        if stream.requests:
            self.has_requests = True

    def _stream(self, ssrc: int, payload_type: int) -> ReceivedStream | None:
        fmt = self._formats.get(payload_type)
        if fmt is None:
            return None
        stream = self._streams.get(ssrc)
        if stream is not None and stream.format.codec is fmt.codec:
            return stream
        if stream is None and len(self._streams) >= MAX_STREAMS:
            return None
        stream = ReceivedStream(ssrc, fmt, self._events, mid=self.mid, max_wait=self._playout_delay)
        self._streams[ssrc] = stream
        return stream

    def _receive_repair(self, packet: RtpPacket, now: float) -> bool:
        """Restore a retransmitted packet (RFC 4588 section 4); one without payload probes."""
        if not self._count_repair(packet, now) or len(packet.payload) <= _OSN_LENGTH:
            return False
        ssrc = self._repaired.get(packet.ssrc)
        if ssrc is None and len(self._streams) == 1:
            (ssrc,) = self._streams  # section 5.3: one stream alone needs no announcement
        stream = self._streams.get(ssrc) if ssrc is not None else None
        if stream is None:
            return False
        original = dataclasses.replace(
            packet,
            ssrc=stream.ssrc,
            payload_type=self._repairs[packet.payload_type],
            sequence_number=int.from_bytes(packet.payload[:_OSN_LENGTH], "big"),
            payload=packet.payload[_OSN_LENGTH:],
        )
        stream.receive_again(original, now)
        self._follow(stream)
        return True

    def _count_repair(self, packet: RtpPacket, now: float) -> bool:
        statistics = self._repair_statistics.get(packet.ssrc)
        if statistics is None:
            fmt = self._formats[self._repairs[packet.payload_type]]
            if len(self._repair_statistics) >= MAX_STREAMS:
                return False
            statistics = ReceiveStatistics(packet.ssrc, fmt.codec.clock_rate, probation=0)
            self._repair_statistics[packet.ssrc] = statistics
        statistics.receive(packet.sequence_number, packet.timestamp, now)
        return True


def _codec_name(name: str) -> CodecName | None:
    for codec in CodecName:
        if codec.lower() == name.lower():
            return codec
    return None
