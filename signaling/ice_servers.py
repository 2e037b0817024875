"""ICE servers for the clients of a channel, with credentials that expire.

The relay and the issuer share a secret and nothing else: a password is the HMAC of a
username that says until when it is good (``turn.credentials``).
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping

from transport import IPAddress
from turn.credentials import RelaySecret, make_credentials

DEFAULT_TTL_SECONDS = 300
"""What the KVS service grants; a live allocation is kept beyond it."""

MIN_TTL_SECONDS = 30
MAX_TTL_SECONDS = 86_400
"""The range of ``Ttl`` in the KVS API model."""


MAX_ID_CHARACTERS = 240
"""Channel and client as the relay sees them: with the expiry, a username then has at most
256 characters, which the C SDK has room for (RFC 8489 section 14.3 allows 508 bytes)."""


@dataclasses.dataclass(frozen=True, slots=True)
class IceServerGrant:
    """One entry of an ``IceServerList``: good for ``ttl_seconds`` from its issue."""

    uris: tuple[str, ...]
    username: str
    password: str = dataclasses.field(repr=False)
    ttl_seconds: int


@dataclasses.dataclass(frozen=True, slots=True)
class IceServerIssuer:
    """Grants the use of relays to the clients of channels.

    ``uris`` are RFC 7065 URIs with an explicit port, as some clients need. Clients that
    reached the service at an address in ``uris_at`` are told of the relay there instead:
    they have shown that they can reach it.

    Raises:
        ValueError: there is no URI, or the TTL is out of the API's range.
    """

    uris: tuple[str, ...]
    secret: RelaySecret
    ttl_seconds: int = DEFAULT_TTL_SECONDS
    uris_at: Mapping[IPAddress, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.uris:
            raise ValueError("clients need at least one relay to be told of")
        if not MIN_TTL_SECONDS <= self.ttl_seconds <= MAX_TTL_SECONDS:
            raise ValueError(f"a TTL is from {MIN_TTL_SECONDS} to {MAX_TTL_SECONDS} seconds")

    def grant(
        self, channel_name: str, client_id: str, now: float, *, reached: IPAddress | None = None
    ) -> IceServerGrant:
        """Credentials for one client of a channel; ``now`` is Unix time.

        The relay counts quotas by channel and client. ``reached`` is our own address that
        the client came to, where it is known.
        """
        expiry = int(now) + self.ttl_seconds
        username, password = make_credentials(self.secret, _id(channel_name, client_id), expiry)
        uris = self.uris if reached is None else self.uris_at.get(reached, self.uris)
        return IceServerGrant(uris, username, password, self.ttl_seconds)


def _id(channel_name: str, client_id: str) -> str:
    """What the relay counts by; names too long for a username are told apart by their hash."""
    id = f"{channel_name}/{client_id}"
    return id if len(id) <= MAX_ID_CHARACTERS else hashlib.sha256(id.encode()).hexdigest()
