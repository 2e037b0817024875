"""The service, a master and viewers in one process, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import pathlib
from collections.abc import AsyncIterator, Sequence

from hairpin.access import MasterAccess
from hairpin.aws import ServiceAccess
from hairpin.broadcast import Broadcast
from hairpin.daemon import Life
from hairpin.relay import OwnRelay
from hairpin.relay_endpoints import plain_endpoints
from hairpin.service import Service, ServiceOptions, start_service
from hairpin.session import MasterOptions, MasterSession
from ice import IceConfig, IcePolicy, IceServer
from media.aio import PeerConnection
from media.aio.player import open_source, play_into
from media.session import (
    ConnectionState,
    ConnectionStateChanged,
    LocalCandidate,
    SessionConfig,
    UnitReceived,
)
from media.units import MediaKind
from sdp import Direction, SdpType
from signaling import (
    AccessKey,
    Channel,
    Description,
    DescriptionType,
    RemoteCandidate,
    Role,
    decode_candidate,
    decode_description,
)
from signaling.aio import ControlClient, SignalingConnection, viewer_url
from transport import Event, TransportAddress

KEY = AccessKey("AKIDTEST", "secret")
CHANNEL = "porch"
PATIENCE = 50.0
"""Seconds, less than pytest has, which may strike in a callback, where the event loop swallows
it."""

ANY_PORT = TransportAddress.parse("127.0.0.1", 0)
PEER_CLOSED = "the peer closed the connection"
LOOPBACK = (ipaddress.ip_address("127.0.0.1"),)


def service_options(data: pathlib.Path, *, listen: TransportAddress = ANY_PORT) -> ServiceOptions:
    relay = OwnRelay(plain_endpoints(ANY_PORT), (ipaddress.ip_network("127.0.0.0/8"),))
    return ServiceOptions(listen, data, relay, fixed_keys={KEY.id: KEY})


@contextlib.asynccontextmanager
async def service(
    data: pathlib.Path, *, listen: TransportAddress = ANY_PORT
) -> AsyncIterator[Service]:
    """A service with a channel, for as long as there is patience."""
    async with asyncio.timeout(PATIENCE), Life() as life:
        running = await start_service(life, service_options(data, listen=listen))
        if await running.store.find_channel(CHANNEL) is None:
            await running.store.create_channel(CHANNEL)
        yield running


def access_to(running: Service) -> ServiceAccess:
    return ServiceAccess(running.url, running.settings.region, KEY)


@contextlib.asynccontextmanager
async def master(
    access: ServiceAccess, source: pathlib.Path, *, policy: IcePolicy = IcePolicy.ALL
) -> AsyncIterator[MasterSession]:
    """A master that is connected to the channel and plays ``source``."""
    async with Life() as life:
        played = await life.enter_async_context(open_source(source))
        broadcast = Broadcast(played)
        client = await life.enter_async_context(access.client())
        channel = MasterAccess(client, access, CHANNEL)

        async def configure() -> SessionConfig:
            servers = await channel.ice_servers()
            return SessionConfig(ice=IceConfig(servers=servers, policy=policy))

        session = MasterSession(broadcast, MasterOptions(channel.connect, configure, loopback=True))
        life.run_beside(play_into(played, broadcast.renditions))
        life.run_beside(session.run())
        await session.connected.wait()
        yield session


class Viewer:
    """A viewer: its signaling connection, and one peer connection at a time.

    Its own candidates wait in ``candidates`` until it joins.
    """

    def __init__(self, signaling: SignalingConnection, servers: Sequence[IceServer]) -> None:
        self.signaling = signaling
        self._servers = tuple(servers)
        self.answers: asyncio.Queue[Description] = asyncio.Queue()
        self.candidates: asyncio.Queue[RemoteCandidate] = asyncio.Queue()
        self.closed = asyncio.Event()
        """The master closed a connection of ours."""
        self._early: list[RemoteCandidate] = []
        self.connection = self._connection()

    def renew(self) -> PeerConnection:
        """Begin with a new peer connection, as a page that is reloaded does; returns the old."""
        old, self.connection = self.connection, self._connection()
        return old

    def _connection(self) -> PeerConnection:
        config = SessionConfig(ice=IceConfig(servers=self._servers))
        connection = PeerConnection(on_event=self._on_event, addresses=LOOPBACK, config=config)
        connection.add_transceiver(MediaKind.VIDEO, direction=Direction.RECVONLY)
        return connection

    def _on_event(self, event: Event) -> None:
        if event == ConnectionStateChanged(ConnectionState.CLOSED, PEER_CLOSED):
            self.closed.set()
        if isinstance(event, LocalCandidate) and event.candidate:
            self.candidates.put_nowait(
                RemoteCandidate(
                    event.candidate, event.mid, event.media_index, event.username_fragment
                )
            )

    async def prepare_offer(self, *, ice_restart: bool = False) -> Description:
        """Make an offer and set it: gathering begins."""
        self._early.clear()
        offer = await self.connection.create_offer(ice_restart=ice_restart)
        await self.connection.set_local_description(offer)
        return Description(DescriptionType.OFFER, offer.sdp)

    async def offer(self, description: Description) -> Description:
        """Send an offer and take its answer."""
        await self.signaling.send_description(description)
        answer = await self.answers.get()
        await self.connection.set_remote_description(SdpType.ANSWER, answer.sdp)
        early, self._early = self._early, []
        for candidate in early:
            await self._take(candidate)
        return answer

    async def trickle(self) -> None:
        """Send candidates as they come, until cancelled."""
        while True:
            await self.signaling.send_candidate(await self.candidates.get())

    async def join(self) -> None:
        """Offer, answer, and connected."""
        offer = await self.prepare_offer()
        await self.offer(offer)
        trickling = asyncio.ensure_future(self.trickle())
        await self.connection.connected()
        trickling.cancel()

    async def unit(self) -> UnitReceived:
        """The next access unit of the video."""
        (track,) = self.connection.remote_tracks
        return await anext(aiter(track))

    async def read(self) -> None:
        """Take what the master says, until cancelled."""
        async for event in self.signaling:
            if event.message_type == "SDP_ANSWER":
                self.answers.put_nowait(decode_description(event.payload or ""))
            elif self.connection.local_description is None or not self.connection.media:
                self._early.append(decode_candidate(event.payload or ""))
            else:
                await self._take(decode_candidate(event.payload or ""))

    async def _take(self, candidate: RemoteCandidate) -> None:
        await self.connection.add_ice_candidate(
            candidate.candidate,
            mid=candidate.sdp_mid,
            media_index=candidate.sdp_m_line_index,
            username_fragment=candidate.username_fragment,
        )


async def connect_viewer(
    client: ControlClient, channel: Channel, client_id: str
) -> SignalingConnection:
    """A viewer's signaling connection, to be entered."""
    endpoints = await client.get_endpoints(channel.arn, Role.VIEWER)
    url = viewer_url(endpoints.wss, str(channel.arn), client_id, key=KEY, region=channel.arn.region)
    return SignalingConnection(url)


@contextlib.asynccontextmanager
async def viewer(access: ServiceAccess, client_id: str) -> AsyncIterator[Viewer]:
    """A viewer that is connected to the channel's signaling, and has offered nothing."""
    async with access.client() as client:
        channel = await client.describe_channel(CHANNEL)
        endpoints = await client.get_endpoints(channel.arn, Role.VIEWER)
        grants = await client.get_ice_servers(endpoints.https, channel.arn, client_id)
        servers = [IceServer(each.uris, each.username, each.password) for each in grants]
        async with await connect_viewer(client, channel, client_id) as signaling:
            watching = Viewer(signaling, servers)
            reading = asyncio.ensure_future(watching.read())
            try:
                yield watching
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                await watching.connection.close()
