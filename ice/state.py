"""The states of an agent that an application sees (W3C RTCIceTransportState)."""

from __future__ import annotations

import enum


class IceState(enum.Enum):
    """How far an agent has come."""

    NEW = "new"
    """Waiting for remote credentials, or for candidates of either side."""
    CHECKING = "checking"
    """Checks may run; no component is usable yet."""
    CONNECTED = "connected"
    """Every component has a valid pair: data flows, nomination is not over."""
    COMPLETED = "completed"
    """Every component has its selected pair."""
    DISCONNECTED = "disconnected"
    """Consent checks go unanswered; this may heal by itself."""
    FAILED = "failed"
    """No path was found, or consent expired; only a restart helps."""
    CLOSED = "closed"
