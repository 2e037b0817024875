"""Reads the counters of a session's parts into the records of ``stats``."""

from __future__ import annotations

from collections.abc import Iterator

from ice import IceAgent
from sdp import NegotiatedMedia, RtpCodec

from .rtp_receiver import RtpReceiver
from .rtp_sender import RtpSender
from .rtp_session import RtpSession
from .stats import (
    CandidatePairStats,
    CodecStats,
    InboundRtpStats,
    OutboundRtpStats,
    RemoteInboundRtpStats,
    Stats,
    StatsReport,
    TransportStats,
    report,
)
from .transport import SecureTransport

TRANSPORT_ID = "transport"


def session_stats(
    rtp: RtpSession, secure: SecureTransport, ice: IceAgent | None, now: float
) -> StatsReport:
    """All records of a session as of ``now``."""
    records: list[Stats] = []
    for media in rtp.table.media.values():
        records.extend(_codecs(media, now))
    for sender in rtp.table.senders.values():
        records.append(_outbound(sender, rtp, now))
        records.extend(_remote_inbound(sender, rtp, now))
    for receiver in rtp.table.receivers.values():
        records.extend(_inbound(receiver, now))
    pair = None if ice is None else _pair(ice, now)
    if pair is not None:
        records.append(pair)
    records.append(_transport(rtp, secure, ice, now, pair_id="" if pair is None else pair.id))
    return report(records)


def _codecs(media: NegotiatedMedia, now: float) -> Iterator[CodecStats]:
    kind = "" if media.kind is None else media.kind.value
    for codec in media.codecs:
        for way, entry in (("send", codec.send), ("receive", codec.receive)):
            yield CodecStats(
                id=f"codec-{media.mid}-{way}-{entry.payload_type}",
                timestamp=now,
                mid=media.mid,
                payload_type=entry.payload_type or 0,
                mime_type=f"{kind}/{entry.name}",
                clock_rate=entry.clock_rate,
                channels=entry.channels if kind == "audio" else None,
                sdp_fmtp_line=_fmtp(entry),
            )


def _fmtp(codec: RtpCodec) -> str:
    return ";".join(f"{key}={value}" if key else value for key, value in codec.parameters)


def _outbound(sender: RtpSender, rtp: RtpSession, now: float) -> OutboundRtpStats:
    counters = sender.counters
    return OutboundRtpStats(
        id=f"outbound-rtp-{sender.ssrc}",
        timestamp=now,
        ssrc=sender.ssrc,
        mid=sender.mid,
        kind=sender.kind,
        packets_sent=counters.packets + sender.history.resent_packets,
        bytes_sent=counters.payload_bytes + sender.history.resent_bytes,
        header_bytes_sent=counters.header_bytes,
        frames_sent=counters.frames,
        key_frames_sent=counters.keyframes,
        frames_dropped=sum(counters.dropped.values()),
        retransmitted_packets_sent=sender.history.resent_packets,
        retransmitted_bytes_sent=sender.history.resent_bytes,
        nack_count=counters.nacks,
        pli_count=counters.plis,
        fir_count=counters.firs,
        target_bitrate=rtp.target_bps,
    )


def _remote_inbound(
    sender: RtpSender, rtp: RtpSession, now: float
) -> Iterator[RemoteInboundRtpStats]:
    found = rtp.remote_reports.get(sender.ssrc)
    if found is None:
        return
    block, arrived_at = found
    clock_rate = 1 if sender.codec is None else sender.codec.send.clock_rate
    yield RemoteInboundRtpStats(
        id=f"remote-inbound-rtp-{sender.ssrc}",
        timestamp=arrived_at,
        ssrc=sender.ssrc,
        mid=sender.mid,
        kind=sender.kind,
        local_id=f"outbound-rtp-{sender.ssrc}",
        packets_lost=block.cumulative_lost,
        fraction_lost=block.fraction_lost / 256,
        jitter=block.jitter / clock_rate,
        round_trip_time=rtp.round_trip_time,
    )


def _inbound(receiver: RtpReceiver, now: float) -> Iterator[InboundRtpStats]:
    for stream in receiver.streams:
        counters, statistics = stream.counters, stream.statistics
        yield InboundRtpStats(
            id=f"inbound-rtp-{stream.ssrc}",
            timestamp=now,
            ssrc=stream.ssrc,
            mid=receiver.mid,
            kind=receiver.kind,
            packets_received=statistics.packets_received,
            packets_lost=statistics.packets_lost,
            packets_discarded=stream.packets_discarded,
            bytes_received=counters.payload_bytes,
            jitter=statistics.jitter,
            frames_received=counters.frames,
            key_frames_received=counters.keyframes,
            frames_dropped=counters.frames_dropped,
            retransmitted_packets_received=counters.retransmitted,
            nack_count=counters.nacks,
            pli_count=counters.plis,
        )


def _pair(ice: IceAgent, now: float) -> CandidatePairStats | None:
    pair = ice.selected_pair
    if pair is None:
        return None
    local, remote = pair.local.to_text(), pair.remote.to_text()
    return CandidatePairStats(
        id=f"candidate-pair-{pair.path.local}-{pair.path.remote}",
        timestamp=now,
        transport_id=TRANSPORT_ID,
        local_candidate=local,
        remote_candidate=remote,
        nominated=True,
    )


def _transport(
    rtp: RtpSession, secure: SecureTransport, ice: IceAgent | None, now: float, *, pair_id: str
) -> TransportStats:
    traffic = rtp.traffic
    return TransportStats(
        id=TRANSPORT_ID,
        timestamp=now,
        bytes_sent=traffic.bytes_sent,
        bytes_received=traffic.bytes_received,
        packets_sent=traffic.packets_sent,
        packets_received=traffic.packets_received,
        ice_state="new" if ice is None else ice.state.value,
        ice_role="unknown" if ice is None else _role(ice),
        dtls_state=secure.state.value,
        srtp_profile="" if secure.profile is None else secure.profile.openssl_name,
        selected_candidate_pair_id=pair_id,
        drops=tuple((reason.value, count) for reason, count in rtp.drops.items()),
    )


def _role(ice: IceAgent) -> str:
    return "controlling" if ice.controlling else "controlled"
