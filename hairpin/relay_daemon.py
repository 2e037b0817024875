"""The STUN and TURN server that ``hairpin relay`` runs, as its options say."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
from collections.abc import Sequence

from stun import OpaqueStringError
from transport import IPAddress, TransportAddress, TransportProtocol
from transport.aio import KernelSockets
from turn.aio import (
    AlternateUnavailable,
    Endpoint,
    EndpointUnavailable,
    Listener,
    RelayServer,
    bind_alternates,
    bind_endpoints,
)
from turn.credentials import CredentialVerifier, RelaySecret
from turn.server import IPNetwork, ServerConfig
from turn.tokens import TokenKey

from .authorization import token_verifier
from .daemon import announce, listening_error
from .errors import HairpinError
from .listening import farthest_first, refused_networks
from .relay import allow_many_sockets
from .relay_endpoints import check_certificate, endpoint_error, expand_endpoints

EXTENSIONS = ("tcp-relay", "nat-discovery", "classic-stun", "mobility", "third-party-auth")
"""What a relay offers only where it is asked to: a flag of ServerConfig each."""


@dataclasses.dataclass(frozen=True, slots=True)
class RelayOptions:
    """What the command line said."""

    listen: tuple[Endpoint, ...]
    realm: str
    user: tuple[tuple[str, str], ...] = dataclasses.field(repr=False)
    secret: tuple[str, ...] = dataclasses.field(repr=False)
    relay_address: tuple[IPAddress, ...]
    allow_peer: tuple[IPNetwork, ...]
    min_port: int
    max_port: int
    enable: tuple[str, ...] = ()
    deny_peer_port: tuple[range, ...] = ()
    alternate_address: TransportAddress | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    oauth_server_name: str | None = None
    oauth_key: tuple[TokenKey, ...] = ()


async def start_relay_daemon(
    stack: contextlib.AsyncExitStack, options: RelayOptions, drain: float
) -> str:
    """A relay until the stack ends; where it listens. ``drain`` is in seconds.

    Raises:
        HairpinError: two options do not fit together, or an address is not to be had.
    """
    allow_many_sockets()
    verifier = _verifier(options)
    endpoints = list(expand_endpoints(options.listen))
    certificate = check_certificate(endpoints, options.tls_cert, options.tls_key)
    if certificate is not None and not any(each.is_secure for each in endpoints):
        raise HairpinError("--tls-cert is for tls:// and dtls://: give one of them to --listen")
    config = _config(options, verifier, endpoints)
    _check_relay_addresses(options.relay_address)
    listeners = _bind(config, endpoints)
    relay = RelayServer(config, listeners, certificate=certificate)
    stack.push_async_callback(relay.aclose)
    if drain:
        stack.push_async_callback(relay.drain, drain)
    announce(f"realm      {options.realm}")
    announce(f"relaying   from {', '.join(map(str, config.relay_addresses))}")
    if refused := refused_networks(config.relay_addresses, options.allow_peer):
        announce(f"refusing   {refused}")
    if relay.config.alternate_address is not None:
        announce(f"alternate  {relay.config.alternate_address}, for NAT behavior discovery")
    # What has been imported and made until here stays: the collector need not walk it.
    gc.collect()
    gc.freeze()
    return " ".join(map(str, relay.endpoints[: len(endpoints)]))


def _verifier(options: RelayOptions) -> CredentialVerifier:
    if not options.user and not options.secret and not options.oauth_key:
        raise HairpinError(
            "nobody could use this relay: give it --user NAME:PASSWORD or --secret SECRET"
        )
    names = [name for name, _ in options.user]
    if twice := {name for name in names if names.count(name) > 1}:
        raise HairpinError(f"--user is given twice for {', '.join(sorted(twice))}")
    try:
        secrets = [RelaySecret(secret.encode()) for secret in options.secret]
        return CredentialVerifier(dict(options.user), secrets)
    except (OpaqueStringError, ValueError) as error:
        raise HairpinError(f"--user or --secret: {error}") from error


def _config(
    options: RelayOptions, verifier: CredentialVerifier, endpoints: Sequence[Endpoint]
) -> ServerConfig:
    tokens = token_verifier(
        options.oauth_server_name,
        options.oauth_key,
        realm=options.realm,
        is_enabled="third-party-auth" in options.enable,
    )
    listening = [each.address for each in endpoints]
    datagrams = [each.address for each in endpoints if not each.transport.is_reliable]
    try:
        return ServerConfig(
            realm=options.realm,
            credentials=verifier,
            listening=tuple(dict.fromkeys(datagrams)),
            relay_addresses=options.relay_address or farthest_first(listening),
            allow_peers=options.allow_peer,
            deny_peer_ports=options.deny_peer_port,
            min_port=options.min_port,
            max_port=options.max_port,
            tcp_relay="tcp-relay" in options.enable,
            nat_discovery="nat-discovery" in options.enable,
            classic_stun="classic-stun" in options.enable,
            mobility="mobility" in options.enable,
            third_party_auth=tokens,
            alternate_address=options.alternate_address,
        )
    except ValueError as error:
        raise HairpinError(str(error)) from error


def _check_relay_addresses(addresses: Sequence[IPAddress]) -> None:
    for ip in addresses:
        try:
            KernelSockets().bind(TransportAddress(ip, 0)).close()
        except OSError as error:
            raise HairpinError(
                f"{ip} is not an address of this machine: choose another with --relay-address IP"
            ) from error


def _bind(config: ServerConfig, endpoints: Sequence[Endpoint]) -> list[Listener]:
    """Those for datagrams first, and behind them the alternate ones of RFC 5780."""
    try:
        listeners = bind_endpoints(endpoints)
    except EndpointUnavailable as error:
        raise endpoint_error(error, "--listen") from error
    with contextlib.ExitStack() as unless_kept:
        for each in listeners:
            unless_kept.enter_context(each.socket)
        datagrams = [each.socket for each in listeners if not each.is_stream]
        try:
            alternates = bind_alternates(config, datagrams)
        except AlternateUnavailable as error:
            raise listening_error(error.address, "--alternate-address", error) from error
        unless_kept.pop_all()
    udp = frozenset({TransportProtocol.UDP})
    return [*listeners, *(Listener(each, udp) for each in alternates)]
