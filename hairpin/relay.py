"""The relays that the signaling service names: one in its process, or others elsewhere."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import os
import resource
from collections.abc import Sequence

from ice.aio import local_addresses
from signaling.ice_servers import IceServerIssuer
from stun import ServerUri
from transport import DecodeError, TransportProtocol
from turn.aio import Endpoint, EndpointUnavailable, RelayServer, ServerCertificate
from turn.credentials import CredentialVerifier, RelaySecret, SecretAlgorithm
from turn.server import IPNetwork, ServerConfig

from .listening import farthest_first, told_to_clients
from .relay_endpoints import endpoint_error, expand_endpoints

REALM = "hairpin"
DEFAULT_PORT = 3478

TOLD_ORDER = (
    TransportProtocol.UDP,
    TransportProtocol.DTLS,
    TransportProtocol.TCP,
    TransportProtocol.TLS,
)
"""That of the KVS service, which has no plain TCP."""

MAX_URIS = 4
"""Of one entry of an IceServerList: the C SDK takes no more."""


@dataclasses.dataclass(frozen=True, slots=True)
class OwnRelay:
    """A relay in this process; private peers are refused but for ``allow_peers``.

    TLS and DTLS take a ``certificate``.
    """

    listen: tuple[Endpoint, ...]
    allow_peers: tuple[IPNetwork, ...] = ()
    certificate: ServerCertificate | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class OtherRelays:
    """Relays that share a secret with us: coturn's static-auth-secret, or ``hairpin relay
    --secret``."""

    uris: tuple[str, ...]
    secret: str = dataclasses.field(repr=False)

    def issuer(self) -> IceServerIssuer:
        """What grants their use."""
        return IceServerIssuer(self.uris, RelaySecret(self.secret.encode()))


def own_networks(listen: Sequence[Endpoint]) -> tuple[IPNetwork, ...]:
    """This host's addresses, as peers that the demo's relay may reach.

    Loopback is among them only while clients are on this host too: others are not to be
    led to what listens there alone.
    """
    at = {each.address.ip for each in listen}
    addresses = {interface.ip for interface in local_addresses()} | at
    return tuple(
        ipaddress.ip_network(ip)
        for ip in addresses
        if not ip.is_link_local and not ip.is_unspecified
        if not ip.is_loopback or all(each.is_loopback for each in at)
    )


def allow_many_sockets() -> None:
    """A client takes up to three descriptors; what is usual allows 1024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def start_relay(
    stack: contextlib.AsyncExitStack,
    options: OwnRelay,
    *,
    public_host: str | None = None,
    drain: float = 0.0,
) -> tuple[RelayServer, IceServerIssuer]:
    """A relay until the stack ends, and what grants its use.

    Its secret is made here and never leaves the process. At the end it waits at most
    ``drain`` seconds for its clients. If it listens on a wildcard, clients are told of it
    at ``public_host``, where they reach the service, or at the address that they reached;
    of TLS and DTLS at ``public_host`` in any case, for a certificate has a name.

    Raises:
        HairpinError: an address cannot be listened on.
    """
    allow_many_sockets()
    secret = RelaySecret(os.urandom(32), SecretAlgorithm.SHA256)
    endpoints = tuple(expand_endpoints(options.listen))
    config = ServerConfig(
        realm=REALM,
        credentials=CredentialVerifier(secrets=[secret]),
        listening=(),
        relay_addresses=farthest_first([each.address for each in endpoints]),
        allow_peers=options.allow_peers,
    )
    try:
        opened = RelayServer.open(config, endpoints=endpoints, certificate=options.certificate)
    except EndpointUnavailable as error:
        raise endpoint_error(error, "--relay-listen") from error
    relay = await stack.enter_async_context(opened)
    if drain:
        stack.push_async_callback(relay.drain, drain)
    return relay, _issuer(options.listen, relay.endpoints, secret, public_host=public_host)


def _issuer(
    listen: Sequence[Endpoint],
    endpoints: Sequence[Endpoint],
    secret: RelaySecret,
    *,
    public_host: str | None,
) -> IceServerIssuer:
    """Every transport of the address that reaches farthest, then those of the next."""
    addresses = [each.address for each in endpoints]
    reaching = [each.ip for each in told_to_clients(addresses, at_most=len(addresses))]
    by_transport = sorted(endpoints, key=lambda each: TOLD_ORDER.index(each.transport))
    told = [
        each for ip in dict.fromkeys(reaching) for each in by_transport if each.address.ip == ip
    ]
    uris = _uris(told, public_host)
    if not any(each.address.ip.is_unspecified for each in listen):
        return IceServerIssuer(uris, secret)
    if public_host is not None and all(each.address.port for each in listen):
        at_name = [_uri(each, f"{public_host}:{each.address.port}") for each in by_transport]
        return IceServerIssuer(tuple(dict.fromkeys(at_name))[:MAX_URIS], secret)
    uris_at = {
        ip: _uris([each for each in by_transport if each.address.ip == ip], public_host)
        for ip in {each.ip for each in addresses}
    }
    return IceServerIssuer(uris, secret, uris_at=uris_at)


def _uris(endpoints: Sequence[Endpoint], public_host: str | None) -> tuple[str, ...]:
    uris = (
        _uri(each, f"{public_host}:{each.address.port}" if each.is_secure and public_host else "")
        for each in endpoints
    )
    return tuple(dict.fromkeys(uris))[:MAX_URIS]


def _uri(endpoint: Endpoint, public: str) -> str:
    where = public or str(endpoint.address)
    scheme = "turns" if endpoint.is_secure else "turn"
    transport = "tcp" if endpoint.transport.is_reliable else "udp"
    return f"{scheme}:{where}?transport={transport}"


def relay_uri(text: str) -> str:
    """The URI of a relay as every client reads it: with its port.

    Raises:
        ValueError: it is no turn: or turns: URI.
    """
    try:
        uri = ServerUri.parse(text)
    except DecodeError as error:
        raise ValueError(str(error)) from error
    if not uri.scheme.is_turn:
        raise ValueError(f"{text!r} is not turn:HOST:PORT or turns:HOST:PORT")
    host = f"[{uri.host}]" if ":" in uri.host else uri.host
    transport = f"?transport={uri.transport}" if uri.transport else ""
    return f"{uri.scheme.value}:{host}:{uri.port}{transport}"
