"""A master and its viewers, through a service in the same process."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib

import pytest

from ice import IcePolicy
from media.session import CandidatePairStats
from signaling import Description, DescriptionType
from signaling.aio import ConnectRefused
from signaling.routing import MAX_VIEWERS
from tests.media.clips import h264_mp4
from transport import TransportAddress

from .parts import access_to, master, service, viewer

pytestmark = pytest.mark.long  # DTLS, sockets and a file that plays in real time.


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return h264_mp4(tmp_path_factory.mktemp("clip") / "clip.mp4", frames=50, audio=False)


def ufrag(description: Description) -> str:
    return next(line for line in description.sdp.splitlines() if line.startswith("a=ice-ufrag:"))


async def test_a_viewer_that_offers_receives_the_broadcast_from_its_keyframe_on(
    clip: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    async with (
        service(tmp_path) as running,
        master(access_to(running), clip) as session,
        viewer(access_to(running), "ann") as ann,
    ):
        await ann.join()
        first = await ann.unit()

        assert first.unit.keyframe
        assert [each.client_id for each in session.viewers] == ["ann"]


async def test_a_master_that_is_relay_only_sends_through_the_relay(
    clip: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    async with (
        service(tmp_path) as running,
        master(access_to(running), clip, policy=IcePolicy.RELAY),
        viewer(access_to(running), "ann") as ann,
    ):
        await ann.join()
        await ann.unit()

        assert running.relay is not None
        assert any(each.meter.sent_packets for each in running.relay.allocations())


async def test_candidates_that_overtake_their_offer_are_used(
    clip: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    async with (
        service(tmp_path) as running,
        master(access_to(running), clip) as session,
        viewer(access_to(running), "ann") as ann,
    ):
        offer = await ann.prepare_offer()
        candidate = await ann.candidates.get()
        await ann.signaling.send_candidate(candidate)
        await ann.offer(offer)
        await ann.connection.connected()
        pair = None
        while pair is None:
            await ann.unit()
            stats = await session.viewers[0].connection.get_stats()
            pair = next((s for s in stats.values() if isinstance(s, CandidatePairStats)), None)

        assert "typ host" in pair.remote_candidate


async def test_a_new_session_of_the_same_viewer_takes_the_place_of_the_old(
    clip: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    async with (
        service(tmp_path) as running,
        master(access_to(running), clip) as session,
        viewer(access_to(running), "ann") as ann,
    ):
        await ann.join()
        (before,) = session.viewers
        old = ann.renew()
        async with old:
            await ann.join()
            await ann.unit()
            await ann.closed.wait()

            (after,) = session.viewers
            assert after is not before


async def test_an_offer_of_the_same_session_restarts_ice_and_the_media_goes_on(
    clip: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    async with (
        service(tmp_path) as running,
        master(access_to(running), clip) as session,
        viewer(access_to(running), "ann") as ann,
    ):
        first = await ann.offer(await ann.prepare_offer())
        await ann.connection.connected()
        (before,) = session.viewers
        second = await ann.offer(await ann.prepare_offer(ice_restart=True))
        for _ in range(5):
            await ann.unit()

        assert ufrag(first) != ufrag(second)
        assert session.viewers == (before,)
        assert not ann.closed.is_set()


async def test_what_cannot_be_answered_is_told_to_the_log_alone(
    clip: pathlib.Path, tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        service(tmp_path) as running,
        master(access_to(running), clip),
        viewer(access_to(running), "bob") as bob,
        viewer(access_to(running), "ann") as ann,
    ):
        await bob.signaling.send_description(Description(DescriptionType.OFFER, "nonsense"))
        said = ""
        while "viewer bob got no answer" not in said:
            await asyncio.sleep(0.01)
            said = caplog.text
        await ann.join()
        await ann.unit()

        assert bob.answers.empty()


async def test_who_asks_for_nothing_that_is_sent_takes_no_place(
    clip: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    async with (
        service(tmp_path) as running,
        master(access_to(running), clip) as session,
        viewer(access_to(running), "bob") as bob,
        viewer(access_to(running), "ann") as ann,
    ):
        empty = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
        await bob.signaling.send_description(Description(DescriptionType.OFFER, empty))
        await bob.answers.get()
        await ann.join()

        assert [each.client_id for each in session.viewers] == ["ann"]


async def test_viewers_go_on_while_the_service_restarts_and_new_ones_join_after(
    clip: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    async with contextlib.AsyncExitStack() as second, contextlib.AsyncExitStack() as first:
        running = await first.enter_async_context(service(tmp_path))
        host, _, port = running.url.removeprefix("http://").rpartition(":")
        session = await second.enter_async_context(master(access_to(running), clip))
        ann = await second.enter_async_context(viewer(access_to(running), "ann"))
        await ann.join()

        await first.aclose()
        await ann.unit()
        listen = TransportAddress.parse(host, int(port))
        again = await second.enter_async_context(service(tmp_path, listen=listen))
        await session.connected.wait()
        bob = await second.enter_async_context(viewer(access_to(again), "bob"))
        await bob.join()
        await bob.unit()
        await ann.unit()

        assert {each.client_id for each in session.viewers} == {"ann", "bob"}


async def test_ten_viewers_watch_and_the_eleventh_is_refused(
    clip: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    async with (
        service(tmp_path) as running,
        master(access_to(running), clip) as session,
        contextlib.AsyncExitStack() as stack,
    ):
        access = access_to(running)
        viewers = [
            await stack.enter_async_context(viewer(access, f"viewer-{number}"))
            for number in range(MAX_VIEWERS)
        ]
        await asyncio.gather(*(each.join() for each in viewers))
        await asyncio.gather(*(each.unit() for each in viewers))
        with pytest.raises(ConnectRefused, match="ClientLimitExceededException"):
            await stack.enter_async_context(viewer(access, "one-too-many"))

        assert len(session.viewers) == MAX_VIEWERS
