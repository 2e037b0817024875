"""``hairpin demo``: the whole system in one process, and a page to look at."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time

import click

from hairpin.broadcast import Broadcast
from hairpin.daemon import announce, background, run_daemon
from hairpin.endpoint import ENDPOINT
from hairpin.errors import HairpinError
from hairpin.http import bind, local_address, serve
from hairpin.relay import DEFAULT_PORT, own_networks, start_relay
from hairpin.session import MasterOptions, MasterSession
from hairpin.web import add_page
from ice import IceConfig, IcePolicy, IceServer
from media.aio.player import open_source, play_into
from media.session import SessionConfig
from media.source import MediaSourceError
from signaling import AccessKey, Channel, ChannelArn, ErrorName, Role, ServiceError, presign_url
from signaling.aio import (
    ChannelHub,
    ChannelLookup,
    ServiceSettings,
    SignalingConnection,
    make_application,
    master_url,
)
from signaling.ice_servers import IceServerIssuer
from transport import TransportAddress
from turn.aio import RelayEventLoop, RelayServer

VIEWER_URL_SECONDS = 300
"""How long a presigned URL that the page got may be used."""

EPILOG = """\b
Examples:
  hairpin demo --source film.mp4
  hairpin demo --source film.mp4 --listen 127.0.0.1:9000
"""


@dataclasses.dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line said."""

    listen: TransportAddress
    relay_listen: TransportAddress
    source: str
    policy: IcePolicy


class DemoPage:
    """What the demo's page asks for."""

    def __init__(
        self,
        settings: ServiceSettings,
        channel: Channel,
        *,
        key: AccessKey,
        issuer: IceServerIssuer,
        broadcast: Broadcast,
        relay: RelayServer,
    ) -> None:
        self._settings = settings
        self._channel = channel
        self._key = key
        self._issuer = issuer
        self._broadcast = broadcast
        self._relay = relay

    def viewer_url(self) -> str:
        client_id = f"page-{os.urandom(6).hex()}"
        return presign_url(
            self._settings.websocket_endpoint(Role.VIEWER),
            {"X-Amz-ChannelARN": str(self._channel.arn), "X-Amz-ClientId": client_id},
            key=self._key,
            region=self._settings.region,
            now=time.time(),
            expires=VIEWER_URL_SECONDS,
        )

    def ice_servers(self) -> list[dict[str, str | list[str]]]:
        grant = self._issuer.grant(self._channel.name, "page", time.time())
        return [
            {
                "urls": list(grant.uris),
                "username": grant.username,
                "credential": grant.password,
            }
        ]

    def describe_source(self) -> str:
        return self._broadcast.describe()

    def relay_counters(self) -> dict[str, int]:
        meters = [allocation.meter for allocation in self._relay.allocations()]
        return {
            "allocations": len(meters),
            "packets": sum(m.sent_packets + m.received_packets for m in meters),
            "bytes": sum(m.sent_bytes + m.received_bytes for m in meters),
        }


@click.command(epilog=EPILOG)
@click.option(
    "--listen",
    type=ENDPOINT,
    default="127.0.0.1:8080",
    show_default=True,
    help="Where the page and the signaling service listen.",
)
@click.option(
    "--source", metavar="FILE", required=True, help="What to stream: mp4, mkv or webm, looped."
)
@click.option(
    "--relay-listen",
    type=ENDPOINT,
    help="Where the relay listens.  [default: port 3478 of --listen's address]",
)
@click.option(
    "--policy",
    type=click.Choice(["all", "relay"]),
    default="all",
    show_default=True,
    help="Which candidates the master uses; with relay, all it sends goes through the relay.",
)
def command(
    listen: TransportAddress, source: str, relay_listen: TransportAddress | None, policy: str
) -> None:
    """Bring everything up on this machine and stream to a page.

    A control plane with a channel "demo", its signaling, a master that streams SOURCE, and
    a page that shows it. The page's address is printed when it can be opened; Ctrl-C ends
    everything.
    """
    relay_at = relay_listen or TransportAddress(listen.ip, DEFAULT_PORT)
    options = DemoOptions(listen, relay_at, source, IcePolicy(policy))
    run_daemon(lambda stack: _start(stack, options), loop_factory=RelayEventLoop)


async def _start(stack: contextlib.AsyncExitStack, options: DemoOptions) -> str:
    try:
        source = await stack.enter_async_context(open_source(options.source))
    except MediaSourceError as error:
        raise HairpinError(str(error)) from error
    broadcast = Broadcast(source)
    announce(f"source     {broadcast.describe()}")

    own = own_networks(options.relay_listen)
    relay, issuer = await start_relay(stack, options.relay_listen, allow_peers=own)
    announce(
        f"relay      {', '.join(f'udp://{each}' for each in relay.addresses)}; "
        "this machine's own addresses are legal peers, for the demo alone"
    )
    listening = bind(options.listen)
    settings = ServiceSettings(f"http://{local_address(listening)}")
    key = AccessKey(f"AKID{os.urandom(8).hex().upper()}", os.urandom(30).hex())
    channel = Channel(ChannelArn("demo", int(time.time() * 1000)), os.urandom(8).hex())
    app = make_application(
        settings, hub=ChannelHub(), keys={key.id: key}.get, channels=_only(channel)
    )
    page = DemoPage(settings, channel, key=key, issuer=issuer, broadcast=broadcast, relay=relay)
    add_page(app, page)
    await serve(stack, app, listening)
    announce(f"signaling  {settings.public_url}, channel {channel.name}")

    master = MasterSession(
        broadcast, _master_options(settings, channel, key, issuer, options.policy)
    )
    await stack.enter_async_context(background(play_into(source, broadcast.renditions)))
    await stack.enter_async_context(background(master.run()))
    await master.connected.wait()
    announce("master     connected")
    return f"{settings.public_url}/"


def _only(channel: Channel) -> ChannelLookup:
    async def find(arn: ChannelArn) -> Channel:
        if arn != channel.arn:
            raise ServiceError(
                ErrorName.RESOURCE_NOT_FOUND, "The requested channel is not found or not active."
            )
        return channel

    return find


def _master_options(
    settings: ServiceSettings,
    channel: Channel,
    key: AccessKey,
    issuer: IceServerIssuer,
    policy: IcePolicy,
) -> MasterOptions:
    async def connect() -> SignalingConnection:
        endpoint = settings.websocket_endpoint(Role.MASTER)
        url = master_url(endpoint, str(channel.arn), key=key, region=settings.region)
        return SignalingConnection(url)

    async def configure() -> SessionConfig:
        grant = issuer.grant(channel.name, "master", time.time())
        server = IceServer(grant.uris, grant.username, grant.password)
        return SessionConfig(ice=IceConfig(servers=(server,), policy=policy))

    return MasterOptions(connect, configure, loopback=True)
