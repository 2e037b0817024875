"""``hairpin relay``: the STUN and TURN server as a daemon."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
from collections.abc import Sequence

import click

from hairpin.authorization import TokenKeyType, token_verifier
from hairpin.configuration import config_option
from hairpin.daemon import announce, listening_error, run_daemon
from hairpin.endpoint import parse_endpoint
from hairpin.errors import HairpinError
from hairpin.listening import farthest_first, refused_networks
from hairpin.parameters import IPType, NetworkType, PortsType, SecretPairType
from hairpin.relay import allow_many_sockets
from hairpin.relay_endpoints import (
    RELAY_ENDPOINT,
    check_certificate,
    endpoint_error,
    expand_endpoints,
)
from stun import OpaqueStringError
from transport import IPAddress, TransportAddress, TransportProtocol
from transport.aio import KernelSockets
from turn.aio import (
    AlternateUnavailable,
    Endpoint,
    EndpointUnavailable,
    Listener,
    RelayEventLoop,
    RelayServer,
    bind_alternates,
    bind_endpoints,
)
from turn.credentials import CredentialVerifier, RelaySecret
from turn.server import IPNetwork, ServerConfig
from turn.server.config import MAX_PORT, MIN_PORT
from turn.tokens import TokenKey

DEFAULT_LISTEN = "udp://127.0.0.1:3478"

EPILOG = """\b
Examples:
  hairpin relay --user ann:secret
      on this machine alone, at 127.0.0.1:3478
  hairpin relay --listen udp://198.51.100.7:3478 --realm example.org --secret "$SECRET"
      for the world, with credentials that expire: <expiry>:<id>, base64(HMAC-SHA1)
  hairpin relay --listen udp://198.51.100.7 --listen tls://198.51.100.7:443 \\
      --tls-cert chain.pem --tls-key key.pem --secret "$SECRET"
      for networks that let nothing out but HTTPS, too
  hairpin relay --listen udp://127.0.0.1:3478 --user ann:secret --allow-peer 127.0.0.0/8
      with peers on this machine too, which are refused otherwise

\b
Then give your clients turn:HOST:3478, or turns:HOST:443?transport=tcp, a username and its
password.
"""


class AlternateType(click.ParamType[TransportAddress]):
    """IP:PORT, of this machine."""

    name = "IP:PORT"

    def convert(
        self,
        value: str | TransportAddress,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> TransportAddress:
        if isinstance(value, TransportAddress):
            return value
        try:
            address = parse_endpoint(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if address.ip.is_unspecified:
            self.fail(f"{value!r} is no address to answer from", param, ctx)
        return address


PORT = click.IntRange(1024, 65535)

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


@click.command(epilog=EPILOG)
@config_option
@click.option(
    "--listen",
    type=RELAY_ENDPOINT,
    metavar=RELAY_ENDPOINT.name,
    multiple=True,
    default=[DEFAULT_LISTEN],
    show_default=True,
    help="Where clients come to, over which transport; may be given again. 0.0.0.0 and [::] "
    "stand for every address.",
)
@click.option(
    "--tls-cert", metavar="FILE", help="For tls:// and dtls://: the certificate chain, PEM."
)
@click.option("--tls-key", metavar="FILE", help="Its private key, PEM.")
@click.option(
    "--realm", default="hairpin", show_default=True, help="What clients are told they log in to."
)
@click.option(
    "--user",
    type=SecretPairType("a user", "NAME:PASSWORD"),
    multiple=True,
    help="A user for good; may be given again.",
)
@click.option(
    "--secret",
    metavar="SECRET",
    multiple=True,
    help="A key for credentials that expire; given again, each of them is good.",
)
@click.option(
    "--relay-address",
    type=IPType(),
    multiple=True,
    help="The address to relay from, once per family.  [default: where it listens]",
)
@click.option(
    "--allow-peer",
    type=NetworkType(),
    multiple=True,
    help="A network that may be relayed to, although it is private; may be given again.",
)
@click.option(
    "--deny-peer-port",
    type=PortsType(),
    multiple=True,
    help="Ports that nobody is relayed to, whatever --allow-peer says; may be given again.",
)
@click.option(
    "--min-port", type=PORT, default=MIN_PORT, show_default=True, help="The first to relay from."
)
@click.option(
    "--max-port", type=PORT, default=MAX_PORT, show_default=True, help="The last to relay from."
)
@click.option(
    "--enable",
    type=click.Choice(EXTENSIONS),
    multiple=True,
    help="An extension that is off otherwise: TCP to peers (RFC 6062), NAT behavior discovery "
    "(RFC 5780), answers to clients of RFC 3489, clients that change their address (RFC 8016), "
    "third-party authorization (RFC 7635). May be given again.",
)
@click.option(
    "--alternate-address",
    type=AlternateType(),
    metavar=AlternateType.name,
    help="A second IP address of this machine, and a second port, to answer from: with "
    "--enable nat-discovery clients can find out then how their NAT behaves.",
)
@click.option(
    "--oauth-server-name",
    metavar="NAME",
    help="What authorization servers call this relay, with --enable third-party-auth; by "
    "default the realm.",
)
@click.option(
    "--oauth-key",
    type=TokenKeyType(),
    metavar=TokenKeyType.name,
    multiple=True,
    help="A key that an authorization server seals access tokens with, 32 bytes (A256GCM) or "
    "16 (A128GCM), and the Unix time of its end; given again, each of them is good.",
)
@click.option(
    "--drain",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    default=0.0,
    help="When told to stop, let the clients there are go on for so long.",
)
def command(
    listen: tuple[Endpoint, ...],
    tls_cert: str | None,
    tls_key: str | None,
    realm: str,
    user: tuple[tuple[str, str], ...],
    secret: tuple[str, ...],
    relay_address: tuple[IPAddress, ...],
    allow_peer: tuple[IPNetwork, ...],
    deny_peer_port: tuple[range, ...],
    min_port: int,
    max_port: int,
    enable: tuple[str, ...],
    alternate_address: TransportAddress | None,
    oauth_server_name: str | None,
    oauth_key: tuple[TokenKey, ...],
    drain: float,
) -> None:
    """Relay for clients that find no direct path to each other (STUN and TURN).

    Peers at private, loopback and other addresses where a relay must not reach are refused
    unless --allow-peer names their network. "ready" and where it listens are printed
    once it does; SIGINT or SIGTERM ends it.
    """
    options = RelayOptions(
        listen,
        realm,
        user,
        secret,
        relay_address,
        allow_peer,
        min_port,
        max_port,
        enable,
        deny_peer_port,
        alternate_address,
        tls_cert,
        tls_key,
        oauth_server_name,
        oauth_key,
    )

    async def start(stack: contextlib.AsyncExitStack) -> str:
        return await _start(stack, options, drain)

    run_daemon(start, drain=drain, loop_factory=RelayEventLoop)


async def _start(stack: contextlib.AsyncExitStack, options: RelayOptions, drain: float) -> str:
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
