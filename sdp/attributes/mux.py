"""What happens to an attribute when sections are bundled (RFC 8859 section 4)."""

from __future__ import annotations

import enum


class MuxCategory(enum.Enum):
    """The mux categories that concern WebRTC."""

    NORMAL = "normal"
    CAUTION = "caution"
    IDENTICAL = "identical"
    SUM = "sum"
    TRANSPORT = "transport"
    INHERIT = "inherit"
    IDENTICAL_PER_PT = "identical-per-pt"
    SPECIAL = "special"
    TBD = "tbd"


_C = MuxCategory

CATEGORIES = {
    "candidate": _C.TRANSPORT,
    "crypto": _C.TRANSPORT,
    "end-of-candidates": _C.IDENTICAL,
    "extmap": _C.SPECIAL,
    "extmap-allow-mixed": _C.IDENTICAL,
    "fingerprint": _C.TRANSPORT,
    "fmtp": _C.IDENTICAL_PER_PT,
    "group": _C.NORMAL,
    "ice-lite": _C.NORMAL,
    "ice-mismatch": _C.NORMAL,
    "ice-options": _C.NORMAL,
    "ice-pacing": _C.NORMAL,
    "ice-pwd": _C.TRANSPORT,
    "ice-ufrag": _C.TRANSPORT,
    "inactive": _C.NORMAL,
    "max-message-size": _C.CAUTION,
    "maxptime": _C.IDENTICAL_PER_PT,
    "mid": _C.NORMAL,
    "msid": _C.NORMAL,
    "ptime": _C.IDENTICAL_PER_PT,
    "recvonly": _C.NORMAL,
    "remote-candidates": _C.TRANSPORT,
    "rid": _C.NORMAL,
    "rtcp": _C.TRANSPORT,
    "rtcp-fb": _C.IDENTICAL_PER_PT,
    "rtcp-mux": _C.IDENTICAL,
    "rtcp-mux-only": _C.IDENTICAL,
    "rtcp-rsize": _C.IDENTICAL,
    "rtpmap": _C.IDENTICAL_PER_PT,
    "sctp-port": _C.CAUTION,
    "sendonly": _C.NORMAL,
    "sendrecv": _C.NORMAL,
    "setup": _C.TRANSPORT,
    "simulcast": _C.NORMAL,
    "ssrc": _C.NORMAL,
    "ssrc-group": _C.NORMAL,
    "tls-id": _C.IDENTICAL,
}


def category(name: str) -> MuxCategory:
    """An attribute's category; TBD, so handle with caution, for what is not listed."""
    return CATEGORIES.get(name, MuxCategory.TBD)


def is_bundle_attribute(name: str) -> bool:
    """Whether the tagged section's value holds for all that are bundled with it
    (RFC 9143 section 7.1.3)."""
    return category(name) in (MuxCategory.IDENTICAL, MuxCategory.TRANSPORT)
