"""Why something from the server, or to a peer, was not acted upon; each is counted."""

from __future__ import annotations

import enum
import logging

logger = logging.getLogger(__name__)


class DropReason(enum.Enum):
    """What was wrong; the keys of ``ClientStats.drops``."""

    FOREIGN_PATH = "did not come from the server on our path"
    NOT_ALLOCATED = "there is no allocation"
    UNKNOWN_PROTOCOL = "neither STUN nor ChannelData"
    MALFORMED = "not a STUN message, or an attribute of it is malformed"
    BAD_FINGERPRINT = "a STUN message whose FINGERPRINT is wrong"
    UNKNOWN_TRANSACTION = "a response to nothing that is under way"
    UNEXPECTED_MESSAGE = "neither a response nor a Data indication"
    UNKNOWN_ATTRIBUTE = "an indication with a comprehension-required attribute that is unknown"
    INCOMPLETE_INDICATION = "a Data indication without a peer, or without data"
    REPEATED_ATTEMPT = "a ConnectionAttempt that waits to be accepted already"
    UNKNOWN_CHANNEL = "ChannelData on a channel that is not bound"
    SHORT_CHANNEL_DATA = "ChannelData shorter than it says"
    NO_PERMISSION = "data from a peer that has no permission"
    SEND_WITHOUT_PERMISSION = "data to a peer that has no permission"
    DONT_FRAGMENT_UNKNOWN = "not to be cut, through a server that does not know DONT-FRAGMENT"


class Drops:
    """Counts drops by reason."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[DropReason, int] = {}

    def add(self, reason: DropReason) -> None:
        self.counts[reason] = self.counts.get(reason, 0) + 1
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("dropped: %s", reason.value)
