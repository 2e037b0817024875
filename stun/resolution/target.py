"""Where a server may be, and over which transports it may be spoken to (RFC 5928 section 3)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from stun.uri import PORT, SECURE_PORT, ServerUri, UriScheme
from transport import TransportAddress, TransportProtocol

from .errors import UnsupportedTransport, UnverifiableServer

SECURED = (TransportProtocol.TLS, TransportProtocol.DTLS)


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """One transport address to try, over one transport.

    ``host`` is the name, or the IP address, that the address was found for: targets with the
    same host, transport and port are the addresses of one server. ``server_name`` is what its
    certificate must name: the URI's host, whatever DNS made of that (RFC 8489 section 6.2.3).
    """

    transport: TransportProtocol
    address: TransportAddress
    host: str
    server_name: str | None = None

    @property
    def server(self) -> tuple[TransportProtocol, str, int]:
        """What all addresses of one server share."""
        return self.transport, self.host, self.address.port

    def __str__(self) -> str:
        name = "" if self.host == self.address.host else f" ({self.host})"
        return f"{self.address}{name} over {self.transport.value.upper()}"


def usable_transports(
    uri: ServerUri, supported: Sequence[TransportProtocol]
) -> tuple[TransportProtocol, ...]:
    """What of ``supported`` the URI may lead to, in the order of preference.

    For a turn: URI that names neither port nor transport that is also TLS and DTLS, to which
    NAPTR records can point.

    Raises:
        UnsupportedTransport: nothing is left, or the URI's transport is not known.
    """
    usable = tuple(dict.fromkeys(supported))
    if uri.transport is not None:
        if uri.protocol is None:
            raise UnsupportedTransport(f"{uri}: the transport {uri.transport} is not known")
        usable = tuple(each for each in usable if each is uri.protocol)
    elif uri.scheme.is_secure:
        usable = tuple(each for each in usable if each in SECURED)
    elif uri.scheme is UriScheme.STUN or uri.has_port or uri.address is not None:
        usable = tuple(each for each in usable if each not in SECURED)
    if not usable:
        raise UnsupportedTransport(f"{uri}: none of the supported transports serves it")
    return usable


def direct_transports(
    uri: ServerUri, usable: Sequence[TransportProtocol]
) -> tuple[TransportProtocol, ...]:
    """Those that the URI's scheme stands for (RFC 5928 table 1, RFC 7350 section 4.6.2)."""
    return tuple(each for each in usable if (each in SECURED) == uri.scheme.is_secure)


def verified_name(uri: ServerUri, given: str | None) -> str | None:
    """The name that certificates are checked against; ``given`` came with the URI.

    Raises:
        UnverifiableServer: it needs one, and there is none. A stuns: URI is not saved by a
            name (RFC 8489 section 8.1), a turns: URI is (RFC 7350 section 4.6.1).
    """
    if uri.address is None:
        return given or uri.host
    if uri.scheme is UriScheme.STUNS:
        raise UnverifiableServer(f"{uri}: stuns: needs a domain name")
    if uri.scheme is UriScheme.TURNS and given is None:
        raise UnverifiableServer(
            f"{uri}: a certificate is checked against a domain name: put it into the URI, "
            "or give it beside an IP address"
        )
    return given


def default_port(transport: TransportProtocol) -> int:
    return SECURE_PORT if transport in SECURED else PORT


def service_name(uri: ServerUri, transport: TransportProtocol) -> str:
    """What to ask for SRV records (RFC 8489 section 8.1, RFC 7350 section 4.6)."""
    is_stream = transport.is_reliable
    return f"_{uri.scheme.value}._{'tcp' if is_stream else 'udp'}.{uri.host}"
