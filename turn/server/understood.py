"""Which attributes this server understands (RFC 8489 section 6.3.1)."""

from __future__ import annotations

from typing import Final

from stun import (
    KNOWN_TYPES,
    AccessToken,
    ChangeRequest,
    ConnectionId,
    Padding,
    ResponsePort,
)

from .config import ServerConfig

UNDERSTOOD: Final = KNOWN_TYPES - {
    # Not offered, or by option alone: RFC 6062, 7635 and 5780.
    ConnectionId.TYPE,
    AccessToken.TYPE,
    ChangeRequest.TYPE,
    Padding.TYPE,
    ResponsePort.TYPE,
}
"""The rest is obeyed, or known and of no meaning in a request to a relay."""


def understood_by(config: ServerConfig) -> frozenset[int]:
    """With what the extensions add that this server offers."""
    added = set()
    if config.third_party_auth is not None:
        added.add(AccessToken.TYPE)
    if config.tcp_relay:
        added.add(ConnectionId.TYPE)
    return UNDERSTOOD | added
