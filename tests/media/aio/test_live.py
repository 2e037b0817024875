"""Sources that come over a network, at a pace of their own: servers on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from media.aio.player import open_source
from media.source import MediaSourceError, Origin
from media.units import CodecName
from tests.media import clips

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """A TCP server, which closes each connection when ``serve`` returns; its address."""
    busy: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await serve(reader, writer)
            await writer.drain()
        with contextlib.suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(answer(reader, writer))
        busy.add(task)
        task.add_done_callback(busy.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"tcp://{host}:{port}"
    finally:
        server.close()
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)


@contextlib.asynccontextmanager
async def web_server(folder: Path) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_static("/", folder)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@pytest.mark.long  # half a second passes before the source is opened again
async def test_a_stream_that_is_lost_is_opened_again_and_time_goes_on(tmp_path: Path) -> None:
    stream = clips.h264_ts(tmp_path / "clip.ts", frames=10).read_bytes()
    connections = 0

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(stream)

    units = []
    async with serving(serve) as address, open_source(address) as source:
        description = source.description
        async for _, unit in source.units():
            units.append(unit)
            if len(units) == 15:
                break

    assert description.live
    assert description.streams[0].origin is Origin.PASSTHROUGH
    assert [unit.keyframe for unit in units] == [index % 10 == 0 for index in range(15)]
    spacing = {b.timestamp - a.timestamp for a, b in itertools.pairwise(units)}
    assert spacing == {3600}
    assert connections == 2


async def test_b_frames_of_a_live_source_are_encoded(tmp_path: Path) -> None:
    stream = clips.h264_ts_with_b_frames(tmp_path / "clip.ts", frames=30).read_bytes()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(stream)

    async with serving(serve) as address, open_source(address, loop=False) as source:
        description = source.description
        (vp8,) = (one for one in description.streams if one.codec is CodecName.VP8)
        source.use(vp8)
        units = [unit async for _, unit in source.units()]

    assert description.video is not None
    assert description.video.obstacle == "its frames are not in display order (B frames)"
    assert len(units) == 30
    assert units[0].keyframe


@pytest.mark.long  # ten frames are played at their pace
async def test_a_film_on_a_web_server_is_looped_like_a_file(tmp_path: Path) -> None:
    clips.h264_mp4(tmp_path / "clip.mp4", frames=4, gop=4, audio=False)
    units = []

    async with web_server(tmp_path) as url, open_source(f"{url}/clip.mp4?token=1") as source:
        description = source.description
        async for _, unit in source.units():
            units.append(unit)
            if len(units) == 10:
                break

    assert not description.live
    assert description.name == f"{url}/clip.mp4"
    assert {b.timestamp - a.timestamp for a, b in itertools.pairwise(units)} == {3600}


async def test_what_is_not_on_the_web_server_is_said_in_one_line(tmp_path: Path) -> None:
    async with web_server(tmp_path) as url:
        with pytest.raises(MediaSourceError) as error:
            async with open_source(f"{url}/clip.mp4"):
                pass

    assert str(error.value).startswith(f"{url}/clip.mp4: it cannot be reached: ")
    assert "404" in str(error.value)


async def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media.aio.libav.opening.OPEN_TIMEOUT", 0.1)

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(serve) as address:
        with pytest.raises(MediaSourceError, match="it did not answer within"):
            async with open_source(address):
                pass


async def test_an_answer_that_cannot_be_interrupted_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("media.aio.player.OPEN_TIMEOUT", 0.05)
    monkeypatch.setattr("media.aio.player.CLOSE_TIMEOUT", 0.05)
    monkeypatch.setattr("media.aio.libav.opening.OPEN_TIMEOUT", 0.3)

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(serve) as address:
        with pytest.raises(MediaSourceError, match="it did not answer within"):
            async with open_source(address):
                pass


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("tcp://127.0.0.1:9", "tcp://127.0.0.1:9: it cannot be reached: Connection refused"),
        (
            "rtsp://admin:hunter2@127.0.0.1:9/live?key=hunter2",
            "rtsp://127.0.0.1:9/live: it cannot be reached: Connection refused",
        ),
        ("nothing://127.0.0.1/", "nothing://127.0.0.1/: it cannot be reached: Protocol not found"),
        ("/dev/video99", "/dev/video99: there is no such camera"),
        ("/dev/null", "/dev/null: it cannot be opened: Inappropriate ioctl for device"),
    ],
)
async def test_what_is_not_there_is_said_in_one_line(spec: str, problem: str) -> None:
    with pytest.raises(MediaSourceError) as error:
        async with open_source(spec):
            pass

    assert str(error.value) == problem
