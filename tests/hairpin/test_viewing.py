"""A viewer of ours, a master and a service in one process."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
from collections.abc import AsyncIterator, Callable

import pytest

from hairpin.access import MasterAccess, ViewerAccess
from hairpin.aws import ServiceAccess
from hairpin.reception import Figures, Reception
from hairpin.viewing import ViewerOptions, ViewerSession
from ice import IceConfig, IcePolicy
from media.aio.recorder import FileRecorder
from media.session import SessionConfig
from signaling import Action, ClientMessage, Description, DescriptionType, RemoteCandidate
from signaling.aio import ConnectRefused
from signaling.routing import MAX_VIEWERS
from tests.media.clips import h264_mp4, vp8_webm
from tests.media.encoded import picture_hashes
from transport import TransportAddress

from .parts import CHANNEL, access_to, connect_viewer, master, service

pytestmark = pytest.mark.long  # DTLS, sockets and a file that plays in real time.


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return h264_mp4(tmp_path_factory.mktemp("clip") / "clip.mp4", frames=50)


@contextlib.asynccontextmanager
async def watching(
    access: ServiceAccess,
    recorder: FileRecorder | None = None,
    *,
    policy: IcePolicy = IcePolicy.ALL,
) -> AsyncIterator[tuple[ViewerSession, Reception]]:
    """A viewer session that runs, whether or not there is a master."""
    reception = Reception(recorder)
    async with access.client() as client:
        channel = ViewerAccess(client, access, CHANNEL, client_id="ann")

        async def configure() -> SessionConfig:
            servers = await channel.ice_servers()
            return SessionConfig(ice=IceConfig(servers=servers, policy=policy))

        options = ViewerOptions(channel.connect, configure, loopback=True)
        session = ViewerSession(reception, options)
        running = asyncio.create_task(session.run())
        try:
            await session.connected.wait()
            yield session, reception
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def until(
    reception: Reception, session: ViewerSession, condition: Callable[[Figures], bool]
) -> Figures:
    """The figures, once they meet the condition."""
    while True:
        figures = await reception.figures(session.connection)
        if condition(figures):
            return figures
        await asyncio.sleep(0.01)


async def more_video(reception: Reception, session: ViewerSession) -> None:
    """Wait until some more pictures came."""
    seen = (await reception.figures(session.connection)).video
    await until(reception, session, lambda figures: figures.video >= seen + 3)


async def with_pair(reception: Reception, session: ViewerSession) -> Figures:
    """The figures once a pair is selected; media flows before that."""
    return await until(reception, session, lambda figures: bool(figures.pair))


async def test_what_the_master_sends_is_counted_with_the_way_it_took(
    clip: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    async with (
        service(tmp_path) as running,
        master(access_to(running), clip) as session,
        watching(access_to(running)) as (viewing, reception),
    ):
        await more_video(reception, viewing)
        figures = await with_pair(reception, viewing)

        assert [each.client_id for each in session.viewers] == ["ann"]
        assert figures.pair in ("host/host", "host/prflx", "prflx/host")
        assert figures.payload_bytes > 0
        assert figures.lost == 0


async def test_a_viewer_that_is_relay_only_receives_through_the_relay(
    clip: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    async with (
        service(tmp_path) as running,
        master(access_to(running), clip),
        watching(access_to(running), policy=IcePolicy.RELAY) as (viewing, reception),
    ):
        await more_video(reception, viewing)

        assert (await with_pair(reception, viewing)).pair.startswith("relay/")


async def test_a_viewer_that_came_first_is_there_when_the_master_comes(
    clip: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    async with (
        service(tmp_path) as running,
        watching(access_to(running)) as (viewing, reception),
        master(access_to(running), clip),
    ):
        await more_video(reception, viewing)


async def test_a_master_that_comes_again_goes_into_the_same_recording(
    clip: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    other = vp8_webm(tmp_path / "other.webm", frames=20)
    async with service(tmp_path) as running, FileRecorder(tmp_path / "out.mp4") as recorder:
        async with watching(access_to(running), recorder) as (viewing, reception):
            async with master(access_to(running), clip):
                await more_video(reception, viewing)
            # This one would pass VP8 through, which this file cannot take any more.
            async with master(access_to(running), other):
                await more_video(reception, viewing)
        received = await reception.figures(None)

    # Only now: a recorder holds the first pictures of a master until sound is placed beside them.
    assert recorder.error is None
    assert recorder.stats.parameter_changes == 1  # both are there
    assert len(picture_hashes(tmp_path / "out.mp4")) == recorder.stats.video == received.video


async def test_watching_goes_on_while_the_service_restarts(
    clip: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    async with contextlib.AsyncExitStack() as second, contextlib.AsyncExitStack() as first:
        running = await first.enter_async_context(service(tmp_path))
        host, _, port = running.url.removeprefix("http://").rpartition(":")
        session = await second.enter_async_context(master(access_to(running), clip))
        viewing, reception = await second.enter_async_context(watching(access_to(running)))
        await more_video(reception, viewing)
        connection = viewing.connection

        await first.aclose()
        await more_video(reception, viewing)
        listen = TransportAddress.parse(host, int(port))
        await second.enter_async_context(service(tmp_path, listen=listen))
        await asyncio.gather(session.connected.wait(), viewing.connected.wait())
        await more_video(reception, viewing)

        assert viewing.connection is connection


async def test_what_a_master_says_wrong_does_not_end_the_viewer(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        service(tmp_path) as running,
        access_to(running).client() as client,
        watching(access_to(running)) as (viewing, _),
        await MasterAccess(client, access_to(running), CHANNEL).connect() as rude,
    ):
        offer = await anext(aiter(rude))
        assert (offer.message_type, offer.sender) == ("SDP_OFFER", "ann")
        await rude.send_candidate(RemoteCandidate("nonsense", "0", 0), recipient="ann")
        await rude.send(ClientMessage(Action.SDP_ANSWER, "e30=", "ann"))
        nonsense = Description(DescriptionType.ANSWER, "nonsense")
        await rude.send_description(nonsense, recipient="ann")
        refused = 0
        while refused < 2:
            await asyncio.sleep(0.01)
            refused = caplog.text.count("refused SDP_ANSWER of the master")

        assert viewing.connection is not None


async def test_the_eleventh_viewer_is_refused(tmp_path: pathlib.Path) -> None:
    async with (
        service(tmp_path) as running,
        access_to(running).client() as client,
        contextlib.AsyncExitStack() as stack,
    ):
        channel = await client.describe_channel(CHANNEL)
        for number in range(MAX_VIEWERS):
            await stack.enter_async_context(
                await connect_viewer(client, channel, f"viewer-{number}")
            )
        access = ViewerAccess(client, access_to(running), CHANNEL, client_id="one-too-many")

        async def configure() -> SessionConfig:
            return SessionConfig()

        session = ViewerSession(Reception(), ViewerOptions(access.connect, configure))
        with pytest.raises(ConnectRefused, match="ClientLimitExceededException"):
            await session.run()
