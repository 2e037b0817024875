"""Which protocol a datagram belongs to, by its first byte (RFC 7983 section 7)."""

from __future__ import annotations

import enum


class DatagramKind(enum.Enum):
    """What shares one UDP port in WebRTC."""

    STUN = "stun"
    ZRTP = "zrtp"
    DTLS = "dtls"
    TURN_CHANNEL = "turn-channel"
    RTP = "rtp"
    """RTP or RTCP; RFC 5761 section 4 tells them apart by the second byte."""
    UNKNOWN = "unknown"


def _kind(first: int) -> DatagramKind:
    match first:
        case n if n <= 3:
            return DatagramKind.STUN
        case n if 16 <= n <= 19:
            return DatagramKind.ZRTP
        case n if 20 <= n <= 63:
            return DatagramKind.DTLS
        case n if 64 <= n <= 79:
            return DatagramKind.TURN_CHANNEL
        case n if 128 <= n <= 191:
            return DatagramKind.RTP
        case _:
            return DatagramKind.UNKNOWN


_KINDS = tuple(_kind(first) for first in range(256))


def datagram_kind(data: bytes) -> DatagramKind:
    """Tell a datagram's protocol; an empty one is UNKNOWN."""
    return _KINDS[data[0]] if data else DatagramKind.UNKNOWN
