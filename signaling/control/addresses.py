"""Where the clients of a channel go: the endpoints that the service hands out."""

from __future__ import annotations

import dataclasses
import urllib.parse

from signaling.routing import Role
from signaling.sigv4 import host_header
from transport import IPAddress, TransportAddress

ROLE_PATHS = {Role.MASTER: "/master", Role.VIEWER: "/viewer"}
"""The role is carried by the endpoint: what a client sends beside it does not count."""


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoints:
    """The endpoints of a service that clients reach at ``public_url``.

    A default port is left out, as HTTP clients leave it out of the Host that they sign.

    Raises:
        ValueError: the URL is not ``http(s)://host[:port]``.
    """

    public_url: str

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.public_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"a public URL is http(s)://host[:port], not {self.public_url!r}")
        if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
            raise ValueError(f"a public URL has a host and a port only: {self.public_url!r}")

    @property
    def host(self) -> str:
        """The Host that clients sign."""
        return host_header(self.public_url)

    @property
    def https(self) -> str:
        """Of the signaling REST operations."""
        return f"{urllib.parse.urlsplit(self.public_url).scheme}://{self.host}"

    def wss(self, role: Role) -> str:
        """Of a role's WebSockets: ``wss`` where the public URL is ``https``."""
        is_secure = urllib.parse.urlsplit(self.public_url).scheme == "https"
        return f"{'wss' if is_secure else 'ws'}://{self.host}{ROLE_PATHS[role]}"

    def at(self, address: TransportAddress) -> Endpoints:
        """The same service, reached at ``address``."""
        return Endpoints(f"{urllib.parse.urlsplit(self.public_url).scheme}://{address}")


@dataclasses.dataclass(frozen=True, slots=True)
class Reached:
    """Where one client came to, and is told to come back to.

    ``ip`` is the local address of its connection, where a relay on the same host may be
    reached too; None where a public URL stands for all.
    """

    endpoints: Endpoints
    ip: IPAddress | None = None
