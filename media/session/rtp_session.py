"""RTP and RTCP of one bundle, behind one pair of SRTP contexts.

Stands between the media above and the datagrams below; knows neither ICE nor DTLS.
"""

from __future__ import annotations

import enum
from collections import Counter, deque
from collections.abc import Iterable, Sequence

from media.fanout import PacketizedUnit
from media.rtcp import (
    FullIntraRequest,
    GenericNack,
    Goodbye,
    PictureLossIndication,
    ReceiverEstimatedMaximumBitrate,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    decode_compound,
    is_rtcp,
)
from media.rtp import RtpPacket, random_ssrc
from media.srtp import SrtpError, SrtpFailure, SrtpReceiver, SrtpSender
from sdp import NegotiatedMedia, Transceiver
from transport import DecodeError, Event, RandomBytes

from .config import SessionConfig
from .events import BandwidthEstimated, KeyframeRequested
from .media_table import MediaTable
from .outgoing import Outgoing, Traffic
from .rate import MIN_TARGET_BPS
from .rtcp_reports import RtcpReporter
from .rtp_receiver import RtpReceiver

TARGET_STEP = 0.02
"""A share of the bitrate: pacing and RTCP follow no smaller changes, for each unit has one."""


class Drop(enum.Enum):
    """Why a datagram from the peer was not used."""

    NOT_SECURED = "not-secured"
    NOT_AUTHENTIC = "not-authentic"
    REPLAYED = "replayed"
    MALFORMED = "malformed"
    UNKNOWN_STREAM = "unknown-stream"
    UNKNOWN_PROTOCOL = "unknown-protocol"
    NO_PATH = "no-path"


