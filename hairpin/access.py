"""What the client of a channel needs, got through the service's public API alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ice import IceServer
from signaling import ChannelArn, Role
from signaling.aio import ControlClient, SignalingConnection, master_url, viewer_url

from .aws import ServiceAccess

MAX_REFRESH_MARGIN = 30.0
"""Seconds before their end that ICE servers are asked for anew, as the C SDK does: a
session that begins with them has its allocations by then. Half their life if that is less."""

MASTER_CLIENT_ID = "master"
"""What the relay's quota counts the master's allocations by."""


class ChannelAccess:
    """A client of a channel at the service: its endpoints, a connection, its ICE servers.

    Everything is asked for anew with each connection: the channel may be another one by
    then, the service elsewhere, its relay's secret new.

    Each call raises SignalingError where the service refuses it or does not answer.
    """

    def __init__(
        self,
        client: ControlClient,
        access: ServiceAccess,
        channel_name: str,
        *,
        role: Role,
        client_id: str,
        clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._client = client
        self._access = access
        self._channel_name = channel_name
        self._role = role
        self._client_id = client_id
        self._https = ""
        self._servers: tuple[IceServer, ...] = ()
        self._refresh_at = 0.0
        self._refreshing = asyncio.Lock()
        self.arn: ChannelArn | None = None
        """The channel's, once it was connected to."""

    async def connect(self) -> SignalingConnection:
        """A connection that is to be entered."""
        self.arn = (await self._client.describe_channel(self._channel_name)).arn
        endpoints = await self._client.get_endpoints(self.arn, self._role)
        self._https = endpoints.https
        self._refresh_at = 0.0
        await self.ice_servers()
        url = self._url(endpoints.wss, str(self.arn))
        return SignalingConnection(url, ca_bundle=self._access.ca_bundle)

    async def ice_servers(self) -> tuple[IceServer, ...]:
        """ICE servers that are good for a session that begins now."""
        async with self._refreshing:
            if self._clock() >= self._refresh_at:
                await self._refresh()
            return self._servers

    def _url(self, endpoint: str, arn: str) -> str:
        key, region = self._access.key, self._access.region
        if self._role is Role.MASTER:
            return master_url(endpoint, arn, key=key, region=region)
        return viewer_url(endpoint, arn, self._client_id, key=key, region=region)

    async def _refresh(self) -> None:
        asked = self._clock()
        assert self.arn is not None, "connect first"
        grants = await self._client.get_ice_servers(self._https, self.arn, self._client_id)
        ttl = min((float(grant.ttl_seconds) for grant in grants), default=0.0)
        self._refresh_at = asked + ttl - min(MAX_REFRESH_MARGIN, ttl / 2)
        self._servers = tuple(
            IceServer(grant.uris, grant.username, grant.password) for grant in grants
        )


class MasterAccess(ChannelAccess):
    """A channel's master at the service."""

    def __init__(
        self,
        client: ControlClient,
        access: ServiceAccess,
        channel_name: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            client,
            access,
            channel_name,
            role=Role.MASTER,
            client_id=MASTER_CLIENT_ID,
            clock=clock,
        )


class ViewerAccess(ChannelAccess):
    """A viewer of a channel at the service, under a client id of its own."""

    def __init__(
        self,
        client: ControlClient,
        access: ServiceAccess,
        channel_name: str,
        *,
        client_id: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            client, access, channel_name, role=Role.VIEWER, client_id=client_id, clock=clock
        )
