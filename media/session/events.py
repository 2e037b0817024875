"""What a peer session reports, beside the events of its ICE agent.

Events of the agent that its driver must answer (``HostAddressesRequested`` and the
like) pass through unchanged.
"""

from __future__ import annotations

import dataclasses
import enum

from media.units import AccessUnit, MediaKind
from transport import Event


class ConnectionState(enum.Enum):
    """ICE and DTLS together, as the W3C's RTCPeerConnectionState."""

    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    FAILED = "failed"
    CLOSED = "closed"


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectionStateChanged(Event):
    """The session as a whole entered another state; ``reason`` says why it failed."""

    state: ConnectionState
    reason: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class LocalCandidate(Event):
    """A candidate to be signaled to the peer (RFC 8829 section 3.5.2).

    An empty ``candidate`` is the end of candidates. ``mid`` and ``media_index`` name
    the media description that carries the bundle's transport.
    """

    candidate: str
    mid: str
    media_index: int
    username_fragment: str


@dataclasses.dataclass(frozen=True, slots=True)
class TrackAdded(Event):
    """The peer may now send in this media description."""

    mid: str
    kind: MediaKind
    stream_ids: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class TrackEnded(Event):
    """The peer stopped sending here: it said BYE, or the direction changed.

    Media that comes after a BYE adds the track again (TrackAdded).
    """

    mid: str


@dataclasses.dataclass(frozen=True, slots=True)
class UnitReceived(Event):
    """A whole access unit came from the peer, in order.

    Its timestamp counts from the track's first unit. ``captured_at`` is when the peer
    took it, in seconds of the peer's wall clock, once a sender report has told: it is
    what tracks are synchronized by.
    """

    mid: str
    unit: AccessUnit
    captured_at: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class KeyframeRequested(Event):
    """The peer asked for a keyframe (PLI or FIR), or our own sender lost its place."""

    mid: str


@dataclasses.dataclass(frozen=True, slots=True)
class BandwidthEstimated(Event):
    """The peer's estimate of what it can receive, for whoever encodes (REMB)."""

    bits_per_second: float
