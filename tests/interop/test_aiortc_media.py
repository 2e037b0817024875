"""Media to and from aiortc, which offers and answers, encodes and decodes."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from fractions import Fraction

import av
import pytest
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from media.aio import PeerConnection
from media.fanout import KeyframeSource, Rendition
from media.session import h264, opus, video_rtx, vp8
from media.units import AccessUnit, CodecName, MediaKind
from sdp import Direction, RtpCodec, SdpType
from tests.media.clips import picture

pytestmark = [pytest.mark.interop, pytest.mark.filterwarnings("default")]

LOOPBACK = (ipaddress.ip_address("127.0.0.1"),)
WIDTH, HEIGHT = 320, 240
TIMEOUT = 45.0

Codec = Callable[[], RtpCodec]
ROWS: dict[CodecName, Codec] = {CodecName.H264: h264, CodecName.VP8: vp8, CodecName.OPUS: opus}


def pictures(codec: CodecName, count: int = 30) -> list[AccessUnit]:
    """Coded pictures, the first of which is a keyframe."""
    encoder = av.CodecContext.create("libx264" if codec is CodecName.H264 else "libvpx", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30)
    encoder.bit_rate, encoder.gop_size = 500_000, 1000
    if codec is CodecName.H264:
        encoder.profile = "Baseline"
        encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    else:
        encoder.options = {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0"}
    units = []
    for index in range(count):
        frame = picture(index, WIDTH, HEIGHT)
        frame.pts, frame.time_base = index, encoder.time_base
        for packet in encoder.encode(frame):
            units.append(AccessUnit(codec, bytes(packet), index * 3000, packet.is_keyframe))
    return units


def sounds(count: int = 50) -> list[AccessUnit]:
    """Silence in Opus packets of 20 ms."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "s16"
    units = []
    for index in range(count):
        frame = AudioFrame(format="s16", layout="stereo", samples=960)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.sample_rate, frame.pts = 48_000, index * 960
        for packet in encoder.encode(frame):
            units.append(AccessUnit(CodecName.OPUS, bytes(packet), index * 960, True))
    return units


def units_of(codec: CodecName) -> list[AccessUnit]:
    return sounds() if codec is CodecName.OPUS else pictures(codec)


@asynccontextmanager
async def connections() -> AsyncIterator[tuple[PeerConnection, RTCPeerConnection]]:
    ours = PeerConnection(addresses=LOOPBACK)
    theirs = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        yield ours, theirs
    finally:
        await ours.close()
        await theirs.close()


async def we_offer(ours: PeerConnection, theirs: RTCPeerConnection) -> None:
    await ours.set_local_description(await ours.create_offer())
    await ours.gathered()
    assert ours.local_description is not None
    await theirs.setRemoteDescription(RTCSessionDescription(ours.local_description.sdp, "offer"))
    await theirs.setLocalDescription(await theirs.createAnswer())
    await ours.set_remote_description(SdpType.ANSWER, theirs.localDescription.sdp)
    await ours.connected()


async def they_offer(ours: PeerConnection, theirs: RTCPeerConnection) -> None:
    await theirs.setLocalDescription(await theirs.createOffer())
    await ours.set_remote_description(SdpType.OFFER, theirs.localDescription.sdp)
    await ours.set_local_description(await ours.create_answer())
    await ours.gathered()
    assert ours.local_description is not None
    await theirs.setRemoteDescription(RTCSessionDescription(ours.local_description.sdp, "answer"))
    await ours.connected()


Negotiate = Callable[[PeerConnection, RTCPeerConnection], Awaitable[None]]
BOTH_WAYS = pytest.mark.parametrize(
    "negotiate", [pytest.param(we_offer, id="we-offer"), pytest.param(they_offer, id="they-offer")]
)


async def play(rendition: Rendition, units: list[AccessUnit]) -> None:
    """Over and over, until cancelled."""
    loop = asyncio.get_running_loop()
    clock_rate = rendition.codec.clock_rate
    step = units[1].timestamp - units[0].timestamp
    start, index = loop.time(), 0
    while True:
        unit = units[index % len(units)]
        timed = AccessUnit(unit.codec, unit.data, index * step, unit.keyframe)
        rendition.push(timed, loop.time())
        index += 1
        await asyncio.sleep(start + index * step / clock_rate - loop.time())


@BOTH_WAYS
@pytest.mark.parametrize("codec", list(CodecName))
async def test_aiortc_decodes_what_we_send(negotiate: Negotiate, codec: CodecName) -> None:
    rendition = Rendition(codec, keyframes=KeyframeSource.CACHE)
    async with asyncio.timeout(TIMEOUT), connections() as (ours, theirs):
        track: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
        theirs.on("track", track.set_result)
        if negotiate is they_offer:
            theirs.addTransceiver(codec.kind.value, direction="recvonly")
        ours.add_track(rendition)
        await negotiate(ours, theirs)
        player = asyncio.create_task(play(rendition, units_of(codec)))
        try:
            received = await track
            frames = [await received.recv() for _ in range(20)]
        finally:
            player.cancel()

    sizes = {(frame.width, frame.height) for frame in frames if isinstance(frame, VideoFrame)}
    assert sizes == (set() if codec is CodecName.OPUS else {(WIDTH, HEIGHT)})
    times = [frame.pts or 0 for frame in frames]
    assert times == sorted(set(times))


@BOTH_WAYS
@pytest.mark.parametrize("codec", list(CodecName))
async def test_we_receive_what_aiortc_encodes(negotiate: Negotiate, codec: CodecName) -> None:
    codecs = [ROWS[codec]()] + ([video_rtx()] if codec.kind is MediaKind.VIDEO else [])
    async with asyncio.timeout(TIMEOUT), connections() as (ours, theirs):
        ours.add_transceiver(codec.kind, direction=Direction.RECVONLY, codecs=codecs)
        theirs.addTrack(AudioStreamTrack() if codec.kind is MediaKind.AUDIO else VideoStreamTrack())
        await negotiate(ours, theirs)
        (track,) = ours.remote_tracks
        units = []
        async for event in track:
            units.append(event.unit)
            if len(units) == 20:
                break

    assert {unit.codec for unit in units} == {codec}
    assert units[0].keyframe
    times = [unit.timestamp for unit in units]
    assert times == sorted(set(times))
    assert decoded(units) >= 18


def decoded(units: list[AccessUnit]) -> int:
    """How many frames FFmpeg makes of them."""
    name = {CodecName.H264: "h264", CodecName.VP8: "vp8", CodecName.OPUS: "opus"}
    decoder = av.CodecContext.create(name[units[0].codec], "r")
    assert isinstance(decoder, VideoCodecContext | AudioCodecContext)
    frames = 0
    for unit in units:
        frames += len(decoder.decode(av.Packet(unit.data)))
    return frames + len(decoder.decode(None))
