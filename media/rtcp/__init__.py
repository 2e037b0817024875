"""RTCP: reports, feedback, and when to send them (RFC 3550, RFC 4585, RFC 5104, RFC 5506).

``decode_compound`` reads a datagram into packets, each a value with ``encode()``;
``encode_compound`` writes one, ``encode_reduced_size`` where rtcp-rsize was
negotiated. ``is_rtcp`` tells RTCP from RTP on one port. ``RtcpScheduler`` says when a
report is due and whether feedback may go out early.
"""

from .arrivals import ArrivalRecorder
from .compound import (
    RtcpPacket,
    decode_compound,
    encode_compound,
    encode_reduced_size,
    is_full_compound,
    is_rtcp,
)
from .description import (
    SDES_CNAME,
    App,
    Goodbye,
    SdesChunk,
    SdesItem,
    SourceDescription,
    random_cname,
)
from .feedback import (
    FullIntraRequest,
    FullIntraRequestEntry,
    GenericNack,
    PictureLossIndication,
    ReceiverEstimatedMaximumBitrate,
    nack_entries,
)
from .header import UnknownRtcp
from .interval import FeedbackTiming, RtcpScheduler, deterministic_interval
from .members import RtcpMembers
from .ntp import ntp_from_unix, ntp_short, round_trip_time, unix_from_ntp
from .reports import ReceiverReport, ReportBlock, SenderReport
from .transport_feedback import TransportFeedback

__all__ = [
    "SDES_CNAME",
    "App",
    "ArrivalRecorder",
    "FeedbackTiming",
    "FullIntraRequest",
    "FullIntraRequestEntry",
    "GenericNack",
    "Goodbye",
    "PictureLossIndication",
    "ReceiverEstimatedMaximumBitrate",
    "ReceiverReport",
    "ReportBlock",
    "RtcpMembers",
    "RtcpPacket",
    "RtcpScheduler",
    "SdesChunk",
    "SdesItem",
    "SenderReport",
    "SourceDescription",
    "TransportFeedback",
    "UnknownRtcp",
    "decode_compound",
    "deterministic_interval",
    "encode_compound",
    "encode_reduced_size",
    "is_full_compound",
    "is_rtcp",
    "nack_entries",
    "ntp_from_unix",
    "ntp_short",
    "random_cname",
    "round_trip_time",
    "unix_from_ntp",
]
