"""Serving the page, and what it asks for.

The page gets a presigned viewer URL and ICE servers; no secret key reaches a browser.
"""

from __future__ import annotations

import pathlib
from typing import Protocol

from aiohttp import web

STATIC = pathlib.Path(__file__).parent / "static"

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self' ws: wss:; media-src 'self' blob: mediastream:"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class PageSource(Protocol):
    """What the page is about."""

    def viewer_url(self) -> str:
        """A fresh presigned URL of the channel's viewer endpoint."""
        ...

    def ice_servers(self) -> list[dict[str, str | list[str]]]:
        """As RTCPeerConnection takes them."""
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

    async def viewer(_: web.Request) -> web.Response:
        answer = {"url": source.viewer_url(), "iceServers": source.ice_servers()}
        return web.json_response(answer, headers={"Cache-Control": "no-store"})

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
