"""Where a relay listens, as an operator says it: udp://, tcp://, tls:// or dtls://HOST:PORT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from transport import TransportAddress, TransportProtocol
from turn.aio import Endpoint, EndpointUnavailable, ServerCertificate

from .daemon import listening_error
from .endpoint import parse_endpoint
from .errors import HairpinError
from .listening import expand
from .tls import server_context

PORT = 3478
SECURE_PORT = 5349
"""Of TLS and DTLS (RFC 8656 section 5)."""

_SCHEMES = {each.value: each for each in TransportProtocol}


def parse_relay_endpoint(text: str) -> Endpoint:
    """A transport and an address; without a port, the transport's own.

    Raises:
        ValueError: it is something else; the message says what is expected.
    """
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in _SCHEMES:
        raise ValueError(f"{text!r} is not udp://, tcp://, tls:// or dtls://HOST:PORT")
    transport = _SCHEMES[scheme]
    secure = transport in (TransportProtocol.TLS, TransportProtocol.DTLS)
    default = SECURE_PORT if secure else PORT
    return Endpoint(transport, parse_endpoint(_with_port(rest, default)))


def _with_port(host: str, port: int) -> str:
    """A host alone has no colon, but for those within brackets."""
    if host and (host.endswith("]") or ":" not in host):
        return f"{host}:{port}"
    return host


def expand_endpoints(endpoints: Sequence[Endpoint]) -> Iterator[Endpoint]:
    """A wildcard as the addresses that it stands for; each endpoint once."""
    seen: set[Endpoint] = set()
    for endpoint in endpoints:
        for address in expand([endpoint.address]):
            each = Endpoint(endpoint.transport, address)
            if each not in seen:
                seen.add(each)
                yield each


def check_certificate(
    endpoints: Sequence[Endpoint], certificate: str | None, key: str | None
) -> ServerCertificate | None:
    """The certificate of a relay that needs one.

    Raises:
        HairpinError: it is missing, or cannot be used.
    """
    if (certificate is None) != (key is None):
        raise HairpinError("--tls-cert and --tls-key go together")
    secure = [each for each in endpoints if each.is_secure]
    if certificate is None or key is None:
        if secure:
            raise HairpinError(f"{secure[0]} needs a certificate: --tls-cert FILE --tls-key FILE")
        return None
    server_context(certificate, key)
    found = ServerCertificate(certificate, key)
    if any(each.transport is TransportProtocol.DTLS for each in secure):
        _check_dtls(found)
    return found


def _check_dtls(certificate: ServerCertificate) -> None:
    try:
        certificate.dtls()
    except ImportError as error:
        raise HairpinError("dtls:// needs pyOpenSSL: pip install 'hairpin[dtls]'") from error
    except ValueError as error:
        raise HairpinError(f"--tls-cert {certificate.chain}: {error}") from error


def endpoint_error(error: EndpointUnavailable, flag: str) -> HairpinError:
    """Why a relay cannot listen, and the flag that changes it."""
    address = error.endpoint.address
    return listening_error(address, flag, OSError(error.errno, str(error.strerror)))


def plain_endpoints(address: TransportAddress) -> tuple[Endpoint, ...]:
    """UDP, and TCP for those whose network lets no UDP out."""
    return (Endpoint(TransportProtocol.UDP, address), Endpoint(TransportProtocol.TCP, address))


class RelayEndpointType(click.ParamType[Endpoint]):
    """A click parameter that is an endpoint."""

    name = "udp|tcp|tls|dtls://HOST:PORT"

    def convert(
        self, value: str | Endpoint, param: click.Parameter | None, ctx: click.Context | None
    ) -> Endpoint:
        if isinstance(value, Endpoint):
            return value
        try:
            return parse_relay_endpoint(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class RelayListenType(click.ParamType[tuple[Endpoint, ...]]):
    """The same, and HOST:PORT for UDP and TCP."""

    name = "[udp|tcp|tls|dtls://]HOST:PORT"

    def convert(
        self,
        value: str | tuple[Endpoint, ...],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[Endpoint, ...]:
        if isinstance(value, tuple):
            return value
        try:
            if "://" in value:
                return (parse_relay_endpoint(value),)
            return plain_endpoints(parse_endpoint(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


RELAY_ENDPOINT = RelayEndpointType()
RELAY_LISTEN = RelayListenType()
