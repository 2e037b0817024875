"""``--listen 0.0.0.0`` and ``[::]``, as a client on another network meets them."""

from __future__ import annotations

import contextlib
import pathlib
import urllib.parse
from collections.abc import Iterator

import aiohttp
import pytest

from hairpin.aws import ServiceAccess
from signaling import AccessKey
from tests.media.clips import h264_mp4

from .browser import chromium, read, wait_for_frames, wait_for_picture
from .conftest import need
from .namespace import Namespace, second_network
from .page_host import page_host
from .process import hairpin

pytestmark = [pytest.mark.interop, pytest.mark.alone, pytest.mark.timeout(150)]

KEY = AccessKey("AKIDNAMESPACE", "secret")
CHANNEL = "porch"


@pytest.fixture
def network() -> Iterator[Namespace]:
    with second_network() as found:
        yield found


@pytest.fixture
def clip(tmp_path: pathlib.Path) -> str:
    return str(h264_mp4(tmp_path / "clip.mp4", frames=100, gop=25))


def on_every_address(wildcard: str) -> tuple[str, ...]:
    return ("--listen", f"{wildcard}:0", "--relay-listen", f"{wildcard}:0")


@pytest.mark.parametrize("wildcard", ["0.0.0.0", "[::]"])
@pytest.mark.parametrize("policy", ["all", "relay"])
async def test_a_page_on_another_network_plays_at_the_address_that_it_reached(
    network: Namespace, clip: str, tmp_path: pathlib.Path, *, wildcard: str, policy: str
) -> None:
    inside = network.wrap(need("chromium"), tmp_path)
    async with (
        hairpin("demo", *on_every_address(wildcard), "--source", clip) as demo,
        chromium(executable=inside) as browser,
        aiohttp.ClientSession() as session,
    ):
        printed = urllib.parse.urlsplit(demo.address)
        async with session.get(demo.address) as response:
            assert response.status == 200
        page = await browser.new_page()
        await page.goto(f"http://{network.gateway}:{printed.port}/?policy={policy}")
        await wait_for_picture(page)
        told = await page.evaluate("() => fetch('api/viewer').then((answer) => answer.json())")
        await wait_for_frames(page, 50)
        reading = await read(page)

    assert printed.hostname not in ("0.0.0.0", "::")
    assert told["url"].startswith(f"ws://{network.gateway}:{printed.port}/viewer?")
    (server,) = told["iceServers"]
    over_udp, over_tcp = server["urls"]
    assert over_udp.startswith(f"turn:{network.gateway}:")
    assert over_udp.endswith("?transport=udp")
    assert over_tcp.startswith(f"turn:{network.gateway}:")
    assert over_tcp.endswith("?transport=tcp")
    assert reading.lost == 0
    assert reading.local_type == "relay" or policy == "all"


async def test_a_page_behind_a_firewall_for_udp_plays_by_the_relay_over_tcp(
    network: Namespace, clip: str, tmp_path: pathlib.Path
) -> None:
    network.firewall("-A OUTPUT ! -o lo -p udp -j DROP")
    inside = network.wrap(need("chromium"), tmp_path)
    async with (
        hairpin("demo", *on_every_address("0.0.0.0"), "--source", clip) as demo,
        chromium(executable=inside) as browser,
    ):
        port = urllib.parse.urlsplit(demo.address).port
        page = await browser.new_page()
        await page.goto(f"http://{network.gateway}:{port}/")
        await wait_for_picture(page)
        reading = await wait_for_frames(page, 50)

    assert reading.local_type == "relay"


async def test_a_master_on_another_network_signs_for_the_address_that_it_reached(
    network: Namespace, clip: str, tmp_path: pathlib.Path
) -> None:
    """It and a page on this network have nothing but the relay, at an address each."""
    async with contextlib.AsyncExitStack() as stack:
        serve = await stack.enter_async_context(
            hairpin(
                *("serve", *on_every_address("0.0.0.0"), "--data", str(tmp_path / "data")),
                *("--access-key", f"{KEY.id}:{KEY.secret}", "--allow-peer", "0.0.0.0/0"),
            )
        )
        here = ServiceAccess(serve.address, "us-west-2", KEY)
        port = urllib.parse.urlsplit(serve.address).port
        async with here.client() as client:
            arn = await client.create_channel(CHANNEL)
        there = {
            "AWS_ENDPOINT_URL": f"http://{network.gateway}:{port}",
            "AWS_ACCESS_KEY_ID": KEY.id,
            "AWS_SECRET_ACCESS_KEY": KEY.secret,
        }
        options = ("master", "--channel", CHANNEL, "--source", clip, "--policy", "relay")
        master = await stack.enter_async_context(
            hairpin(*options, environment=there, prefix=network.prefix)
        )
        browser = await stack.enter_async_context(chromium())
        page = await browser.new_page()
        address = await stack.enter_async_context(page_host(here, CHANNEL))
        await page.goto(f"{address}?policy=relay")
        await wait_for_picture(page)
        reading = await wait_for_frames(page, 50)

    assert master.address == str(arn)
    assert (reading.local_type, reading.remote_type) == ("relay", "relay")
