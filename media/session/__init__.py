"""A peer connection as a machine without I/O: ICE, DTLS, SRTP, RTP and offer/answer.

Start with ``PeerSession``. Its driver feeds it datagrams and time, answers the events
of its ICE agent, and carries descriptions and ``LocalCandidate`` to the peer over
whatever signaling there is; ``UnitReceived`` is the media that comes,
``PeerSession.send_unit`` the media that goes. ``media.aio.PeerConnection`` drives one
with asyncio.
"""

from .codecs import (
    DEFAULT_CODECS,
    DEFAULT_EXTENSIONS,
    h264,
    opus,
    video_rtx,
    vp8,
)
from .config import InjectedKeys, SessionConfig
from .description import LocalDescription
from .errors import SessionClosed, SessionError, UnknownMedia
from .events import (
    BandwidthEstimated,
    ConnectionState,
    ConnectionStateChanged,
    KeyframeRequested,
    LocalCandidate,
    TrackAdded,
    TrackEnded,
    UnitReceived,
)
from .peer_session import PeerSession
from .stats import (
    CandidatePairStats,
    CodecStats,
    InboundRtpStats,
    OutboundRtpStats,
    RemoteInboundRtpStats,
    Stats,
    StatsReport,
    TransportStats,
)

__all__ = [
    "PeerSession",
    "DEFAULT_CODECS",
    "DEFAULT_EXTENSIONS",
    "BandwidthEstimated",
    "CandidatePairStats",
    "CodecStats",
    "ConnectionState",
    "ConnectionStateChanged",
    "InboundRtpStats",
    "InjectedKeys",
    "KeyframeRequested",
    "LocalCandidate",
    "LocalDescription",
    "OutboundRtpStats",
    "RemoteInboundRtpStats",
    "SessionClosed",
    "SessionConfig",
    "SessionError",
    "Stats",
    "StatsReport",
    "TrackAdded",
    "TrackEnded",
    "TransportStats",
    "UnitReceived",
    "UnknownMedia",
    "h264",
    "opus",
    "video_rtx",
    "vp8",
]
