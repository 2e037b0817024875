"""Receiving one media description's streams, retransmissions too (RFC 3550, RFC 4588)."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator

from media.loss import KeyframeRequested, NackRequested
from media.rtcp import GenericNack, PictureLossIndication, ReportBlock, SenderReport
from media.rtp import ReceiveStatistics, RtpPacket
from media.units import CodecName, MediaKind
from sdp import NegotiatedMedia
from transport import Event

from .received_stream import ReceivedFormat, ReceivedStream

MAX_STREAMS = 8
"""RTP streams of one media description: a track and its repair, and what replaces them."""

STREAM_TIMEOUT = 10.0
"""Seconds of silence after which a stream gives way to another, when there are too many: a
source that begins anew need not have said BYE (RFC 3550 section 6.3.5)."""

_OSN_LENGTH = 2
"""RFC 4588 section 4: the original sequence number in front of an RTX payload."""


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
        self._formats: dict[int, ReceivedFormat] = {}
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
        for stream in self._streams.values():
            stream.payload_type = None  # its number may mean something else from now on
        self._formats, self._repairs = {}, {}
        for codec in media.codecs:
            number = codec.receive.payload_type
            name = _codec_name(codec.receive.name)
            if number is None or name is None:
                continue
            feedback = codec.receive.feedback
            self._formats[number] = ReceivedFormat(name, "nack" in feedback, "nack pli" in feedback)
            if codec.receive.rtx_payload_type is not None:
                self._repairs[codec.receive.rtx_payload_type] = number
        self._repaired = {
            source.rtx_ssrc: source.ssrc
            for source in media.remote_ssrcs
            if source.rtx_ssrc is not None
        }

    def receive(self, packet: RtpPacket, now: float) -> bool:
        """Take a packet of this media description; False if it is of no use."""
        stream = self._streams.get(packet.ssrc)
        if stream is None or stream.payload_type != packet.payload_type:
            if packet.payload_type in self._repairs:
                return self._receive_repair(packet, now)
            stream = self._stream(packet.ssrc, packet.payload_type, now)
            if stream is None:
                return False
        if stream.receive(packet, now):
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

    def _stream(self, ssrc: int, payload_type: int, now: float) -> ReceivedStream | None:
        fmt = self._formats.get(payload_type)
        if fmt is None:
            return None
        stream = self._streams.get(ssrc)
        if stream is not None and stream.format.codec is fmt.codec:
            stream.payload_type = payload_type
            return stream
        if stream is None and not self._make_room(now):
            return None
        stream = ReceivedStream(ssrc, fmt, self._events, mid=self.mid, max_wait=self._playout_delay)
        stream.payload_type = payload_type
        self._streams[ssrc] = stream
        return stream

    def _make_room(self, now: float) -> bool:
        if len(self._streams) < MAX_STREAMS:
            return True
        oldest = min(self._streams.values(), key=lambda stream: stream.heard_at)
        if now - oldest.heard_at < STREAM_TIMEOUT:
            return False
        del self._streams[oldest.ssrc]
        return True

    def _receive_repair(self, packet: RtpPacket, now: float) -> bool:
        """Restore a retransmitted packet (RFC 4588 section 4); one without payload probes."""
        self._count_repair(packet, now)
        if len(packet.payload) <= _OSN_LENGTH:
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

    def _count_repair(self, packet: RtpPacket, now: float) -> None:
        statistics = self._repair_statistics.get(packet.ssrc)
        if statistics is None:
            fmt = self._formats[self._repairs[packet.payload_type]]
            if len(self._repair_statistics) >= MAX_STREAMS:
                del self._repair_statistics[next(iter(self._repair_statistics))]
            statistics = ReceiveStatistics(packet.ssrc, fmt.codec.clock_rate, probation=0)
            self._repair_statistics[packet.ssrc] = statistics
        statistics.receive(packet.sequence_number, packet.timestamp, now)


def _codec_name(name: str) -> CodecName | None:
    for codec in CodecName:
        if codec.lower() == name.lower():
            return codec
    return None
