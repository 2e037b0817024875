"""Why something from the network or the peer was not acted upon; each is counted."""

from __future__ import annotations

import enum
import logging

logger = logging.getLogger(__name__)


class DropReason(enum.Enum):
    """What was wrong; the keys of ``IceStats.drops``."""

    CLOSED = "the agent is closed"
    UNKNOWN_BASE = "came to a local address that is not ours"
    UNVALIDATED_SOURCE = "data from a path that no check has proven"
    MALFORMED = "not a STUN message"
    NO_FINGERPRINT = "a STUN message without FINGERPRINT"
    BAD_FINGERPRINT = "a STUN message whose FINGERPRINT is wrong"
    UNEXPECTED_METHOD = "neither a Binding request nor an answer to one"
    INDICATION = "a keepalive; nothing to do"
    UNKNOWN_TRANSACTION = "a response to nothing that we have sent"
    BAD_RESPONSE_INTEGRITY = "a response that the peer's password does not prove"
    REQUEST_REFUSED = "a request answered with an error"
    REFUSED_ADDRESS = "the address policy forbids the remote address"
    EARLY_REQUESTS_FULL = "too many paths sent requests before the credentials"
    PEER_REFLEXIVE_FULL = "too many peer-reflexive candidates"
    VALIDATED_PATHS_FULL = "too many paths proven"
    CHECKLIST_FULL = "no room for a pair on the checklists"
    TRANSACTIONS_FULL = "too many checks unanswered"
    HOST_NAME = "a candidate whose address is a host name"
    UNUSABLE_CANDIDATE = "a candidate of a transport, component or address that is not used"
    CANDIDATES_FULL = "too many candidates signalled"
    STALE_GENERATION = "a candidate of a former generation"
    DUPLICATE_CANDIDATE = "a candidate that is known"
    AFTER_END_OF_CANDIDATES = "a candidate after the end of candidates"
    UNUSABLE_SERVER = "a server's URL that cannot be used, for a reason in the log"
    SOURCES_FULL = "too many pairs of host address and server"
    REFLEXIVE_FULL = "servers named too many mapped addresses of one base"
    PEER_REFUSED = "a TURN server relays nothing to this address"
    HELD_CHECKS_FULL = "too many checks wait for a permission"
    SEND_WITHOUT_PAIR = "data to send, and no pair to send it on"


class Drops:
    """Counts drops by reason."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[DropReason, int] = {}

    def add(self, reason: DropReason) -> None:
        self.counts[reason] = self.counts.get(reason, 0) + 1
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("dropped: %s", reason.value)
