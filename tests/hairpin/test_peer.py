"""``hairpin peer``: two of them, each reading what the other writes."""

from __future__ import annotations

import asyncio
import json
import pathlib
import sys

import pytest

from tests.media.clips import h264_mp4

pytestmark = [pytest.mark.long, pytest.mark.timeout(40)]


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from hairpin.cli import main; main()",
        "peer",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )


async def pump(
    one: asyncio.subprocess.Process, other: asyncio.subprocess.Process
) -> dict[str, object]:
    """Hand on what one says to the other; returns its last line."""
    assert one.stdout is not None
    assert other.stdin is not None
    last: dict[str, object] = {}
    async for line in one.stdout:
        last = json.loads(line)
        if other.returncode is None and last["type"] != "result":
            other.stdin.write(line)
    return last


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_two_peers_connect_and_what_is_received_is_decoded(
    codec: str, tmp_path: pathlib.Path
) -> None:
    clip = str(h264_mp4(tmp_path / "clip.mp4", frames=50, gop=25))
    video = ("--codec", codec)
    sender = await start(
        "--role", "offer", "--send", "video,audio", "--source", clip, "--duration", "3", *video
    )
    receiver = await start("--role", "answer", "--recv", "video,audio", "--duration", "2", *video)
    assert receiver.stdin is not None
    receiver.stdin.write(b"this is no JSON\n")

    sent, received = await asyncio.gather(pump(sender, receiver), pump(receiver, sender))

    assert (await sender.wait(), await receiver.wait()) == (0, 0)
    assert (sent["ok"], sent["codec"], sent["pair"]) == (True, codec, "host/host")
    assert received["ok"] is True
    frames = received["frames"]
    assert isinstance(frames, dict)
    assert frames["video"] > 10
    assert frames["audio"] > 20
    errors = received["errors"]
    assert isinstance(errors, list)
    assert "not understood" in errors[0]


async def test_without_anybody_to_connect_to_the_result_is_not_ok() -> None:
    peer = await start("--role", "offer", "--recv", "video")
    assert peer.stdout is not None
    offer = json.loads(await peer.stdout.readline())
    peer.terminate()
    *_, last = (await peer.stdout.read()).splitlines()

    assert offer["type"] == "offer"
    assert json.loads(last)["ok"] is False
    assert await peer.wait() == 1
