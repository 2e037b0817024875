"""Where a client is in its one allocation's life."""

from __future__ import annotations

import enum


class ClientState(enum.Enum):
    """NEW -> (CONNECTING ->) ALLOCATING -> ALLOCATED -> RELEASING -> CLOSED; any -> CLOSED."""

    NEW = "new"
    CONNECTING = "connecting"
    """A stream to the server is being opened."""
    ALLOCATING = "allocating"
    ALLOCATED = "allocated"
    RELEASING = "releasing"
    CLOSED = "closed"
