"""``hairpin relay``: the STUN and TURN server as a daemon."""

from __future__ import annotations

import contextlib

import click

from hairpin.authorization import TokenKeyType
from hairpin.configuration import config_option
from hairpin.daemon import run_daemon
from hairpin.endpoint import parse_endpoint
from hairpin.parameters import IPType, NetworkType, PortsType, SecretPairType
from hairpin.relay_daemon import EXTENSIONS, RelayOptions, start_relay_daemon
from hairpin.relay_endpoints import RELAY_ENDPOINT
from transport import IPAddress, TransportAddress
from turn.aio import Endpoint, RelayEventLoop
from turn.server import IPNetwork
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
        return await start_relay_daemon(stack, options, drain)

    run_daemon(start, drain=drain, loop_factory=RelayEventLoop)
