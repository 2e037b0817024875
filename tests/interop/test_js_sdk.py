"""Amazon's JavaScript SDKs with our service: in Chromium as viewer and master, and under Node."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
from playwright.async_api import Browser, Page

from tests.media.clips import h264_mp4

from .browser import chromium, wait_for_frames
from .javascript import install, pages
from .process import hairpin

pytestmark = [pytest.mark.interop, pytest.mark.timeout(60)]

FRAMES = 30
"""Decoded pictures that show that media flows."""


@pytest.fixture(scope="session", autouse=True)
def _sdks(request: pytest.FixtureRequest) -> None:
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        install()


@pytest.fixture
def clip(tmp_path: pathlib.Path) -> str:
    return str(h264_mp4(tmp_path / "clip.mp4", frames=100, gop=25))


@contextlib.asynccontextmanager
async def peer_page(browser: Browser, address: str) -> AsyncIterator[Page]:
    """A page with the SDKs; what it logged is part of whatever fails in it."""
    page = await browser.new_page()
    log: list[str] = []
    page.on("console", lambda message: log.append(message.text))
    page.on("pageerror", lambda error: log.append(str(error)))
    await page.goto(address)
    await page.wait_for_function("window.ready")
    try:
        yield page
    except Exception as error:
        error.add_note("\n".join(log))
        raise


async def test_a_page_without_keys_watches_with_a_url_that_the_service_signed(clip: str) -> None:
    listen = ("--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0")
    async with (
        hairpin("demo", *listen, "--source", clip) as demo,
        aiohttp.ClientSession() as client,
        client.get(f"{demo.address}api/viewer") as response,
        pages() as address,
        chromium() as browser,
        peer_page(browser, address) as page,
    ):
        signed = await response.json()
        await page.evaluate(
            "([url, servers]) => viewSigned(url, servers)", [signed["url"], signed["iceServers"]]
        )
        reading = await wait_for_frames(page, FRAMES)

    assert reading.lost == 0
    assert reading.codec == "video/H264"
