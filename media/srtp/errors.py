"""Why a packet could not be protected, or is not accepted."""

from __future__ import annotations

import enum


class SrtpFailure(enum.Enum):
    """What was wrong, in words that fit a counter's label."""

    MALFORMED = "malformed"
    """Not the layout of an RTP or RTCP packet, or too short to be protected."""
    TOO_LONG = "too-long"
    """More than the implementation of this profile can hold."""
    AUTHENTICATION_FAILED = "authentication-failed"
    REPLAYED = "replayed"
    """A packet with this index was accepted before (RFC 3711 section 3.3.2)."""
    TOO_OLD = "too-old"
    """Below the replay window, so it cannot be told from a replay."""
    INDEX_REUSED = "index-reused"
    """The sender was given a sequence number that does not follow the last one."""
    KEY_EXHAUSTED = "key-exhausted"
    """2**48 RTP or 2**31 RTCP packets were protected (RFC 3711 section 9.2)."""
    TOO_MANY_STREAMS = "too-many-streams"
    """More SSRCs than one context keeps state for."""


class SrtpError(Exception):
    """The packet must not be sent, or not be used; ``reason`` says why."""

    def __init__(self, reason: SrtpFailure) -> None:
        super().__init__(reason.value)
        self.reason = reason
