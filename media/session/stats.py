"""Counters of a session under the names and ids of the W3C's webrtc-stats.

Each record's ``id`` is unique in a session and stays the same for its life; ``type``
is the W3C's RTCStatsType. Times are in seconds, ``timestamp`` is the machine's clock.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from media.units import MediaKind


@dataclasses.dataclass(frozen=True, slots=True)
class CodecStats:
    """RTCCodecStats."""

    type: ClassVar[str] = "codec"

    id: str
    timestamp: float
    mid: str
    payload_type: int
    mime_type: str
    clock_rate: int
    channels: int | None
    sdp_fmtp_line: str


@dataclasses.dataclass(frozen=True, slots=True)
class InboundRtpStats:
    """RTCInboundRtpStreamStats."""

    type: ClassVar[str] = "inbound-rtp"

    id: str
    timestamp: float
    ssrc: int
    mid: str
    kind: MediaKind
    packets_received: int
    packets_lost: int
    packets_discarded: int
    bytes_received: int
    jitter: float
    frames_received: int
    key_frames_received: int
    frames_dropped: int
    retransmitted_packets_received: int
    nack_count: int
    pli_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class OutboundRtpStats:
    """RTCOutboundRtpStreamStats."""

    type: ClassVar[str] = "outbound-rtp"

    id: str
    timestamp: float
    ssrc: int
    mid: str
    kind: MediaKind
    packets_sent: int
    bytes_sent: int
    header_bytes_sent: int
    frames_sent: int
    key_frames_sent: int
    frames_dropped: int
    retransmitted_packets_sent: int
    retransmitted_bytes_sent: int
    nack_count: int
    pli_count: int
    fir_count: int
    target_bitrate: float


@dataclasses.dataclass(frozen=True, slots=True)
class RemoteInboundRtpStats:
    """RTCRemoteInboundRtpStreamStats: what the peer's last report said of our stream."""

    type: ClassVar[str] = "remote-inbound-rtp"

    id: str
    timestamp: float
    ssrc: int
    mid: str
    kind: MediaKind
    local_id: str
    packets_lost: int
    fraction_lost: float
    jitter: float
    round_trip_time: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class CandidatePairStats:
    """RTCIceCandidatePairStats of the selected pair."""

    type: ClassVar[str] = "candidate-pair"

    id: str
    timestamp: float
    transport_id: str
    local_candidate: str
    remote_candidate: str
    nominated: bool


@dataclasses.dataclass(frozen=True, slots=True)
class TransportStats:
    """RTCTransportStats; ``drops`` counts datagrams not used, by reason."""

    type: ClassVar[str] = "transport"

    id: str
    timestamp: float
    bytes_sent: int
    bytes_received: int
    packets_sent: int
    packets_received: int
    ice_state: str
    ice_role: str
    dtls_state: str
    srtp_profile: str
    selected_candidate_pair_id: str
    drops: tuple[tuple[str, int], ...]


Stats = (
    CodecStats
    | InboundRtpStats
    | OutboundRtpStats
    | RemoteInboundRtpStats
    | CandidatePairStats
    | TransportStats
)

StatsReport = dict[str, Stats]
"""The records by their id."""


def report(records: list[Stats]) -> StatsReport:
    return {record.id: record for record in records}
