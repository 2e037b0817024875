"""What a master gets through the public API."""

from __future__ import annotations

import pathlib

import pytest

from hairpin.access import MAX_REFRESH_MARGIN, MasterAccess
from signaling import ChannelArn, ServiceError
from signaling.aio import ControlClient
from signaling.ice_servers import DEFAULT_TTL_SECONDS, IceServerGrant

from .parts import CHANNEL, KEY, access_to, service


class CountingClient(ControlClient):
    """A client that knows how often it asked for ICE servers."""

    asked = 0

    async def get_ice_servers(
        self, https_endpoint: str, arn: ChannelArn, client_id: str | None = None
    ) -> tuple[IceServerGrant, ...]:
        self.asked += 1
        return await super().get_ice_servers(https_endpoint, arn, client_id)


async def test_ice_servers_are_asked_for_when_their_end_is_near_and_with_each_connection(
    tmp_path: pathlib.Path,
) -> None:
    now = 0.0
    async with (
        service(tmp_path) as running,
        CountingClient(running.url, KEY, "us-west-2") as client,
    ):
        access = MasterAccess(client, access_to(running), CHANNEL, clock=lambda: now)
        async with await access.connect():
            assert (await access.ice_servers())[0].urls == running.issuer.uris
            now = DEFAULT_TTL_SECONDS - MAX_REFRESH_MARGIN - 1
            await access.ice_servers()
            assert client.asked == 1

            now += 1
            await access.ice_servers()
            assert client.asked == 2
        async with await access.connect():
            assert client.asked == 3


async def test_a_channel_that_is_not_there_is_refused(tmp_path: pathlib.Path) -> None:
    async with service(tmp_path) as running, access_to(running).client() as client:
        with pytest.raises(ServiceError, match="ResourceNotFoundException"):
            await MasterAccess(client, access_to(running), "nowhere").connect()
