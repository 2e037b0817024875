"""Every bound on what the client keeps or sends, and its timers, with their reasons."""

from __future__ import annotations

from typing import Final

MAX_PERMISSIONS: Final = 512
"""Per allocation. The peers of one session are a handful; an ICE agent that is told the
candidates of a stranger must not keep the server busy with them."""

MAX_CHANNELS: Final = 512
"""Per allocation, with those whose numbers rest. The numbers alone would allow 4096 (RFC
8656 section 12)."""

MAX_ALLOCATE_TRIES: Final = 3
"""Allocate requests that are answered with 437: RFC 8656 section 7.4 wants three tries."""

MAX_LOCAL_PORTS: Final = 3
"""5-tuples tried on a server that goes on saying 437 (RFC 8656 section 7.4)."""

MAX_SERVERS: Final = 64
"""Servers whose realm and nonce, and whose refusals, are remembered; above it the one
longest unused goes."""

MAX_IPV4_PEERS_PER_REQUEST: Final = 24
MAX_IPV6_PEERS_PER_REQUEST: Final = 12
"""In one CreatePermission: 288 bytes, which leave 260 for username, realm, nonce and
integrity in a message for a path of unknown MTU (548 bytes, RFC 8489 section 6.1)."""

PERMISSION_LIFETIME: Final = 300.0
"""Seconds (RFC 8656 section 9)."""

CHANNEL_LIFETIME: Final = 600.0
"""Seconds (section 12)."""

CHANNEL_REST: Final = 300.0
"""Seconds from a binding's expiry until its number, or its peer, may be bound otherwise
(section 12)."""

REFRESH_MARGIN: Final = 90.0
"""Seconds before its expiry that a permission, a channel or the allocation is refreshed:
two transactions that time out (39.5 s each) fit in, and a pause."""

RETRY_PAUSE: Final = 5.0
"""Seconds from a refresh that failed to the next."""

CAPACITY_PAUSE: Final = 60.0
"""Seconds to wait after 486 or 508 (section 7.4), also where it is about one of two address
families (section 7.3)."""

MISMATCH_PAUSE: Final = 120.0
"""Seconds to leave a server alone that went on saying 437 (section 7.4)."""

MAX_CONNECTING: Final = 64
"""Connections to peers that are being made, of a TCP allocation: what a server may have of
one allocation."""

MAX_CONNECTS: Final = 8
"""Connect requests under way: a peer that is silent takes the server half a minute, and a
Refresh must find room among MAX_OUTSTANDING."""

MAX_ATTEMPTS: Final = 64
"""Connections that peers have opened and nobody has accepted; beyond it the oldest is
forgotten, which the server closes by itself."""

MAX_RESTING_PEERS: Final = 512
"""Peers that could not be reached of late, kept for CONNECT_PAUSE each."""

CONNECT_PAUSE: Final = 10.0
"""Seconds from a 447 to the next Connect to that peer: the least that RFC 6062 section 4.3
allows."""

TOKEN_MARGIN: Final = 120.0
"""Seconds before the end of an access token that a refresh waits for another: the server
grants no longer than the token lasts, so that the refresh comes REFRESH_MARGIN before."""
