"""Daemons as processes: ready when they are, and gone after a signal, whatever clients do.

How soon is shown with ``daemon``: a machine that is busy takes longer.
"""

from __future__ import annotations

import asyncio
import os
import pathlib
import signal
import urllib.parse
from collections.abc import Mapping

import pytest

from signaling import AccessKey, Channel, Role
from signaling.aio import ControlClient, viewer_url
from tests.interop.process import Command, hairpin
from tests.media.clips import h264_mp4
from turn.aio import connect

from .parts import CHANNEL, KEY, connect_viewer
from .test_daemon import FAR

pytestmark = pytest.mark.long  # Processes have to start.

SERVE = (
    *("serve", "--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0"),
    *("--access-key", f"{KEY.id}:{KEY.secret}"),
)


def environment(serve: Command) -> Mapping[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": KEY.id,
        "AWS_SECRET_ACCESS_KEY": KEY.secret,
        "AWS_ENDPOINT_URL": serve.address,
    }


async def answers(url: str) -> bool:
    parts = urllib.parse.urlsplit(url)
    try:
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.close()
        await writer.wait_closed()
    except ConnectionError:
        return False
    return True


async def terminate(command: Command) -> int:
    command.process.send_signal(signal.SIGTERM)
    return await asyncio.wait_for(command.process.wait(), FAR)


async def open_silent_viewer(
    client: ControlClient, channel: Channel, key: AccessKey
) -> asyncio.StreamWriter:
    """A WebSocket whose peer never reads, as a page on a laptop that was shut."""
    endpoints = await client.get_endpoints(channel.arn, Role.VIEWER)
    url = viewer_url(endpoints.wss, str(channel.arn), "silent", key=key, region="us-west-2")
    parts = urllib.parse.urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(
        f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    assert b" 101 " in await reader.readline()
    return writer


async def test_a_service_ends_with_clients_connected_and_allocations_alive(
    tmp_path: pathlib.Path,
) -> None:
    clip = str(h264_mp4(tmp_path / "clip.mp4", frames=20, audio=False))
    async with hairpin(*SERVE, "--data", str(tmp_path / "data")) as serve:
        client = ControlClient(serve.address, KEY, "us-west-2")
        async with client:
            await client.create_channel(CHANNEL)
            channel = await client.describe_channel(CHANNEL)
            (grant,) = await client.get_ice_servers(serve.address, channel.arn, "ann")
            options = ("--channel", CHANNEL, "--source", clip)
            async with (
                hairpin("master", *options, environment=environment(serve)) as master,
                await connect_viewer(client, channel, "ann"),
                connect(grant.uris[0], grant.username, grant.password),
            ):
                assert master.address == str(channel.arn)
                silent = await open_silent_viewer(client, channel, KEY)

                assert await terminate(serve) == 0
                assert master.process.returncode is None
                assert await terminate(master) == 0
                silent.close()
    assert not [line for line in serve.log + master.log if "Traceback" in line]


async def test_a_master_whose_service_is_frozen_ends_all_the_same(tmp_path: pathlib.Path) -> None:
    clip = str(h264_mp4(tmp_path / "clip.mp4", frames=20, audio=False))
    async with hairpin(*SERVE, "--data", str(tmp_path / "data")) as serve:
        async with ControlClient(serve.address, KEY, "us-west-2") as client:
            await client.create_channel(CHANNEL)
        options = ("--channel", CHANNEL, "--source", clip)
        async with hairpin("master", *options, environment=environment(serve)) as master:
            serve.process.send_signal(signal.SIGSTOP)
            try:
                assert await terminate(master) == 0
            finally:
                serve.process.send_signal(signal.SIGCONT)
    assert not [line for line in master.log if "Traceback" in line]


async def test_a_demo_keeps_its_channels_where_it_is_told_and_nothing_else(
    tmp_path: pathlib.Path,
) -> None:
    clip = str(h264_mp4(tmp_path / "clip.mp4", frames=20, audio=False))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = ("demo", "--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0", "--source", clip)
    for data in ((), ("--data", str(tmp_path / "data")), ("--data", str(tmp_path / "data"))):
        async with hairpin(*command, *data, environment={"TMPDIR": str(temporary)}) as demo:
            assert demo.address.startswith("http://127.0.0.1:")
            assert await terminate(demo) == 0
        assert os.listdir(temporary) == []
    assert (tmp_path / "data" / "hairpin.sqlite3").exists()


async def test_a_service_that_drains_waits_for_its_relays_clients(tmp_path: pathlib.Path) -> None:
    options = (*SERVE, "--data", str(tmp_path / "data"), "--drain", "60")
    async with hairpin(*options) as serve, ControlClient(serve.address, KEY, "us-west-2") as client:
        arn = await client.create_channel(CHANNEL)
        (grant,) = await client.get_ice_servers(serve.address, arn, "ann")
        async with connect(grant.uris[0], grant.username, grant.password):
            serve.process.send_signal(signal.SIGTERM)
            while await answers(serve.address):  # signaling ends at once
                pass
            assert serve.process.returncode is None

        assert await asyncio.wait_for(serve.process.wait(), FAR) == 0
