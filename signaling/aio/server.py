"""The signaling service on one aiohttp application.

The role is carried by the endpoint: a master's WebSocket is at ``/master``, a
viewer's at ``/viewer``; a client learns both from GetSignalingChannelEndpoint.
"""

from __future__ import annotations

import dataclasses
import urllib.parse

from aiohttp import web

from signaling.channel import DEFAULT_REGION
from signaling.routing import Role
from signaling.sigv4 import host_header

from .http import KeyLookup, refusals, verify_request
from .hub import ChannelHub
from .websocket import ChannelLookup, serve_websocket

ROLE_PATHS = {Role.MASTER: "/master", Role.VIEWER: "/viewer"}


@dataclasses.dataclass(frozen=True, slots=True)
class ServiceSettings:
    """How clients reach the service, and where it says it is.

    ``public_url`` is the scheme, host and port that clients use; signatures verify
    against its host as well as against the Host header.
    """

    public_url: str
    region: str = DEFAULT_REGION

    def websocket_endpoint(self, role: Role) -> str:
        """Where a role connects to: ``wss`` where the public URL is ``https``."""
        parts = urllib.parse.urlsplit(self.public_url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        return f"{scheme}://{host_header(self.public_url)}{ROLE_PATHS[role]}"


def make_application(
    settings: ServiceSettings, *, hub: ChannelHub, keys: KeyLookup, channels: ChannelLookup
) -> web.Application:
    """An application that serves signaling; more may be added to its router."""
    app = web.Application(middlewares=[refusals])
    hosts = (host_header(settings.public_url),)

    def websocket(role: Role) -> None:
        async def serve(request: web.Request) -> web.StreamResponse:
            await verify_request(request, keys=keys, region=settings.region, hosts=hosts)
            return await serve_websocket(request, role, hub=hub, channels=channels)

        app.router.add_get(ROLE_PATHS[role], serve)

    for role in Role:
        websocket(role)

    async def send_everybody_away(_: web.Application) -> None:
        hub.close("the service is stopping")

    app.on_shutdown.append(send_everybody_away)
    return app
