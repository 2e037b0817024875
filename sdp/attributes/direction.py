"""Who may send media (RFC 8866 section 6.7, RFC 3264 section 6.1)."""

from __future__ import annotations

import enum


class Direction(enum.Enum):
    """One of the four property attributes, seen from who wrote the description."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        return self in (Direction.SENDRECV, Direction.RECVONLY)

    @property
    def reversed(self) -> Direction:
        """The same, seen from the other side."""
        return _OF[self.receives, self.sends]

    def __and__(self, other: Direction) -> Direction:
        """What both allow."""
        return _OF[self.sends and other.sends, self.receives and other.receives]

    def __or__(self, other: Direction) -> Direction:
        """What either allows."""
        return _OF[self.sends or other.sends, self.receives or other.receives]

    def answered(self, wanted: Direction) -> Direction:
        """The direction of an answer to an offer of this one (RFC 3264 section 6.1)."""
        return self.reversed & wanted


_OF = {(d.sends, d.receives): d for d in Direction}
