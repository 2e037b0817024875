"""``hairpin demo``: the whole system in one process, and a page to look at."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import tempfile
import time

import click
from aiohttp import web

from hairpin.aws import ServiceAccess
from hairpin.broadcast import Broadcast
from hairpin.daemon import Life, announce, run_daemon
from hairpin.endpoint import ENDPOINT
from hairpin.relay import DEFAULT_PORT, OwnRelay, own_networks
from hairpin.relay_endpoints import RELAY_LISTEN, plain_endpoints
from hairpin.service import Service, ServiceOptions, start_service
from hairpin.streaming import SOURCE_HELP, open_broadcast, start_master
from hairpin.web import Invitation, add_page
from ice import IcePolicy
from media.source import TEST_CARD
from signaling import AccessKey, Channel, Role, presign_url
from signaling.routing import MAX_VIEWERS
from transport import TransportAddress
from turn.aio import Endpoint, RelayEventLoop

CHANNEL = "demo"

VIEWER_URL_SECONDS = 300
"""How long a presigned URL that the page got may be used."""

EPILOG = """\b
Examples:
  hairpin demo
  hairpin demo --source film.mp4
  hairpin demo --source film.mp4 --listen 127.0.0.1:9000
  hairpin demo --source film.mp4 --listen 0.0.0.0:8080
      for the other machines of your network too: whoever reaches the page may watch
"""


@dataclasses.dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line said."""

    listen: TransportAddress
    relay_listen: tuple[Endpoint, ...]
    source: str
    policy: IcePolicy
    data: pathlib.Path | None


class DemoPage:
    """What the demo's page asks for."""

    def __init__(
        self, service: Service, channel: Channel, key: AccessKey, *, broadcast: Broadcast
    ) -> None:
        self._service = service
        self._channel = channel
        self._key = key
        self._broadcast = broadcast

    async def invite(self, address: TransportAddress | None) -> Invitation:
        reached = self._service.settings.reached(address)
        client_id, now = f"page-{os.urandom(6).hex()}", time.time()
        url = presign_url(
            reached.endpoints.wss(Role.VIEWER),
            {"X-Amz-ChannelARN": str(self._channel.arn), "X-Amz-ClientId": client_id},
            key=self._key,
            region=self._service.settings.region,
            now=now,
            expires=VIEWER_URL_SECONDS,
        )
        grant = self._service.issuer.grant(self._channel.name, "page", now, reached=reached.ip)
        return Invitation(url, (grant,))

    def describe_source(self) -> str:
        return self._broadcast.describe()

    def relay_counters(self) -> dict[str, int]:
        relay = self._service.relay
        meters = [allocation.meter for allocation in relay.allocations()] if relay else []
        return {
            "allocations": len(meters),
            "packets": sum(m.sent_packets + m.received_packets for m in meters),
            "bytes": sum(m.sent_bytes + m.received_bytes for m in meters),
        }

    def viewer_counts(self) -> dict[str, int]:
        connected = self._service.hub.viewers(self._channel.arn)
        return {"connected": len(connected), "limit": MAX_VIEWERS}


@click.command(epilog=EPILOG)
@click.option(
    "--listen",
    type=ENDPOINT,
    default="127.0.0.1:8080",
    show_default=True,
    help="Where the page and the signaling service listen; 0.0.0.0 and [::] for every address.",
)
@click.option("--source", metavar="SOURCE", default=TEST_CARD, show_default=True, help=SOURCE_HELP)
@click.option(
    "--relay-listen",
    type=RELAY_LISTEN,
    metavar=RELAY_LISTEN.name,
    multiple=True,
    help="Where the relay listens; may be given again. Without a transport, over UDP and TCP.  "
    f"[default: port {DEFAULT_PORT} of --listen's address]",
)
@click.option(
    "--policy",
    type=click.Choice(["all", "relay"]),
    default="all",
    show_default=True,
    help="Which candidates the master uses; with relay, all it sends goes through the relay.",
)
@click.option(
    "--data",
    type=click.Path(path_type=pathlib.Path),
    metavar="DIR",
    help="Where channels are kept.  [default: nowhere, they end with the demo]",
)
def command(
    listen: TransportAddress,
    source: str,
    relay_listen: tuple[tuple[Endpoint, ...], ...],
    policy: str,
    data: pathlib.Path | None,
) -> None:
    """Bring everything up on this machine and stream to a page.

    A control plane with a channel "demo", its signaling, a relay, a master that streams
    SOURCE, and a page that shows it. The page's address is printed when it can be opened;
    Ctrl-C ends everything.
    """
    relay_at = tuple(each for group in relay_listen for each in group)
    if any(each.is_secure for each in relay_at):
        raise click.UsageError(
            "the demo has no certificate: hairpin serve takes tls:// and dtls://"
        )
    relay_at = relay_at or plain_endpoints(TransportAddress(listen.ip, DEFAULT_PORT))
    options = DemoOptions(listen, relay_at, source, IcePolicy(policy), data)
    run_daemon(lambda life: _start(life, options), loop_factory=RelayEventLoop)


async def _start(life: Life, options: DemoOptions) -> str:
    broadcast = await open_broadcast(life, options.source)
    announce(f"source     {broadcast.describe()}")

    key = AccessKey(f"AKID{os.urandom(8).hex().upper()}", os.urandom(30).hex())
    data = options.data or pathlib.Path(life.enter_context(tempfile.TemporaryDirectory()))

    async def prepare(app: web.Application, service: Service) -> None:
        store, region = service.store, service.settings.region
        channel = await store.find_channel(CHANNEL, region=region)
        if channel is None:
            channel = await store.create_channel(CHANNEL, region=region)
        add_page(app, DemoPage(service, channel, key, broadcast=broadcast))

    service = await start_service(
        life,
        ServiceOptions(
            options.listen,
            data,
            OwnRelay(options.relay_listen, own_networks(options.relay_listen)),
            fixed_keys={key.id: key},
        ),
        prepare,
    )
    announce(
        f"relay      {', '.join(service.issuer.uris)}; "
        "this machine's own addresses are legal peers, for the demo alone"
    )
    announce(f"signaling  {', '.join(service.urls)}, channel {CHANNEL}")
    access = ServiceAccess(service.url, service.settings.region, key)
    await start_master(life, broadcast, access, CHANNEL, policy=options.policy, loopback=True)
    announce("master     connected")
    return f"{service.url}/"
