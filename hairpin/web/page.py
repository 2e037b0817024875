"""Serving the page, and what it asks for.

The page gets a presigned viewer URL and ICE servers; no secret key reaches a browser.
"""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Protocol

from aiohttp import web

from signaling.aio import local_address
from signaling.ice_servers import IceServerGrant
from transport import TransportAddress

STATIC = pathlib.Path(__file__).parent / "static"

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self' ws: wss:; media-src 'self' blob: mediastream:"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Invitation:
    """What a page needs to view once: a presigned URL of the channel's viewer endpoint,
    and ICE servers."""

    url: str
    ice_servers: tuple[IceServerGrant, ...]

    def to_json(self) -> dict[str, object]:
        """As the page takes it; the ICE servers as RTCPeerConnection does."""
        servers = [
            {"urls": list(each.uris), "username": each.username, "credential": each.password}
            for each in self.ice_servers
        ]
        return {"url": self.url, "iceServers": servers}


class PageSource(Protocol):
    """What the page is about."""

    async def invite(self, reached: TransportAddress | None) -> Invitation:
        """A fresh one, for a page that came to this address of ours, if it is known."""
        ...

    def describe_source(self) -> str:
        """What is streamed and how, in one line."""
        ...

    def relay_counters(self) -> dict[str, int]:
        """What the relay holds and has relayed: allocations, packets, bytes."""
        ...

    def viewer_counts(self) -> dict[str, int]:
        """How many viewers are connected to the channel, and its limit."""
        ...


def add_page(app: web.Application, source: PageSource) -> None:
    """Let ``app`` serve the page at its root."""

    async def index(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / "index.html", headers=_HEADERS)

    async def asset(request: web.Request) -> web.StreamResponse:
        path = STATIC / request.match_info["name"]
        if path.parent != STATIC or not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers=_HEADERS)

    async def viewer(request: web.Request) -> web.Response:
        invitation = await source.invite(local_address(request))
        return web.json_response(invitation.to_json(), headers={"Cache-Control": "no-store"})

    async def describe(_: web.Request) -> web.Response:
        answer = {
            "source": source.describe_source(),
            "relay": source.relay_counters(),
            "viewers": source.viewer_counts(),
        }
        return web.json_response(answer, headers={"Cache-Control": "no-store"})

    app.router.add_get("/", index)
    app.router.add_get("/api/viewer", viewer)
    app.router.add_get("/api/status", describe)
    app.router.add_get(r"/{name:[a-z]+\.(?:js|css|svg)}", asset)
