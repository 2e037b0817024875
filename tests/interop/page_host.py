"""The page on a server of somebody's own, who has an access key of the service."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator

from aiohttp import web

from hairpin.aws import ServiceAccess
from hairpin.http import bind, local_address, serve
from hairpin.web import Invitation, add_page
from signaling import Role, SignalingError
from signaling.aio import viewer_url
from transport import TransportAddress


class _Page:
    """Invites pages to a channel of a service that may be anywhere, or nowhere just now."""

    def __init__(self, access: ServiceAccess, channel: str) -> None:
        self._access = access
        self._channel = channel
        self._ids = itertools.count()

    async def invite(self, reached: TransportAddress | None) -> Invitation:
        try:
            return await self._invite(f"page-{next(self._ids)}")
        except SignalingError as error:
            raise web.HTTPServiceUnavailable from error

    async def _invite(self, client_id: str) -> Invitation:
        async with self._access.client() as client:
            arn = (await client.describe_channel(self._channel)).arn
            endpoints = await client.get_endpoints(arn, Role.VIEWER)
            grants = await client.get_ice_servers(endpoints.https, arn, client_id)
        key, region = self._access.key, self._access.region
        url = viewer_url(endpoints.wss, str(arn), client_id, key=key, region=region)
        return Invitation(url, grants)

    def describe_source(self) -> str:
        return self._channel

    def relay_counters(self) -> dict[str, int]:
        return {"allocations": 0, "packets": 0, "bytes": 0}

    def viewer_counts(self) -> dict[str, int]:
        return {"connected": 0, "limit": 10}


@contextlib.asynccontextmanager
async def page_host(access: ServiceAccess, channel: str) -> AsyncIterator[str]:
    """The address of a page that shows ``channel``."""
    async with contextlib.AsyncExitStack() as stack:
        app = web.Application()
        add_page(app, _Page(access, channel))
        listening = bind(TransportAddress.parse("127.0.0.1", 0))
        await serve(stack, app, listening)
        yield f"http://{local_address(listening)}/"
