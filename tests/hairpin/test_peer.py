"""``hairpin peer``: two of them, each reading what the other writes."""

from __future__ import annotations

import asyncio
import json
import pathlib
import sys

import pytest
from click.testing import CliRunner

from hairpin.cli import cli
from tests.media.clips import h264_mp4

pytestmark = pytest.mark.long  # Processes that start, and a clip that plays in real time.


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


async def tell(lines: bytes, *arguments: str) -> tuple[int, dict[str, object]]:
    """The status and the result of a peer that reads these lines and then their end."""
    peer = await start(*arguments)
    said, wrong = await peer.communicate(lines)
    assert wrong == b""
    assert peer.returncode is not None
    return peer.returncode, json.loads(said.splitlines()[-1])


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
    assert frames["video"] > 1
    assert frames["audio"] > 1
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


async def test_two_peers_that_are_relay_only_meet_on_one_relay(tmp_path: pathlib.Path) -> None:
    clip = str(h264_mp4(tmp_path / "clip.mp4", frames=50, gop=25))
    relay = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from hairpin.cli import main; main()"),
        *("relay", "--listen", "udp://127.0.0.1:0", "--user", "ann:secret"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert relay.stdout is not None
    address = (await relay.stdout.readline()).decode().split()[1].removeprefix("udp://")
    server = {"urls": f"turn:{address}", "username": "ann", "credential": "secret"}
    ice = ("--policy", "relay", "--ice-servers", json.dumps([server]), "--codec", "H264")
    source = ("--source", clip, "--duration", "2")
    both = ("--send", "video", "--recv", "video")
    one = await start("--role", "offer", *both, *source, *ice)
    other = await start("--role", "answer", *both, *source, *ice)
    results = await asyncio.gather(pump(one, other), pump(other, one))
    relay.terminate()
    await relay.wait()

    for result in results:
        assert result["ok"] is True, result
        assert (result["pair"], result["codec"]) == ("relay/relay", "H264")


async def test_lines_that_make_no_sense_become_errors() -> None:
    lines = [
        b"\xff\xfe",
        b'"text"',
        b"[" * 100_000,
        b'{"type": "smell"}',
        b'{"type": "answer", "sdp": "v=0"}',
        b'{"type": "offer", "sdp": "nonsense"}',
        b'{"type": "offer", "sdp": 5}',
        b"",
        b'{"type": "result"}',
    ]
    status, result = await tell(b"\n".join(lines), "--role", "answer", "--recv", "video")

    errors = result["errors"]
    assert isinstance(errors, list)
    assert (status, result["ok"]) == (1, False)
    assert len(errors) == 7 + 2
    assert "the input ended before there was an offer" in errors


async def test_an_input_that_ends_too_soon_ends_the_peer() -> None:
    status, result = await tell(b"", "--role", "offer", "--recv", "video")

    assert (status, result["ok"]) == (1, False)
    assert "the input ended before there was an answer" in str(result["errors"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--recv", "smell"], "is not video, audio", id="kind"),
        pytest.param(["--ice-servers", "{"], 'not [{"urls"', id="json"),
        pytest.param(["--ice-servers", '[{"urls": "http://x"}]'], "turn:HOST:PORT", id="url"),
        pytest.param([], "--send or --recv", id="nothing"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_told_at_once(
    arguments: list[str], message: str
) -> None:
    result = CliRunner().invoke(cli, ["peer", "--role", "offer", *arguments])

    assert result.exit_code == 2
    assert message in result.output
