"""Media to and from a browser, without signaling between: descriptions go through Playwright."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page

from media.aio import PeerConnection
from media.fanout import KeyframeSource, Rendition
from media.session import SessionConfig, TransportStats, h264, opus, video_rtx, vp8
from media.units import AccessUnit, CodecName, MediaKind
from sdp import Direction, SdpType, Setup

from .browser import FAKE_DEVICES, chromium
from .receive_buffers import dropped_datagrams
from .test_aiortc_media import HEIGHT, WIDTH, decoded, play, units_of

pytestmark = [pytest.mark.interop, pytest.mark.timeout(60)]

LOOPBACK = (ipaddress.ip_address("127.0.0.1"),)
TIMEOUT = 45.0

SCRIPT = """
window.pc = new RTCPeerConnection();
window.gathered = new Promise((done) => {
  pc.onicecandidate = (event) => { if (!event.candidate) done(); };
});
pc.ontrack = (event) => {
  const element = document.createElement(event.track.kind);
  element.srcObject = new MediaStream([event.track]);
  element.autoplay = true; element.muted = true;
  document.body.append(element);
};
window.answer = async (offer) => {
  await pc.setRemoteDescription({type: "offer", sdp: offer});
  await pc.setLocalDescription();
  await gathered;
  return pc.localDescription.sdp;
};
window.offer = async () => {
  await pc.setLocalDescription();
  await gathered;
  return pc.localDescription.sdp;
};
window.send = async () => {
  const wanted = {video: {width: 320, height: 240}, audio: true};
  const stream = await navigator.mediaDevices.getUserMedia(wanted);
  for (const track of stream.getTracks()) pc.addTrack(track, stream);
};
window.inbound = async (kind) => {
  const all = [...(await pc.getStats()).values()];
  const stats = all.find((r) => r.type === "inbound-rtp" && r.kind === kind) ?? {};
  return {
    frames: stats.framesDecoded ?? 0, packets: stats.packetsReceived ?? 0,
    lost: stats.packetsLost ?? 0, width: stats.frameWidth ?? 0, height: stats.frameHeight ?? 0,
  };
};
"""


@asynccontextmanager
async def page() -> AsyncIterator[Page]:
    """An empty page whose script has a peer connection."""
    async with chromium(*FAKE_DEVICES, "--autoplay-policy=no-user-gesture-required") as browser:
        opened = await browser.new_page()
        # getUserMedia needs a secure context, which a blank page is not.
        await opened.route(
            "http://localhost/",
            lambda route: route.fulfill(body="<body></body>", content_type="text/html"),
        )
        await opened.goto("http://localhost/")
        await opened.evaluate(SCRIPT)
        yield opened


async def we_offer(ours: PeerConnection, browser: Page) -> None:
    await ours.set_local_description(await ours.create_offer())
    await ours.gathered()
    assert ours.local_description is not None
    answer = await browser.evaluate("(sdp) => answer(sdp)", ours.local_description.sdp)
    await ours.set_remote_description(SdpType.ANSWER, answer)
    await ours.connected()


async def they_offer(ours: PeerConnection, browser: Page) -> None:
    await ours.set_remote_description(SdpType.OFFER, await browser.evaluate("offer()"))
    await ours.set_local_description(await ours.create_answer())
    await ours.gathered()
    assert ours.local_description is not None
    await browser.evaluate(
        "(sdp) => pc.setRemoteDescription({type: 'answer', sdp})", ours.local_description.sdp
    )
    await ours.connected()


@pytest.mark.parametrize("codec", [CodecName.H264, CodecName.VP8])
@pytest.mark.parametrize("setup", [Setup.ACTIVE, Setup.PASSIVE])
async def test_chromium_shows_what_we_answer_with(codec: CodecName, setup: Setup) -> None:
    video = Rendition(codec, keyframes=KeyframeSource.CACHE)
    audio = Rendition(CodecName.OPUS)
    ours = PeerConnection(addresses=LOOPBACK, config=SessionConfig(answer_setup=setup))
    dropped = dropped_datagrams()
    async with asyncio.timeout(TIMEOUT), page() as browser, ours:
        await browser.evaluate("pc.addTransceiver('video', {direction: 'recvonly'}) && 0")
        await browser.evaluate("pc.addTransceiver('audio', {direction: 'recvonly'}) && 0")
        ours.add_track(video)
        ours.add_track(audio)
        players = [asyncio.create_task(play(r, units_of(r.codec))) for r in (video, audio)]
        try:
            await they_offer(ours, browser)
            transport = (await ours.get_stats())["transport"]
            stats = await enough(browser, frames=30)
        finally:
            for player in players:
                player.cancel()

    assert (stats["width"], stats["height"]) == (WIDTH, HEIGHT)
    assert stats["lost"] <= dropped_datagrams() - dropped
    assert isinstance(transport, TransportStats)
    assert ("GCM" in transport.srtp_profile) is (setup is Setup.PASSIVE)


@pytest.mark.parametrize("codec", [CodecName.H264, CodecName.VP8])
async def test_chromium_shows_what_we_offer(codec: CodecName) -> None:
    video = Rendition(codec, keyframes=KeyframeSource.CACHE)
    ours = PeerConnection(addresses=LOOPBACK)
    async with asyncio.timeout(TIMEOUT), page() as browser, ours:
        ours.add_track(video)
        player = asyncio.create_task(play(video, units_of(codec)))
        try:
            await we_offer(ours, browser)
            stats = await enough(browser, frames=30)
        finally:
            player.cancel()

    assert (stats["width"], stats["height"]) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("codec", [CodecName.H264, CodecName.VP8])
async def test_we_receive_what_chromium_sends(codec: CodecName) -> None:
    row = h264() if codec is CodecName.H264 else vp8()
    ours = PeerConnection(addresses=LOOPBACK)
    units: dict[MediaKind, list[AccessUnit]] = {}
    captured_at: float | None = None
    async with asyncio.timeout(TIMEOUT), page() as browser, ours:
        ours.add_transceiver(
            MediaKind.VIDEO, direction=Direction.RECVONLY, codecs=[row, video_rtx()]
        )
        ours.add_transceiver(MediaKind.AUDIO, direction=Direction.RECVONLY, codecs=[opus()])
        await browser.evaluate("send()")
        await they_offer(ours, browser)
        for track in ours.remote_tracks:
            received = units[track.kind] = []
            async for event in track:
                received.append(event.unit)
                captured_at = event.captured_at
                if len(received) == 40:
                    break

    assert decoded(units[MediaKind.VIDEO]) >= 35
    assert decoded(units[MediaKind.AUDIO]) >= 35
    assert captured_at is not None


async def enough(browser: Page, *, frames: int) -> dict[str, int]:
    """Statistics of the video, once it has decoded so many frames."""
    while True:
        stats: dict[str, int] = await browser.evaluate("inbound('video')")
        if stats["frames"] >= frames:
            return stats
        await asyncio.sleep(0.05)
