"""What a session says over RTCP, and when (RFC 3550 section 6, RFC 4585 section 3.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from media.rtcp import (
    SDES_CNAME,
    FeedbackTiming,
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    RtcpScheduler,
    SdesChunk,
    SdesItem,
    SenderReport,
    SourceDescription,
    encode_compound,
    encode_reduced_size,
    ntp_from_unix,
    round_trip_time,
)
from transport import RandomBytes

from .rtp_sender import RtpSender

SDES_MID = 15
"""RFC 9143 section 15.2."""

MAX_BLOCKS = 31
"""Of one report, by its 5-bit count."""

RTCP_SHARE = 0.05
"""Of the session's bandwidth (RFC 3550 section 6.2)."""

MAX_WAITING_FEEDBACK = 16
"""Messages that wait for the next report; each comes anew while it is still wanted."""


class RtcpReporter:
    """Writes the compound packets of one session, under one CNAME (RFC 8834 section 4.9).

    ``own_ssrc`` speaks for who receives only; ``wall_clock_offset`` makes ``now``
    seconds since 1970. What is returned as bytes is to be sent at once.
    """

    def __init__(
        self,
        random_bytes: RandomBytes,
        cname: str,
        *,
        own_ssrc: int,
        wall_clock_offset: float,
        target_bps: float,
    ) -> None:
        self.own_ssrc = own_ssrc
        self.schedule = RtcpScheduler(random_bytes, bandwidth=_share(target_bps))
        self.schedule.members.add_ours(own_ssrc)
        self._cname = cname
        self._wall_clock_offset = wall_clock_offset
        self._waiting: list[RtcpPacket] = []

    def set_target(self, target_bps: float) -> None:
        """Follow the session's bandwidth."""
        self.schedule.bandwidth = _share(target_bps)

    def ntp(self, now: float) -> int:
        """The 64-bit NTP timestamp of ``now``."""
        return ntp_from_unix(now + self._wall_clock_offset)

    def round_trip_time(self, block: ReportBlock, now: float) -> float | None:
        return round_trip_time(block, self.ntp(now))

    def ssrc_of(self, senders: Sequence[RtpSender]) -> int:
        """Who speaks: the first of our streams, or the session itself."""
        return senders[0].ssrc if senders else self.own_ssrc

    def take_report(
        self,
        senders: Sequence[RtpSender],
        blocks: Callable[[], Sequence[ReportBlock]],
        now: float,
    ) -> bytes | None:
        """A report with all feedback that waits, if it is time for one.

        It holds a sender report for each stream of ours, or one receiver report.
        """
        if not self.schedule.is_report_due(now):
            return None
        packets: list[RtcpPacket] = [self._sender_report(sender, now) for sender in senders]
        packets.extend(_receiver_reports(self.ssrc_of(senders), blocks(), is_needed=not senders))
        packets += [self._description(senders), *self._waiting]
        self._waiting.clear()
        data = encode_compound(packets)
        self.schedule.report_sent(len(data), now)
        return data

    def take_feedback(
        self,
        packets: Sequence[RtcpPacket],
        senders: Sequence[RtpSender],
        now: float,
        *,
        reduced_size: bool,
        max_delay: float,
    ) -> bytes | None:
        """Feedback to go out at once, or None: it waits for the next report, or is too late.

        Without rtcp-rsize it stands behind an empty report (RFC 5506 section 3.4).
        """
        match self.schedule.request_feedback(now, max_delay=max_delay):
            case FeedbackTiming.NOW:
                data = self._feedback(packets, self.ssrc_of(senders), reduced_size=reduced_size)
                self.schedule.feedback_sent(len(data))
                return data
            case FeedbackTiming.WITH_NEXT_REPORT:
                self._waiting = [*self._waiting, *packets][-MAX_WAITING_FEEDBACK:]
        return None

    def goodbye(
        self, senders: Sequence[RtpSender], blocks: Sequence[ReportBlock], now: float
    ) -> bytes:
        """The last compound packet (RFC 3550 section 6.3.7)."""
        ssrcs = tuple(sender.ssrc for sender in senders) or (self.own_ssrc,)
        packets: list[RtcpPacket] = [self._sender_report(sender, now) for sender in senders]
        packets.extend(_receiver_reports(ssrcs[0], blocks, is_needed=not senders))
        packets += [self._description(senders), Goodbye(ssrcs)]
        self.schedule.stop()
        return encode_compound(packets)

    def _feedback(
        self, packets: Sequence[RtcpPacket], own_ssrc: int, *, reduced_size: bool
    ) -> bytes:
        if reduced_size:
            return encode_reduced_size(packets)
        description = SourceDescription.for_cname(own_ssrc, self._cname)
        return encode_compound([ReceiverReport(ssrc=own_ssrc), description, *packets])

    def _sender_report(self, sender: RtpSender, now: float) -> SenderReport:
        return SenderReport(
            ssrc=sender.ssrc,
            ntp_timestamp=self.ntp(now),
            rtp_timestamp=sender.rtp_time(now),
            packet_count=sender.counters.packets & 0xFFFF_FFFF,
            octet_count=sender.counters.payload_bytes & 0xFFFF_FFFF,
        )

    def _description(self, senders: Iterable[RtpSender]) -> SourceDescription:
        cname = SdesItem(SDES_CNAME, self._cname.encode())
        chunks = tuple(
            SdesChunk(sender.ssrc, (cname, SdesItem(SDES_MID, sender.mid.encode())))
            for sender in senders
        )
        return SourceDescription(chunks or (SdesChunk(self.own_ssrc, (cname,)),))


def _receiver_reports(
    own_ssrc: int, blocks: Sequence[ReportBlock], *, is_needed: bool
) -> list[RtcpPacket]:
    """Report blocks go behind the sender reports in receiver reports of their own.

    That is one kind of packet to build instead of two, and as many as it takes.
    """
    starts = range(0, len(blocks), MAX_BLOCKS)
    reports: list[RtcpPacket] = [
        ReceiverReport(ssrc=own_ssrc, reports=tuple(blocks[start : start + MAX_BLOCKS]))
        for start in starts
    ]
    return reports or ([ReceiverReport(ssrc=own_ssrc)] if is_needed else [])


def _share(target_bps: float) -> float:
    """What RTCP may use, in bytes per second."""
    return RTCP_SHARE * target_bps / 8
