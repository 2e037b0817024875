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
from transport import DecodeError, TransportAddress
from turn.aio import RelayServer
from turn.credentials import CredentialVerifier, RelaySecret, SecretAlgorithm
from turn.server import IPNetwork, ServerConfig

from .daemon import listening_error
from .listening import expand, farthest_first, told_to_clients

REALM = "hairpin"
DEFAULT_PORT = 3478

MAX_URIS = 4
"""Of one entry of an IceServerList: the C SDK takes no more."""


@dataclasses.dataclass(frozen=True, slots=True)
class OwnRelay:
    """A relay in this process; private peers are refused but for ``allow_peers``."""

    listen: TransportAddress
    allow_peers: tuple[IPNetwork, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class OtherRelays:
    """Relays that share a secret with us: coturn's static-auth-secret, or ``hairpin relay
    --secret``."""

    uris: tuple[str, ...]
    secret: str = dataclasses.field(repr=False)

    def issuer(self) -> IceServerIssuer:
        """What grants their use."""
        return IceServerIssuer(self.uris, RelaySecret(self.secret.encode()))


def own_networks(listen: TransportAddress) -> tuple[IPNetwork, ...]:
    """This host's addresses, as peers that the demo's relay may reach.

    Loopback is among them only while clients are on this host too: others are not to be
    led to what listens there alone.
    """
    addresses = {interface.ip for interface in local_addresses()} | {listen.ip}
    return tuple(
        ipaddress.ip_network(ip)
        for ip in addresses
        if not ip.is_link_local and not ip.is_unspecified
        if not ip.is_loopback or listen.ip.is_loopback
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
    at ``public_host``, where they reach the service, or at the address that they reached.

    Raises:
        HairpinError: the address cannot be listened on.
    """
    allow_many_sockets()
    secret = RelaySecret(os.urandom(32), SecretAlgorithm.SHA256)
    listening = tuple(expand([options.listen]))
    config = ServerConfig(
        realm=REALM,
        credentials=CredentialVerifier(secrets=[secret]),
        listening=listening,
        relay_addresses=farthest_first(listening),
        allow_peers=options.allow_peers,
    )
    try:
        relay = await stack.enter_async_context(RelayServer.open(config))
    except OSError as error:
        raise listening_error(options.listen, "--relay-listen", error) from error
    if drain:
        stack.push_async_callback(relay.drain, drain)
    return relay, _issuer(options.listen, relay.addresses, secret, public_host=public_host)


def _issuer(
    listen: TransportAddress,
    addresses: Sequence[TransportAddress],
    secret: RelaySecret,
    *,
    public_host: str | None,
) -> IceServerIssuer:
    told = tuple(_uri(str(each)) for each in told_to_clients(addresses, at_most=MAX_URIS))
    if not listen.ip.is_unspecified:
        return IceServerIssuer(told, secret)
    if public_host is not None and listen.port:
        return IceServerIssuer((_uri(f"{public_host}:{listen.port}"),), secret)
    uris_at = {each.ip: (_uri(str(each)),) for each in addresses}
    return IceServerIssuer(told, secret, uris_at=uris_at)


def _uri(endpoint: str) -> str:
    return f"turn:{endpoint}?transport=udp"


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
