"""``hairpin serve``: control plane, signaling and relay as a daemon."""

from __future__ import annotations

import os
import pathlib

import click

from hairpin.configuration import config_option
from hairpin.daemon import Life, announce, run_daemon
from hairpin.endpoint import ENDPOINT
from hairpin.errors import HairpinError
from hairpin.listening import refused_networks
from hairpin.parameters import BaseUrlType, NetworkType, SecretPairType
from hairpin.relay import DEFAULT_PORT, OtherRelays, OwnRelay, relay_uri
from hairpin.relay_endpoints import RELAY_LISTEN, check_certificate, plain_endpoints
from hairpin.service import Service, ServiceOptions, start_service
from hairpin.tls import server_context
from signaling import AccessKey
from signaling.channel import DEFAULT_REGION
from signaling.ice_servers import IceServerIssuer
from transport import TransportAddress
from turn.aio import Endpoint, RelayEventLoop, RelayServer, ServerCertificate
from turn.server import IPNetwork

FIRST_KEY_FILE = "first-key.env"

EPILOG = """\b
Examples:
  hairpin serve --data ~/hairpin
      on this machine alone; the first access key is in ~/hairpin/first-key.env
  hairpin serve --data /var/lib/hairpin --listen 198.51.100.7:443 \\
      --public-url https://kvs.example.org --tls-cert chain.pem --tls-key key.pem
      for the world
  hairpin serve --data /var/lib/hairpin --listen 198.51.100.7:8443 \\
      --public-url https://kvs.example.org:8443 --tls-cert chain.pem --tls-key key.pem \\
      --relay-listen 198.51.100.7:3478 --relay-listen tls://198.51.100.7:443
      for clients in networks that let nothing out but HTTPS, too
  hairpin serve --data DIR --no-relay --turn turn:turn.example.org:3478 --turn-secret "$SECRET"
      with a relay elsewhere: hairpin relay --secret, or coturn
  hairpin serve --config serve.toml
      listen = "127.0.0.1:8080", data = "/var/lib/hairpin", allow-peer = ["10.0.0.0/8"]

\b
Then, in another terminal:
  . ~/hairpin/first-key.env
  hairpin channel create porch
"""


