"""URIs of STUN and TURN servers (RFC 7064 and RFC 7065)."""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
import re
from types import MappingProxyType
from typing import Final, Self

from transport import DecodeError, IPAddress, TransportProtocol

PORT: Final = 3478
"""Over UDP and TCP (RFC 7064 section 3.2, RFC 7065 section 3.2)."""

SECURE_PORT: Final = 5349
"""Over TLS and DTLS."""

_ELEMENT: Final = "server URI"
_MAX_CHARACTERS: Final = 512
"""A DNS name has 255 at most; the rest is a scheme, a port and a transport."""

# RFC 3986's generic parser must not be used (RFC 7064 section 3.1): there is no "//".
_FORM: Final = re.compile(
    r"(?P<scheme>stuns?|turns?):"
    r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._~-]+)"
    r"(?::(?P<port>[0-9]{0,5}))?"
    r"(?:\?transport=(?P<transport>[a-z0-9._~-]+))?",
    re.ASCII | re.IGNORECASE,
)


class UriScheme(enum.Enum):
    """What is asked of the server, and whether the way there is to be secured."""

    STUN = "stun"
    STUNS = "stuns"
    TURN = "turn"
    TURNS = "turns"

    @property
    def is_turn(self) -> bool:
        return self in (UriScheme.TURN, UriScheme.TURNS)

    @property
    def is_secure(self) -> bool:
        return self in (UriScheme.STUNS, UriScheme.TURNS)


_PROTOCOLS: Final = MappingProxyType(
    {
        (False, "udp"): TransportProtocol.UDP,
        (False, "tcp"): TransportProtocol.TCP,
        (True, "udp"): TransportProtocol.DTLS,
        (True, "tcp"): TransportProtocol.TLS,
    }
)


@dataclasses.dataclass(frozen=True, slots=True)
class ServerUri:
    """Where a STUN or TURN server is, and how to speak to it.

    ``host`` is a name, or an IP address without brackets. ``transport`` is what the URI
    says in lower case ("udp", "tcp", or a word that is not known), None if it says
    nothing; ``protocol`` is what that means. ``has_port`` tells whether the URI itself
    says the port: without, DNS may know another (``stun.resolution``).
    """

    scheme: UriScheme
    host: str
    port: int
    transport: str | None = None
    has_port: bool = True

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``stun:host[:port]`` or ``turn:host[:port][?transport=...]``, or their
        secure forms.

        Raises:
            DecodeError: the text is no such URI, or it is a stuns: URI with an IP
                address, for which no certificate can be checked (RFC 8489 section 8.1).
        """
        found = _FORM.fullmatch(text) if len(text) <= _MAX_CHARACTERS else None
        if found is None:
            raise DecodeError(_ELEMENT, "neither stun:host[:port] nor turn:host[:port]")
        scheme = UriScheme(found["scheme"].lower())
        if found["transport"] is not None and not scheme.is_turn:
            raise DecodeError(_ELEMENT, f"{scheme.value}: has no transport")
        default = SECURE_PORT if scheme.is_secure else PORT
        port = int(found["port"]) if found["port"] else default
        if not 0 < port <= 0xFFFF:
            raise DecodeError(_ELEMENT, f"port {port}")
        transport = found["transport"]
        uri = cls(
            scheme,
            _host(found["host"]),
            port,
            None if transport is None else transport.lower(),
            has_port=bool(found["port"]),
        )
        if scheme is UriScheme.STUNS and uri.address is not None:
            raise DecodeError(_ELEMENT, "stuns: needs a domain name")
        return uri

    @property
    def protocol(self) -> TransportProtocol | None:
        """What carries the messages; None for a transport that is not known.

        Without a transport it is what the scheme stands for: UDP, or TLS over TCP.
        """
        asked = self.transport or ("tcp" if self.scheme.is_secure else "udp")
        return _PROTOCOLS.get((self.scheme.is_secure, asked))

    @property
    def address(self) -> IPAddress | None:
        """The host, if it is an IP address and needs no resolution."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        transport = "" if self.transport is None else f"?transport={self.transport}"
        port = f":{self.port}" if self.has_port else ""
        return f"{self.scheme.value}:{host}{port}{transport}"


def _host(text: str) -> str:
    if not text.startswith("["):
        return text
    try:
        return str(ipaddress.IPv6Address(text[1:-1]))
    except ValueError as error:
        raise DecodeError(_ELEMENT, "no IPv6 address in the brackets") from error
