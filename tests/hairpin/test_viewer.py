"""``hairpin viewer`` as a user runs it: service, master and viewer are processes."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

import av
import pytest
from click.testing import CliRunner

from hairpin.access import ViewerAccess
from hairpin.aws import ServiceAccess, run_operation
from hairpin.cli import cli
from media.units import CodecName
from signaling import MAX_VIEWERS, AccessKey, ChannelArn
from signaling.aio import ControlClient
from tests.media.clips import h264_mp4, vp8_webm
from tests.media.encoded import audio_packets, decoded_frames, picture_hashes
from transport import DecodeError

pytestmark = [
    pytest.mark.long,  # Processes that start, and a clip that plays in real time.
    pytest.mark.timeout(60),
]

FRAMES = 40
PATIENCE = 50.0
HAIRPIN = (sys.executable, "-c", "from hairpin.cli import main; main()")
KEY = AccessKey("AKID", "secret")
SERVE = (
    *("serve", "--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0"),
    *("--access-key", f"{KEY.id}:{KEY.secret}", "--allow-peer", "127.0.0.0/8"),
)


@dataclasses.dataclass(frozen=True)
class Streaming:
    """A service with a channel and a master for each codec."""

    environment: dict[str, str]
    clips: dict[CodecName, pathlib.Path]


class Command:
    """A running command; what it says is there when it has ended."""

    def __init__(self, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [*HAIRPIN, *arguments],
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> str:
        """The address behind ready."""
        assert self.process.stdout is not None
        word, _, address = self.process.stdout.readline().partition(" ")
        assert word == "ready"
        return address.strip()

    def end(self, number: int | None = None) -> tuple[int, list[str]]:
        """Its status, and the lines on standard error."""
        if number is not None:
            self.process.send_signal(number)
        _, wrong = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, wrong.splitlines()


@contextlib.contextmanager
def running(*arguments: str, environment: dict[str, str] | None = None) -> Iterator[Command]:
    command = Command(*arguments, environment=environment)
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.process.kill()
            command.process.communicate()


def creating(name: str) -> Callable[[ControlClient], Awaitable[ChannelArn]]:
    return lambda client: client.create_channel(name)


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Streaming]:
    folder = tmp_path_factory.mktemp("streaming")
    clips = {
        CodecName.H264: h264_mp4(folder / "clip.mp4", frames=FRAMES, gop=FRAMES),
        CodecName.VP8: vp8_webm(folder / "clip.webm", frames=FRAMES, gop=FRAMES),
    }
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(running(*SERVE, "--data", str(folder / "data")))
        url = service.ready()
        access = ServiceAccess(url, "us-west-2", KEY)
        environment = {
            "AWS_ACCESS_KEY_ID": KEY.id,
            "AWS_SECRET_ACCESS_KEY": KEY.secret,
            "AWS_ENDPOINT_URL": url,
        }
        masters = []
        for codec, clip in clips.items():
            run_operation(access, creating(codec.value))
            arguments = ("--channel", codec.value, "--source", str(clip), "--loopback")
            master = running("master", *arguments, environment=environment)
            masters.append(stack.enter_context(master))
        for each in masters:
            each.ready()
        yield Streaming(environment, clips)


def record(viewer: Command, path: pathlib.Path, *, pictures: int = 1, sounds: int = 1) -> None:
    """Wait until so much is in the file, which is written while it goes on."""
    seen = (0, 0)
    while seen[0] < pictures or seen[1] < sounds:
        assert viewer.process.poll() is None
        time.sleep(0.05)
        with contextlib.suppress(av.FFmpegError, DecodeError, IndexError):  # it may have just begun
            seen = len(picture_hashes(path)), len(audio_packets(path))


def follow_each_other(recorded: list[str], source: list[str]) -> bool:
    """Whether the pictures are those of a source that is looped, from one of them on."""
    looped = source * (2 + len(recorded) // len(source))
    starts = range(len(source))
    return any(looped[start : start + len(recorded)] == recorded for start in starts)


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        (CodecName.H264, "out.mp4"),
        (CodecName.H264, "out.mkv"),
        (CodecName.VP8, "out.webm"),
    ],
)
def test_a_recording_of_what_is_passed_through_has_the_pictures_of_the_source(
    streaming: Streaming, tmp_path: pathlib.Path, codec: CodecName, name: str
) -> None:
    out = tmp_path / name
    arguments = ("--channel", codec.value, "--record", str(out))
    with running("viewer", *arguments, environment=streaming.environment) as viewer:
        assert viewer.ready().startswith("arn:aws:kinesisvideo:us-west-2:")
        record(viewer, out, pictures=FRAMES, sounds=50)
        status, said = viewer.end(signal.SIGINT)

    source, recorded = picture_hashes(streaming.clips[codec]), picture_hashes(out)
    assert (status, said[-1].partition(":")[0]) == (0, f"recorded   {out}")
    assert len(recorded) >= FRAMES
    assert follow_each_other(recorded, source)
    assert recorded[0] == source[0]
    assert decoded_frames(out)[0] == len(recorded)
    assert len(audio_packets(out)) >= 50


def test_a_viewer_ends_by_itself_when_its_duration_is_over(streaming: Streaming) -> None:
    arguments = ("viewer", "--channel", CodecName.VP8.value, "--duration", "0.1")
    with running(*arguments, environment=streaming.environment) as viewer:
        viewer.ready()

        assert viewer.end()[0] == 0


def test_ctrl_c_writes_the_end_of_the_file(streaming: Streaming, tmp_path: pathlib.Path) -> None:
    out = tmp_path / "out.mp4"
    arguments = ("viewer", "--channel", CodecName.H264.value, "--record", str(out))
    with running(*arguments, "--policy", "relay", environment=streaming.environment) as viewer:
        viewer.ready()
        record(viewer, out)
        status, said = viewer.end(signal.SIGINT)
    before = out.read_bytes()
    with running(*arguments, environment=streaming.environment) as viewer:
        refused = viewer.end()
    with running(*arguments, "--force", environment=streaming.environment) as viewer:
        viewer.ready()
        while out.read_bytes()[: len(before)] == before:
            time.sleep(0.05)  # it is replaced when there is something to write
        record(viewer, out)
        forced, _ = viewer.end(signal.SIGTERM)

    assert (status, forced) == (0, 0)
    assert said[-1].startswith(f"recorded   {out}: ")
    message = f"hairpin: {out} is there already: choose another name, or add --force"
    assert refused == (1, [message])
    assert before != out.read_bytes()
    assert decoded_frames(out)[0] > 0


def test_the_wrong_kind_of_file_is_refused_with_the_right_one(
    streaming: Streaming, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out.webm"
    arguments = ("viewer", "--channel", CodecName.H264.value, "--record", str(out))
    with running(*arguments, environment=streaming.environment) as viewer:
        status, said = viewer.end()

    assert status == 1
    assert said[-1] == (
        "hairpin: H.264 does not go into .webm files: record it to a file that ends in .mp4 or .mkv"
    )
    assert not out.exists()


def test_a_channel_that_is_not_there_is_one_line(streaming: Streaming) -> None:
    with running("viewer", "--channel", "none", environment=streaming.environment) as viewer:
        status, said = viewer.end()

    assert status == 1
    assert len(said) == 1
    assert "ResourceNotFoundException" in said[0]


async def test_a_channel_that_is_full_is_one_line(streaming: Streaming) -> None:
    access = ServiceAccess(streaming.environment["AWS_ENDPOINT_URL"], "us-west-2", KEY)
    async with access.client() as client, contextlib.AsyncExitStack() as stack:
        await client.create_channel("full")
        for number in range(MAX_VIEWERS):
            here = ViewerAccess(client, access, "full", client_id=f"viewer-{number}")
            await stack.enter_async_context(await here.connect())
        process = await asyncio.create_subprocess_exec(
            *HAIRPIN,
            *("viewer", "--channel", "full"),
            env={**os.environ, **streaming.environment},
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()

    assert process.returncode == 1
    assert said.decode() == (
        "hairpin: channel full has all the viewers that it takes: try again when one of them "
        "has left\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--record", "out.avi"], "ends in one of .mp4, .webm, .mkv", id="ending"),
        pytest.param(["--client-id", "two words"], "a client id is", id="client-id"),
        pytest.param(["--duration", "0"], "0.0 is not in the range", id="duration"),
        pytest.param(["--policy", "none"], "is not one of 'all', 'relay'", id="policy"),
    ],
)
def test_what_makes_no_sense_is_told_at_once(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, ["viewer", "--channel", "porch", *arguments])

    assert result.exit_code == 2
    assert message in result.output
