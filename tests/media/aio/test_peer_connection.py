"""The driver on loopback, with real DTLS."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from media.aio import ConnectionFailed, PeerConnection
from media.fanout import KeyframeSource, Rendition
from media.session import (
    ConnectionState,
    ConnectionStateChanged,
    LocalCandidate,
    OutboundRtpStats,
    SessionConfig,
    TransportStats,
    UnitReceived,
    vp8,
)
from media.units import AccessUnit, CodecName, MediaKind
from sdp import Direction, SdpType, Setup
from tests.media.session.material import opus_unit, video_unit
from transport import Event
from transport.dtls import DtlsCertificate, SrtpProfile

PEER_CLOSED = "the peer closed the connection"
LOOPBACK = (ipaddress.ip_address("127.0.0.1"),)


class Peers:
    """An offerer and an answerer that trickle to each other."""

    def __init__(self, *, answerer_config: SessionConfig | None = None) -> None:
        self.ended = asyncio.Event()
        self.offerer = PeerConnection(on_event=self._trickle_to("answerer"), addresses=LOOPBACK)
        self.answerer = PeerConnection(
            on_event=self._trickle_to("offerer"), addresses=LOOPBACK, config=answerer_config
        )

    async def negotiate(self) -> None:
        offer = await self.offerer.create_offer()
        await self.offerer.set_local_description(offer)
        await self.answerer.set_remote_description(offer.type, offer.sdp)
        answer = await self.answerer.create_answer()
        await self.answerer.set_local_description(answer)
        await self.offerer.set_remote_description(answer.type, answer.sdp)

    async def connect(self) -> None:
        await self.negotiate()
        await asyncio.gather(self.offerer.connected(), self.answerer.connected())

    def _trickle_to(self, name: str) -> Callable[[Event], None]:
        def on_event(event: Event) -> None:
            if event == ConnectionStateChanged(ConnectionState.CLOSED, PEER_CLOSED):
                self.ended.set()
            if isinstance(event, LocalCandidate):
                other: PeerConnection = getattr(self, name)
                self._tasks.append(asyncio.ensure_future(self._trickle(other, event)))

        self._tasks: list[asyncio.Future[None]] = []
        return on_event

    async def _trickle(self, other: PeerConnection, event: LocalCandidate) -> None:
        if other.connection_state is not ConnectionState.CLOSED:
            await other.add_ice_candidate(
                event.candidate, mid=event.mid, media_index=event.media_index
            )


@asynccontextmanager
async def peers(*, answerer_config: SessionConfig | None = None) -> AsyncIterator[Peers]:
    pair = Peers(answerer_config=answerer_config)
    async with pair.offerer, pair.answerer:
        yield pair


def rendition(codec: CodecName) -> Rendition:
    return Rendition(codec, keyframes=KeyframeSource.CACHE)


def unit(codec: CodecName, index: int) -> AccessUnit:
    if codec is CodecName.OPUS:
        return opus_unit(index)
    return video_unit(codec, index, keyframe=index == 0)


async def read(connection: PeerConnection, count: int) -> list[AccessUnit]:
    (track,) = connection.remote_tracks
    received: list[UnitReceived] = []
    async for event in track:
        received.append(event)
        if len(received) == count:
            break
    return [event.unit for event in received]


@pytest.mark.parametrize("codec", list(CodecName))
async def test_units_come_out_as_they_went_in(codec: CodecName) -> None:
    source = rendition(codec)
    sent = [unit(codec, index) for index in range(5)]
    async with peers() as pair:
        pair.offerer.add_track(source)
        await pair.connect()
        for each in sent:
            source.push(each, asyncio.get_running_loop().time())
        received = await read(pair.answerer, len(sent))

    assert received == sent


async def test_a_viewer_that_offers_to_receive_gets_the_codec_that_both_have() -> None:
    h264_source, vp8_source = rendition(CodecName.H264), rendition(CodecName.VP8)
    sent = unit(CodecName.VP8, 0)
    async with peers() as pair:
        pair.offerer.add_transceiver(MediaKind.VIDEO, direction=Direction.RECVONLY, codecs=[vp8()])
        track = pair.answerer.add_track(h264_source, vp8_source)
        await pair.connect()
        vp8_source.push(sent, asyncio.get_running_loop().time())
        received = await read(pair.offerer, 1)

        assert received == [sent]
        assert track.rendition is vp8_source
        assert (h264_source.sink_count, vp8_source.sink_count) == (0, 1)
    assert vp8_source.sink_count == 0


@pytest.mark.requirement("sdp-media:SYS01")
async def test_one_rendition_serves_ten_peers_with_one_packetizing() -> None:
    source = rendition(CodecName.VP8)
    sent = [unit(CodecName.VP8, index) for index in range(3)]
    pairs = [Peers() for _ in range(10)]
    try:
        for pair in pairs:
            pair.offerer.add_track(source)
        await asyncio.gather(*(pair.connect() for pair in pairs))
        for each in sent:
            source.push(each, asyncio.get_running_loop().time())
        received = await asyncio.gather(*(read(pair.answerer, 3) for pair in pairs))
    finally:
        for pair in pairs:
            await pair.offerer.close()
            await pair.answerer.close()

    assert received == [sent] * 10
    assert source.units_packetized == 3


@pytest.mark.requirement("sdp-media:SDP-A16")
@pytest.mark.parametrize("setup", [Setup.ACTIVE, Setup.PASSIVE])
async def test_the_answerer_may_be_dtls_client_or_server(setup: Setup) -> None:
    async with peers(answerer_config=SessionConfig(answer_setup=setup)) as pair:
        pair.offerer.add_track(rendition(CodecName.VP8))
        await pair.connect()
        transport = (await pair.answerer.get_stats())["transport"]

    assert isinstance(transport, TransportStats)
    assert transport.srtp_profile == SrtpProfile.AEAD_AES_128_GCM.openssl_name
    assert transport.dtls_state == "connected"


async def test_without_trickle_the_local_description_is_enough() -> None:
    async with (
        PeerConnection(addresses=LOOPBACK) as offerer,
        PeerConnection(addresses=LOOPBACK) as answerer,
    ):
        offerer.add_track(rendition(CodecName.OPUS))
        await offerer.set_local_description(await offerer.create_offer())
        await offerer.gathered()
        assert offerer.local_description is not None
        await answerer.set_remote_description(SdpType.OFFER, offerer.local_description.sdp)
        await answerer.set_local_description(await answerer.create_answer())
        await answerer.gathered()
        assert answerer.local_description is not None
        await offerer.set_remote_description(SdpType.ANSWER, answerer.local_description.sdp)
        await asyncio.gather(offerer.connected(), answerer.connected())

        assert offerer.connection_state is ConnectionState.CONNECTED


async def test_a_close_ends_the_peer_too() -> None:
    source = rendition(CodecName.VP8)
    async with peers() as pair:
        pair.offerer.add_track(source)
        await pair.connect()
        source.push(unit(CodecName.VP8, 0), asyncio.get_running_loop().time())
        (track,) = pair.answerer.remote_tracks
        await pair.offerer.close()
        units = [event.unit async for event in track]
        await pair.ended.wait()

        assert len(units) <= 1
        assert source.sink_count == 0
        with pytest.raises(ConnectionFailed):
            await pair.offerer.connected()


@pytest.mark.requirement("sdp-media:SEC10")
async def test_a_certificate_that_was_not_signaled_ends_the_connection() -> None:
    async with peers() as pair:
        pair.offerer.add_track(rendition(CodecName.VP8))
        offer = await pair.offerer.create_offer()
        await pair.offerer.set_local_description(offer)
        stranger = DtlsCertificate.generate(bytes).fingerprint("sha-256")
        lines = [
            f"a=fingerprint:sha-256 {stranger}" if line.startswith("a=fingerprint") else line
            for line in offer.sdp.splitlines()
        ]
        await pair.answerer.set_remote_description(SdpType.OFFER, "\r\n".join([*lines, ""]))
        answer = await pair.answerer.create_answer()
        await pair.answerer.set_local_description(answer)
        await pair.offerer.set_remote_description(answer.type, answer.sdp)

        with pytest.raises(ConnectionFailed, match="fingerprint"):
            await pair.answerer.connected()


async def test_a_keyframe_that_the_viewer_asks_for_comes_from_the_cache() -> None:
    source = rendition(CodecName.VP8)
    async with peers() as pair:
        pair.offerer.add_track(source)
        await pair.connect()
        loop = asyncio.get_running_loop()
        source.push(unit(CodecName.VP8, 0), loop.time())
        source.push(unit(CodecName.VP8, 1), loop.time())
        await read(pair.answerer, 2)
        pair.answerer.request_keyframe(pair.answerer.remote_tracks[0].mid)
        (again,) = await read(pair.answerer, 1)

    assert again.keyframe


async def test_closing_twice_is_as_good_as_once() -> None:
    connection = PeerConnection(addresses=LOOPBACK)
    await connection.close()
    await connection.close()

    assert connection.connection_state is ConnectionState.CLOSED


async def test_a_closed_connection_is_let_go_of_without_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        async with peers() as pair:
            pair.offerer.add_track(rendition(CodecName.VP8))
            await pair.connect()
        connections = [weakref.ref(pair.offerer), weakref.ref(pair.answerer)]
        del pair
        await asyncio.sleep(0)  # the sockets' last callbacks

        assert [connection() for connection in connections] == [None, None]
    finally:
        gc.enable()


async def test_stats_count_what_was_sent() -> None:
    source = rendition(CodecName.VP8)
    async with peers() as pair:
        pair.offerer.add_track(source)
        await pair.connect()
        source.push(unit(CodecName.VP8, 0), asyncio.get_running_loop().time())
        await read(pair.answerer, 1)
        stats = await pair.offerer.get_stats()

    (outbound,) = (record for record in stats.values() if isinstance(record, OutboundRtpStats))
    assert (outbound.frames_sent, outbound.key_frames_sent) == (1, 1)