class RelayUriType(click.ParamType[str]):
    """turn:HOST:PORT or turns:HOST:PORT, with ?transport=udp or tcp."""

    name = "URI"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return relay_uri(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command(epilog=EPILOG)
@config_option
@click.option(
    "--listen",
    type=ENDPOINT,
    default="127.0.0.1:8080",
    show_default=True,
    help="Where the control plane and signaling listen, by HTTP and WebSocket; 0.0.0.0 and "
    "[::] for every address.",
)
@click.option(
    "--data",
    type=click.Path(path_type=pathlib.Path),
    metavar="DIR",
    required=True,
    help="Where channels and access keys are kept; made if it is not there.",
)
@click.option(
    "--access-key",
    type=SecretPairType("an access key", "ID:SECRET"),
    multiple=True,
    help="A key that may do everything, beside those that are kept; may be given again.",
)
@click.option(
    "--public-url",
    type=BaseUrlType(),
    help="How clients reach it.  [default: at the address that each came to]",
)
@click.option(
    "--region", default=DEFAULT_REGION, show_default=True, help="What requests are signed for."
)
@click.option("--tls-cert", metavar="FILE", help="Serve HTTPS: the certificate chain, PEM.")
@click.option("--tls-key", metavar="FILE", help="Its private key, PEM.")
@click.option(
    "--relay-listen",
    type=RELAY_LISTEN,
    metavar=RELAY_LISTEN.name,
    multiple=True,
    help="Where the relay listens; may be given again. Without a transport, over UDP and TCP; "
    "TLS and DTLS with the certificate of HTTPS.  "
    f"[default: port {DEFAULT_PORT} of --listen's address]",
)
@click.option(
    "--allow-peer",
    type=NetworkType(),
    multiple=True,
    help="A network that may be relayed to, although it is private; may be given again.",
)
@click.option("--no-relay", is_flag=True, help="Run no relay, but name others with --turn.")
@click.option(
    "--turn", type=RelayUriType(), multiple=True, help="A relay elsewhere; may be given again."
)
@click.option("--turn-secret", metavar="SECRET", help="What we share with the relays elsewhere.")
@click.option(
    "--drain",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    default=0.0,
    help="When told to stop, let the relay's clients go on for so long.",
)
def command(
    listen: TransportAddress,
    data: pathlib.Path,
    access_key: tuple[tuple[str, str], ...],
    public_url: str | None,
    region: str,
    tls_cert: str | None,
    tls_key: str | None,
    relay_listen: tuple[tuple[Endpoint, ...], ...],
    allow_peer: tuple[IPNetwork, ...],
    no_relay: bool,
    turn: tuple[str, ...],
    turn_secret: str | None,
    drain: float,
) -> None:
    """Serve signaling channels to masters and viewers, and relay for them.

    Speaks the API of Kinesis Video Streams with WebRTC: point the clients' endpoint here.
    "ready" and the URL are printed once every listener answers; SIGINT or SIGTERM ends it.
    """
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    relay_at = tuple(each for group in relay_listen for each in group)
    tls = server_context(tls_cert, tls_key) if tls_cert and tls_key else None
    certificate = check_certificate(relay_at, tls_cert, tls_key)
    options = ServiceOptions(
        listen,
        data,
        (
            _other_relays(turn, turn_secret, relay_listen=relay_at, allow_peer=allow_peer)
            if no_relay
            else _own_relay(
                relay_at or plain_endpoints(TransportAddress(listen.ip, DEFAULT_PORT)),
                certificate,
                turn=turn,
                allow_peer=allow_peer,
            )
        ),
        public_url=public_url,
        region=region,
        fixed_keys={key_id: AccessKey(key_id, secret) for key_id, secret in access_key},
        tls=tls,
        drain=drain,
    )
    run_daemon(lambda life: _start(life, options), drain=drain, loop_factory=RelayEventLoop)


def _own_relay(
    listen: tuple[Endpoint, ...],
    certificate: ServerCertificate | None,
    *,
    turn: tuple[str, ...],
    allow_peer: tuple[IPNetwork, ...],
) -> OwnRelay:
    if turn:
        raise click.UsageError("--turn names relays elsewhere: give it together with --no-relay")
    return OwnRelay(listen, allow_peer, certificate)


def _other_relays(
    turn: tuple[str, ...],
    secret: str | None,
    *,
    relay_listen: tuple[Endpoint, ...],
    allow_peer: tuple[IPNetwork, ...],
) -> OtherRelays:
    if not turn or not secret:
        raise click.UsageError(
            "clients must be told of a relay: with --no-relay, give --turn URI and --turn-secret"
        )
    if relay_listen or allow_peer:
        raise click.UsageError(
            "--relay-listen and --allow-peer are for the relay that --no-relay leaves out"
        )
    return OtherRelays(turn, secret)


async def _start(life: Life, options: ServiceOptions) -> str:
    service = await start_service(life, options)
    if service.relay is not None:
        listening = ", ".join(map(str, service.relay.endpoints))
        announce(f"relay      {listening}")
        _say_who_is_refused(service.relay)
    announce(f"clients    are told of {_told(service.issuer)}")
    await _offer_first_key(service, options)
    announce(f"signaling  {', '.join(service.urls)}, region {options.region}")
    return service.url


def _told(issuer: IceServerIssuer) -> str:
    if issuer.uris_at:
        return f"the relay at the address that they reach, else of {', '.join(issuer.uris)}"
    return ", ".join(issuer.uris)


def _say_who_is_refused(relay: RelayServer) -> None:
    config = relay.config
    if refused := refused_networks(config.relay_addresses, config.allow_peers):
        announce(f"refusing   {refused}")


async def _offer_first_key(service: Service, options: ServiceOptions) -> None:
    """Keys are made with a key: somebody has to have the first one."""
    if options.fixed_keys or await service.store.list_access_keys():
        return
    path = options.data / FIRST_KEY_FILE
    key = await service.store.create_access_key()
    try:
        _write_private(
            path,
            f"export AWS_ACCESS_KEY_ID={key.id}\n"
            f"export AWS_SECRET_ACCESS_KEY='{key.secret}'\n"
            f"export AWS_REGION={options.region}\n"
            f"export AWS_ENDPOINT_URL={service.url}\n",
        )
    except OSError as error:
        await service.store.delete_access_key(key.id)  # nobody knows its secret
        raise HairpinError(f"{path}: {error.strerror}") from error
    announce(f"key        the first one is in {path}: source it in a shell")


def _write_private(path: pathlib.Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
