"""What the page's server hands out."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from hairpin.http import bind, local_address, serve
from hairpin.web import Invitation, add_page
from signaling.ice_servers import IceServerGrant
from transport import TransportAddress


class Source:
    async def invite(self, reached: TransportAddress | None) -> Invitation:
        assert reached is not None
        grant = IceServerGrant((f"turn:{reached.host}:3478?transport=udp",), "u", "c", 300)
        return Invitation(f"ws://{reached}/viewer?X-Amz-Signature=1", (grant,))

    def describe_source(self) -> str:
        return "clip.mp4"

    def relay_counters(self) -> dict[str, int]:
        return {"allocations": 1, "packets": 2, "bytes": 3}

    def viewer_counts(self) -> dict[str, int]:
        return {"connected": 10, "limit": 10}


@contextlib.asynccontextmanager
async def page() -> AsyncIterator[str]:
    async with contextlib.AsyncExitStack() as stack:
        app = web.Application()
        add_page(app, Source())
        listening = bind(TransportAddress.parse("127.0.0.1", 0))
        await serve(stack, app, listening)
        yield f"http://{local_address(listening)}"


async def test_the_page_and_its_modules_are_served_with_a_content_security_policy() -> None:
    async with page() as url, aiohttp.ClientSession() as client:
        for path in ("/", "/main.js", "/style.css", "/icon.svg"):
            async with client.get(url + path) as response:
                assert response.status == 200
                assert "default-src 'self'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/page.py", "/none.js", "/..%2Fpage.js", "/%2e%2e/page.py"])
async def test_nothing_else_is_served(path: str) -> None:
    async with page() as url, aiohttp.ClientSession() as client, client.get(url + path) as response:
        assert response.status == 404


async def test_the_viewers_address_is_the_one_that_it_came_to_and_never_cached() -> None:
    async with (
        page() as url,
        aiohttp.ClientSession() as client,
        client.get(url + "/api/viewer") as response,
    ):
        answer = await response.json()
        caching = response.headers["Cache-Control"]

    assert answer == {
        "url": f"{url.replace('http', 'ws')}/viewer?X-Amz-Signature=1",
        "iceServers": [
            {"urls": ["turn:127.0.0.1:3478?transport=udp"], "username": "u", "credential": "c"}
        ],
    }
    assert caching == "no-store"


async def test_the_status_tells_a_page_that_was_refused_whether_the_channel_is_full() -> None:
    async with (
        page() as url,
        aiohttp.ClientSession() as client,
        client.get(url + "/api/status") as response,
    ):
        answer = await response.json()

    assert answer["viewers"] == {"connected": 10, "limit": 10}
