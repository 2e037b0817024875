"""RTP and RTCP of one bundle: all senders and receivers behind one pair of SRTP contexts.

Stands between the media above and the datagrams below; knows neither ICE nor DTLS.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import TypeVar

from media.fanout import PacketizedUnit
from media.pacer import BURST_PACKETS, Pacer
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
from media.rtp import RtpPacket, SdesMid, random_ssrc
from media.srtp import SrtpError, SrtpFailure, SrtpReceiver, SrtpSender
from media.units import MediaKind
from sdp import NegotiatedMedia, Transceiver
from transport import DecodeError, Event, RandomBytes

from .association import Section, StreamAssociation
from .config import SessionConfig
from .errors import UnknownMedia
from .events import BandwidthEstimated, KeyframeRequested, TrackAdded, TrackEnded
from .header_extensions import TransportSequence
from .rate import MIN_TARGET_BPS
from .rtcp_reports import SDES_MID, RtcpReporter
from .rtp_receiver import RtpReceiver
from .rtp_sender import PacedFragment, RtpSender, cut_into_runs

T = TypeVar("T")


class Drop(enum.Enum):
    """Why a datagram from the peer was not used."""

    NOT_SECURED = "not-secured"
    NOT_AUTHENTIC = "not-authentic"
    REPLAYED = "replayed"
    MALFORMED = "malformed"
    UNKNOWN_STREAM = "unknown-stream"
    UNKNOWN_PROTOCOL = "unknown-protocol"
    NO_PATH = "no-path"


@dataclasses.dataclass(slots=True)
class Traffic:
    """SRTP and SRTCP of the session, in datagrams and their bytes."""

    packets_sent: int = 0
    bytes_sent: int = 0
    packets_received: int = 0
    bytes_received: int = 0


class RtpSession:
    """Sends and receives for all media descriptions.

    configure(), secured() --> send_unit() --> poll_run()
    datagrams --> receive() --> UnitReceived, KeyframeRequested, TrackEnded
    """

    def __init__(self, random_bytes: RandomBytes, config: SessionConfig, *, cname: str) -> None:
        self.drops: Counter[Drop] = Counter()
        self.traffic = Traffic()
        self.senders: dict[str, RtpSender] = {}
        self.receivers: dict[str, RtpReceiver] = {}
        self.media: dict[str, NegotiatedMedia] = {}
        self.remote_reports: dict[int, tuple[ReportBlock, float]] = {}
        self.round_trip_time: float | None = None
        self._random_bytes = random_bytes
        self._playout_delay = config.playout_delay
        self._reporter = RtcpReporter(
            random_bytes,
            cname,
            own_ssrc=random_ssrc(random_bytes),
            wall_clock_offset=config.wall_clock_offset,
            target_bps=MIN_TARGET_BPS,
        )
        self._association = StreamAssociation()
        self._mid_extension: int | None = None
        self._mids: dict[bytes, str] = {}
        self._transport_sequence = TransportSequence()
        self._pacer: Pacer[PacedFragment | bytes] = Pacer(target_bps=MIN_TARGET_BPS)
        self._srtp_sender: SrtpSender | None = None
        self._srtp_receiver: SrtpReceiver | None = None
        self._runs: deque[Sequence[bytes]] = deque()
        self._events: deque[Event] = deque()

    @property
    def is_secured(self) -> bool:
        return self._srtp_sender is not None

    @property
    def target_bps(self) -> float:
        """What all senders together are paced by."""
        measured = sum(sender.rate.bits_per_second for sender in self.senders.values())
        return max(measured, MIN_TARGET_BPS)

    def configure(
        self, media: Iterable[NegotiatedMedia], transceivers: Iterable[Transceiver]
    ) -> None:
        """Take what offer and answer agreed on, for all media descriptions."""
        ours = {transceiver.mid: transceiver for transceiver in transceivers}
        self.media = {section.mid: section for section in media if section.kind is not None}
        for mid, section in self.media.items():
            transceiver = ours.get(mid)
            if transceiver is not None:
                self._configure_sender(section, transceiver)
            self._configure_receiver(section)
            for number, uri in section.extensions.items():
                if uri == SdesMid.URI:
                    self._mid_extension = number
        self._mids = {mid.encode(): mid for mid in self.media}
        self._association.configure(self._sections())

    def secured(self, sender: SrtpSender, receiver: SrtpReceiver, now: float) -> None:
        """Keys are there, and the peer is who it said it is."""
        self._srtp_sender, self._srtp_receiver = sender, receiver
        for rtp_sender in self.senders.values():
            rtp_sender.secure(sender)
        self._reporter.schedule.start(now)

    def send_unit(self, mid: str, unit: PacketizedUnit, timestamp: int, now: float) -> bool:
        """Queue a unit, and send what may go at once; False if it was dropped.

        Raises:
            UnknownMedia: nothing can be sent under this mid.
        """
        sender = self.sender(mid)
        reason = sender.enqueue(unit, timestamp, self._pacer, now)
        if reason is None:
            self._follow_target(sender, now)
            self._send_paced(now)
        return reason is None

    def sender(self, mid: str) -> RtpSender:
        return _find(self.senders, mid, "sends nothing")

    def receiver(self, mid: str) -> RtpReceiver:
        return _find(self.receivers, mid, "receives nothing")

    def request_keyframe(self, mid: str, now: float) -> None:
        """Ask the peer for a keyframe (PLI)."""
        self.receiver(mid).request_keyframe(now)
        self._send_feedback(self.receiver(mid), now)

    def receive(self, data: bytes, now: float) -> None:
        """One datagram of SRTP or SRTCP."""
        self.traffic.packets_received += 1
        self.traffic.bytes_received += len(data)
        if self._srtp_receiver is None:
            self.drops[Drop.NOT_SECURED] += 1
            return
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

    def goodbye(self, now: float) -> None:
        """Leave: the last report, with BYE (RFC 3550 section 6.3.7)."""
        self._pacer.clear()
        if self._srtp_sender is not None:
            blocks = self._report_blocks(now)
            self._send_rtcp(self._reporter.goodbye(self._active_senders(), blocks, now))
        self._srtp_sender = self._srtp_receiver = None
        for sender in self.senders.values():
            sender.stop()
        for receiver in self.receivers.values():
            receiver.deadline = None

    def handle_timeout(self, now: float) -> None:
        self._send_paced(now)
        for receiver in self.receivers.values():
            receiver.handle_timeout(now)
            if receiver.has_requests:
                self._send_feedback(receiver, now)
        if _is_due(self._reporter.schedule.next_timeout(), now):
            self._send_report(now)

    def next_timeout(self) -> float | None:
        deadlines = [receiver.deadline for receiver in self.receivers.values()]
        deadlines += [self._pacer.next_timeout(), self._reporter.schedule.next_timeout()]
        return min((at for at in deadlines if at is not None), default=None)

    def poll_run(self) -> Sequence[bytes] | None:
        """The next datagrams to go out, of one size but for the last."""
        if not self._runs:
            return None
        run = self._runs.popleft()
        self.traffic.packets_sent += len(run)
        self.traffic.bytes_sent += sum(map(len, run))
        return run

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def _configure_sender(self, section: NegotiatedMedia, transceiver: Transceiver) -> None:
        sender = self.senders.get(section.mid)
        if sender is None:
            if not section.direction.sends or section.rejected:
                return
            sender = self.senders[section.mid] = RtpSender(
                section.mid,
                MediaKind(transceiver.kind.value),
                ssrc=transceiver.ssrc,
                rtx_ssrc=transceiver.rtx_ssrc,
                random_bytes=self._random_bytes,
            )
            self._reporter.schedule.members.add_ours(sender.ssrc)
            if self._srtp_sender is not None:
                sender.secure(self._srtp_sender)
        sender.configure(section, self._transport_sequence)

    def _configure_receiver(self, section: NegotiatedMedia) -> None:
        assert section.kind is not None  # others are sorted out by configure()
        receives = section.direction.receives and not section.rejected
        receiver = self.receivers.get(section.mid)
        if not receives:
            if self.receivers.pop(section.mid, None) is not None:
                self._events.append(TrackEnded(section.mid))
            return
        kind = MediaKind(section.kind.value)
        if receiver is None:
            receiver = RtpReceiver(
                section.mid, kind, self._events, playout_delay=self._playout_delay
            )
            self.receivers[section.mid] = receiver
            streams = tuple(msid.stream for msid in section.msids if msid.stream != "-")
            self._events.append(TrackAdded(section.mid, kind, streams))
        receiver.configure(section)

    def _sections(self) -> Iterable[Section]:
        for mid, receiver in self.receivers.items():
            ssrcs = {source.ssrc for source in self.media[mid].remote_ssrcs}
            ssrcs |= {
                source.rtx_ssrc
                for source in self.media[mid].remote_ssrcs
                if source.rtx_ssrc is not None
            }
            yield Section(mid, receiver.payload_types, frozenset(ssrcs))

    def _receive_rtp(self, packet: RtpPacket, now: float) -> None:
        mid = self._association.route(
            packet.ssrc,
            packet.payload_type,
            sequence_number=packet.sequence_number,
            mid=self._mid_of(packet),
        )
        receiver = None if mid is None else self.receivers.get(mid)
        if receiver is None or not receiver.receive(packet, now):
            self.drops[Drop.UNKNOWN_STREAM] += 1
            return
        if receiver.has_requests:
            self._send_feedback(receiver, now)

    def _mid_of(self, packet: RtpPacket) -> str | None:
        """What the MID extension says; "" for what is no mid of ours."""
        if self._mid_extension is None or not packet.extensions:
            return None
        data = packet.extension(self._mid_extension)
        return None if data is None else self._mids.get(data, "")

    def _receive_rtcp(self, packets: Sequence[RtcpPacket], now: float) -> None:
        for packet in packets:  # first of all, what tells where streams belong
            if isinstance(packet, SourceDescription):
                self._learn_mids(packet)
        for packet in packets:
            self._receive_rtcp_packet(packet, now)

    def _receive_rtcp_packet(self, packet: RtcpPacket, now: float) -> None:
        match packet:
            case SenderReport():
                self._reporter.schedule.members.rtcp_received(packet.ssrc, now)
                for receiver in self.receivers.values():
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

    def _learn_mids(self, packet: SourceDescription) -> None:
        for chunk in packet.chunks:
            for item in chunk.items:
                if item.type == SDES_MID:
                    self._association.learn_from_sdes(
                        chunk.ssrc, item.value.decode(errors="replace")
                    )

    def _take_report_blocks(self, blocks: Iterable[ReportBlock], now: float) -> None:
        for block in blocks:
            sender = self._sender_of(block.ssrc)
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
        for sender in self.senders.values():
            sender.set_round_trip_time(self.round_trip_time)
        for receiver in self.receivers.values():
            receiver.set_round_trip_time(self.round_trip_time)

    def _resend(self, nack: GenericNack, now: float) -> None:
        sender = self._sender_of(nack.media_ssrc)
        if sender is None:
            return
        for datagram in sender.resend(nack.lost, now):
            # Ahead of all video that waits: the peer's decoder stands still for it.
            self._pacer.push_audio(datagram, len(datagram))
        self._send_paced(now)

    def _keyframe_requested(self, ssrc: int, now: float, *, fir: int | None = None) -> None:
        sender = self._sender_of(ssrc)
        if sender is not None and sender.take_keyframe_request(now, fir=fir):
            self._events.append(KeyframeRequested(sender.mid))

    def _take_goodbye(self, packet: Goodbye, now: float) -> None:
        for ssrc in packet.ssrcs:
            mid = self._association.find(ssrc)
            receiver = None if mid is None else self.receivers.get(mid)
            if receiver is not None and receiver.forget(ssrc):
                self._events.append(TrackEnded(receiver.mid))
            self._association.forget(ssrc)
            self._reporter.schedule.goodbye_received(ssrc, now)

    def _sender_of(self, ssrc: int) -> RtpSender | None:
        for sender in self.senders.values():
            if sender.ssrc == ssrc:
                return sender
        return None

    def _active_senders(self) -> list[RtpSender]:
        return [sender for sender in self.senders.values() if sender.has_sent]

    def _report_blocks(self, now: float) -> list[ReportBlock]:
        return [
            block for receiver in self.receivers.values() for block in receiver.report_blocks(now)
        ]

    def _send_report(self, now: float) -> None:
        for receiver in self.receivers.values():
            for stream in receiver.streams:
                self._reporter.schedule.members.rtp_received(stream.ssrc, stream.heard_at)
        report = self._reporter.take_report(
            self._active_senders(), lambda: self._report_blocks(now), now
        )
        if report is not None:
            self._send_rtcp(report)

    def _follow_target(self, sender: RtpSender, now: float) -> None:
        target = self.target_bps
        self._pacer.set_target(target)
        self._reporter.set_target(target)
        sender.history.set_target(target, now)

    def _send_rtcp(self, data: bytes) -> None:
        if self._srtp_sender is not None:
            self._runs.append((self._srtp_sender.protect_rtcp(data),))

    def _send_paced(self, now: float) -> None:
        for run in cut_into_runs(self._pacer.pop(now), BURST_PACKETS):
            if isinstance(run, bytes):
                self._runs.append((run,))
            elif datagrams := run[0].sender.protect(run, now):
                self._runs.append(datagrams)
                self._reporter.schedule.members.rtp_sent(run[0].sender.ssrc, now)

    def _send_feedback(self, receiver: RtpReceiver, now: float) -> None:
        """Tell the peer what is missing: at once, if RTCP may be sent now."""
        senders = self._active_senders()
        feedback = receiver.take_feedback(self._reporter.ssrc_of(senders))
        if feedback:
            data = self._reporter.take_feedback(
                feedback,
                senders,
                now,
                reduced_size=self.media[receiver.mid].rtcp_reduced_size,
                max_delay=self._playout_delay,
            )
            if data is not None:
                self._send_rtcp(data)


def _is_due(deadline: float | None, now: float) -> bool:
    return deadline is not None and now >= deadline


def _find(table: dict[str, T], mid: str, problem: str) -> T:
    found = table.get(mid)
    if found is None:
        raise UnknownMedia(mid, problem)
    return found


def _srtp_drop(error: SrtpError) -> Drop:
    if error.reason in (SrtpFailure.REPLAYED, SrtpFailure.TOO_OLD):
        return Drop.REPLAYED
    return Drop.MALFORMED if error.reason is SrtpFailure.MALFORMED else Drop.NOT_AUTHENTIC