class RtpSession:
    """Sends and receives for all media descriptions.

    configure(), secured() --> send_unit() --> poll_run()
    datagrams --> receive() --> UnitReceived, KeyframeRequested, TrackEnded
    """

    def __init__(self, random_bytes: RandomBytes, config: SessionConfig, *, cname: str) -> None:
        self.drops: Counter[Drop] = Counter()
        self.traffic = Traffic()
        self.remote_reports: dict[int, tuple[ReportBlock, float]] = {}
        self.round_trip_time: float | None = None
        self._events: deque[Event] = deque()
        self.table = MediaTable(random_bytes, self._events, playout_delay=config.playout_delay)
        self._outgoing = Outgoing(self.traffic)
        self._srtp_sender: SrtpSender | None = None
        self._srtp_receiver: SrtpReceiver | None = None
        self._playout_delay = config.playout_delay
        self._followed_bps = MIN_TARGET_BPS
        self._reporter = RtcpReporter(
            random_bytes,
            cname,
            own_ssrc=random_ssrc(random_bytes),
            wall_clock_offset=config.wall_clock_offset,
            target_bps=MIN_TARGET_BPS,
        )

    @property
    def target_bps(self) -> float:
        """What all senders together are paced by."""
        senders = self.table.senders.values()
        return max(sum([sender.rate.bits_per_second for sender in senders]), MIN_TARGET_BPS)

    def configure(
        self, media: Iterable[NegotiatedMedia], transceivers: Iterable[Transceiver]
    ) -> None:
        """Take what offer and answer agreed on, for all media descriptions."""
        self.table.configure(media, transceivers)
        for sender in self.table.senders.values():
            self._reporter.schedule.members.add_ours(sender.ssrc)
        self._secure_senders()

    def secured(self, sender: SrtpSender, receiver: SrtpReceiver, now: float) -> None:
        """Keys are there, and the peer is who it said it is."""
        self._srtp_sender, self._srtp_receiver = sender, receiver
        self._outgoing.secure(sender)
        self._secure_senders()
        self._reporter.schedule.start(now)

    def send_unit(self, mid: str, unit: PacketizedUnit, timestamp: int, now: float) -> bool:
        """Queue a unit, and send what may go at once; False if it was dropped.

        Raises:
            UnknownMedia: nothing can be sent under this mid.
        """
        sender = self.table.sender(mid)
        if self._outgoing.enqueue(sender, unit, timestamp, now) is not None:
            return False
        target = self.target_bps
        if abs(target - self._followed_bps) > TARGET_STEP * target:
            self._follow_target(target, now)
        self._send_paced(now)
        return True

    def discard_waiting(self, mid: str) -> None:
        """Do not send what waits to be sent of a track's video.

        Raises:
            UnknownMedia: nothing can be sent under this mid.
        """
        self._outgoing.discard_waiting(self.table.sender(mid))

    def _follow_target(self, target_bps: float, now: float) -> None:
        self._followed_bps = target_bps
        self._outgoing.set_target(target_bps)
        self._reporter.set_target(target_bps)
        for sender in self.table.senders.values():
            sender.history.set_target(target_bps, now)

    def request_keyframe(self, mid: str, now: float) -> None:
        """Ask the peer for a keyframe (PLI).

        Raises:
            UnknownMedia: nothing is received under this mid.
        """
        receiver = self.table.receiver(mid)
        receiver.request_keyframe(now)
        self._send_feedback(receiver, now)

    def receive(self, data: bytes, now: float) -> bool:
        """One datagram of SRTP or SRTCP; whether there is an event or a run to take now."""
        traffic = self.traffic
        traffic.packets_received += 1
        traffic.bytes_received += len(data)
        if self._srtp_receiver is None:
            self.drops[Drop.NOT_SECURED] += 1
            return False
        try:
            if is_rtcp(data):
                plain = self._srtp_receiver.unprotect_rtcp(data)
                self._reporter.schedule.packet_received(len(data))
                self._receive_rtcp(decode_compound(plain), now)
            else:
                plain = self._srtp_receiver.unprotect(data)
                self._receive_rtp(RtpPacket.decode(plain), now)
        except SrtpError as error:
            self.drops[_srtp_drop(error)] += 1
        except DecodeError:
            self.drops[Drop.MALFORMED] += 1
        return bool(self._events) or self._outgoing.has_run

    def goodbye(self, now: float) -> None:
        """Leave: the last report, with BYE (RFC 3550 section 6.3.7)."""
        self._outgoing.clear()
        if self._outgoing.is_secured:
            blocks = self.table.report_blocks(now)
            report = self._reporter.goodbye(self.table.active_senders, blocks, now)
            self._outgoing.send_rtcp(report)
        self._srtp_sender = self._srtp_receiver = None
        self._outgoing.secure(None)
        for sender in self.table.senders.values():
            sender.stop()
        for receiver in self.table.receivers.values():
            receiver.deadline = None

    def handle_timeout(self, now: float) -> None:
        self._send_paced(now)
        for receiver in self.table.receivers.values():
            receiver.handle_timeout(now)
            if receiver.has_requests:
                self._send_feedback(receiver, now)
        report_at = self._reporter.schedule.next_timeout()
        if report_at is not None and now >= report_at:
            self._send_report(now)

    def next_timeout(self) -> float | None:
        earliest = self._reporter.schedule.next_timeout()
        paced = self._outgoing.next_timeout()
        if earliest is None or (paced is not None and paced < earliest):
            earliest = paced
        for receiver in self.table.receivers.values():
            at = receiver.deadline
            if earliest is None or (at is not None and at < earliest):
                earliest = at
        return earliest

    @property
    def has_run(self) -> bool:
        """Whether there are datagrams to go out."""
        return self._outgoing.has_run

    def poll_run(self) -> Sequence[bytes] | None:
        """The next datagrams to go out, of one size but for the last."""
        return self._outgoing.poll_run()

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def _secure_senders(self) -> None:
        if self._srtp_sender is not None:
            for sender in self.table.senders.values():
                sender.secure(self._srtp_sender)

    def _receive_rtp(self, packet: RtpPacket, now: float) -> None:
        receiver = self.table.receiver_of(packet)
        if receiver is None or not receiver.receive(packet, now):
            self.drops[Drop.UNKNOWN_STREAM] += 1
        elif receiver.has_requests:
            self._send_feedback(receiver, now)

    def _receive_rtcp(self, packets: Sequence[RtcpPacket], now: float) -> None:
        for packet in packets:  # first of all, what tells where streams belong
            if isinstance(packet, SourceDescription):
                self.table.learn_mids(packet)
        for packet in packets:
            self._receive_rtcp_packet(packet, now)

    def _receive_rtcp_packet(self, packet: RtcpPacket, now: float) -> None:
        match packet:
            case SenderReport():
                self._reporter.schedule.members.rtcp_received(packet.ssrc, now)
                for receiver in self.table.receivers.values():
                    receiver.sender_report_received(packet, now)
                self._take_report_blocks(packet.reports, now)
            case ReceiverReport():
                self._reporter.schedule.members.rtcp_received(packet.ssrc, now)
                self._take_report_blocks(packet.reports, now)
            case GenericNack():
                self._resend(packet, now)
            case PictureLossIndication():
                self._keyframe_requested(packet.media_ssrc, now)
            case FullIntraRequest():
                for entry in packet.entries:
                    self._keyframe_requested(entry.ssrc, now, fir=entry.sequence_number)
            case ReceiverEstimatedMaximumBitrate():
                self._events.append(BandwidthEstimated(float(packet.bitrate)))
            case Goodbye():
                self._take_goodbye(packet, now)

    def _take_report_blocks(self, blocks: Iterable[ReportBlock], now: float) -> None:
        for block in blocks:
            sender = self.table.sender_of(block.ssrc)
            if sender is None:
                continue
            sender.acknowledge()
            self.remote_reports[block.ssrc] = (block, now)
            rtt = self._reporter.round_trip_time(block, now)
            if rtt is not None:
                self._set_round_trip_time(rtt)

    def _set_round_trip_time(self, rtt: float) -> None:
        """Smooth as RFC 6298 section 2.3 does: one slow report is no slow path."""
        smoothed = self.round_trip_time
        self.round_trip_time = rtt if smoothed is None else smoothed + (rtt - smoothed) / 8
        for sender in self.table.senders.values():
            sender.set_round_trip_time(self.round_trip_time)
        for receiver in self.table.receivers.values():
            receiver.set_round_trip_time(self.round_trip_time)

    def _resend(self, nack: GenericNack, now: float) -> None:
        sender = self.table.sender_of(nack.media_ssrc)
        if sender is None:
            return
        self._outgoing.resend(sender.resend(nack.lost, now))
        self._send_paced(now)

    def _keyframe_requested(self, ssrc: int, now: float, *, fir: int | None = None) -> None:
        sender = self.table.sender_of(ssrc)
        if sender is not None and sender.take_keyframe_request(now, fir=fir):
            self._events.append(KeyframeRequested(sender.mid))

    def _take_goodbye(self, packet: Goodbye, now: float) -> None:
        for ssrc in packet.ssrcs:
            self.table.forget(ssrc)
            self._reporter.schedule.goodbye_received(ssrc, now)

    def _send_report(self, now: float) -> None:
        for receiver in self.table.receivers.values():
            for stream in receiver.streams:
                self._reporter.schedule.members.rtp_received(stream.ssrc, stream.heard_at)
        report = self._reporter.take_report(
            self.table.active_senders, lambda: self.table.report_blocks(now), now
        )
        if report is not None:
            self._outgoing.send_rtcp(report)

    def _send_paced(self, now: float) -> None:
        for sender in self._outgoing.send_paced(now):
            self._reporter.schedule.members.rtp_sent(sender.ssrc, now)

    def _send_feedback(self, receiver: RtpReceiver, now: float) -> None:
        """Tell the peer what is missing: at once, if RTCP may be sent now."""
        senders = self.table.active_senders
        feedback = receiver.take_feedback(self._reporter.ssrc_of(senders))
        if feedback:
            data = self._reporter.take_feedback(
                feedback,
                senders,
                now,
                reduced_size=self.table.media[receiver.mid].rtcp_reduced_size,
                max_delay=self._playout_delay,
            )
            if data is not None:
                self._outgoing.send_rtcp(data)


def _srtp_drop(error: SrtpError) -> Drop:
    if error.reason in (SrtpFailure.REPLAYED, SrtpFailure.TOO_OLD):
        return Drop.REPLAYED
    return Drop.MALFORMED if error.reason is SrtpFailure.MALFORMED else Drop.NOT_AUTHENTIC
