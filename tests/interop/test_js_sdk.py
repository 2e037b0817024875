"""Amazon's JavaScript SDKs with our service: in Chromium as viewer and master, and under Node.

Where the service speaks TLS, the WebRTC SDK signs with its own signer; over plain HTTP,
which that signer refuses, with a custom one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import pathlib

import aiohttp
import pytest

from media.aio import PeerConnection, RemoteTrack
from media.units import AccessUnit, MediaKind
from sdp import Direction, SdpType
from signaling import (
    AccessKey,
    Description,
    DescriptionType,
    decode_candidate,
    decode_description,
)
from signaling.aio import SignalingConnection, viewer_url
from tests.media.clips import h264_mp4

from .browser import chromium, wait_for_frames
from .javascript import pages, run_node
from .process import hairpin
from .sdk_page import CHANNEL, both_schemes, browser_with, call, peer_page, view
from .service import KEY_ID, REGION, SECRET, serving
from .test_aiortc_media import decoded

pytestmark = [
    pytest.mark.interop,
    pytest.mark.alone,
    pytest.mark.timeout(120, func_only=True),
    pytest.mark.usefixtures("javascript_sdks"),
]

LOOPBACK = (ipaddress.ip_address("127.0.0.1"),)
FRAMES = 30
"""Decoded pictures that show that media flows."""

POLICIES = [pytest.param({}, id="direct"), pytest.param({"policy": "relay"}, id="relay-only")]
WITH_A_DATA_CHANNEL = pytest.param({"dataChannel": True}, id="with-a-data-channel")
"""As the SDK's own sample page may open, beside the media."""


@pytest.fixture
def clip(tmp_path: pathlib.Path) -> str:
    return str(h264_mp4(tmp_path / "clip.mp4", frames=100, gop=25))


@both_schemes
@pytest.mark.parametrize("options", [*POLICIES, WITH_A_DATA_CHANNEL])
async def test_a_page_watches_our_master(
    scheme: str, options: dict[str, object], clip: str, tmp_path: pathlib.Path
) -> None:
    async with (
        serving(tmp_path, scheme) as service,
        browser_with(service) as (browser, address),
        peer_page(browser, address) as page,
    ):
        await call(page, service, "CreateSignalingChannel", ChannelName=CHANNEL)
        source = ("--channel", CHANNEL, "--source", clip, "--loopback")
        where = ("--endpoint", service.endpoint)
        async with hairpin("master", *source, *where, environment=service.environment):
            await view(page, service, "viewer-1", **options)
            reading = await wait_for_frames(page, FRAMES)

    assert reading.frames >= FRAMES
    assert reading.lost == 0
    assert reading.codec == "video/H264"
    assert (reading.local_type == "relay") is ("policy" in options)


@both_schemes
@pytest.mark.parametrize("options", POLICIES)
async def test_a_page_is_the_master_of_two_others(
    scheme: str, options: dict[str, object], tmp_path: pathlib.Path
) -> None:
    async with (
        serving(tmp_path, scheme) as service,
        browser_with(service) as (browser, address),
        peer_page(browser, address) as master,
        peer_page(browser, address) as first,
        peer_page(browser, address) as second,
    ):
        await call(master, service, "CreateSignalingChannel", ChannelName=CHANNEL)
        await view(first, service, "early-viewer", **options)
        await master.evaluate(
            "(arguments) => master(...arguments)", [service.settings, CHANNEL, options]
        )
        await view(second, service, "late-viewer", **options)
        readings = [await wait_for_frames(each, FRAMES) for each in (first, second)]

    assert all(reading.frames >= FRAMES for reading in readings)
    assert all((reading.local_type == "relay") is ("policy" in options) for reading in readings)
    assert all(reading.audio_packets > 0 for reading in readings)


async def test_our_viewer_receives_what_a_page_sends(tmp_path: pathlib.Path) -> None:
    ours = PeerConnection(addresses=LOOPBACK)
    async with (
        serving(tmp_path, "http") as service,
        browser_with(service) as (browser, address),
        peer_page(browser, address) as page,
    ):
        await call(page, service, "CreateSignalingChannel", ChannelName=CHANNEL)
        await page.evaluate("(arguments) => master(...arguments)", [service.settings, CHANNEL])
        place = await page.evaluate(
            "([settings, name]) => new Service(settings).locate(name, 'VIEWER', 'ours')",
            [service.settings, CHANNEL],
        )
        url = viewer_url(
            place["channelEndpoint"],
            place["channelARN"],
            "ours",
            key=AccessKey(KEY_ID, SECRET),
            region=REGION,
        )
        async with asyncio.timeout(60), SignalingConnection(url) as signaling, ours:
            ours.add_transceiver(MediaKind.VIDEO, direction=Direction.RECVONLY)
            ours.add_transceiver(MediaKind.AUDIO, direction=Direction.RECVONLY)
            await ours.set_local_description(await ours.create_offer())
            await ours.gathered()
            assert ours.local_description is not None
            offer = Description(DescriptionType.OFFER, ours.local_description.sdp)
            await signaling.send_description(offer)
            following = asyncio.create_task(follow(signaling, ours))
            await ours.connected()
            units = {track.kind: await first_units(track) for track in ours.remote_tracks}
            following.cancel()

    assert decoded(units[MediaKind.VIDEO]) >= FRAMES - 5
    assert decoded(units[MediaKind.AUDIO]) >= FRAMES - 5


async def follow(signaling: SignalingConnection, ours: PeerConnection) -> None:
    """Take the master's answer and its candidates."""
    async for event in signaling:
        assert event.payload is not None, event
        if event.message_type == "SDP_ANSWER":
            answer = decode_description(event.payload)
            await ours.set_remote_description(SdpType.ANSWER, answer.sdp)
        elif event.message_type == "ICE_CANDIDATE":
            candidate = decode_candidate(event.payload)
            await ours.add_ice_candidate(
                candidate.candidate, mid=candidate.sdp_mid, media_index=candidate.sdp_m_line_index
            )


async def first_units(track: RemoteTrack) -> list[AccessUnit]:
    units: list[AccessUnit] = []
    async for event in track:
        units.append(event.unit)
        if len(units) == FRAMES:
            break
    return units


async def test_a_page_without_keys_watches_with_a_url_that_the_service_signed(clip: str) -> None:
    listen = ("--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0")
    async with (
        hairpin("demo", *listen, "--source", clip) as demo,
        aiohttp.ClientSession() as client,
        client.get(f"{demo.address}api/viewer") as response,
        pages() as address,
        chromium() as browser,
        peer_page(browser, address) as page,
    ):
        signed = await response.json()
        await page.evaluate(
            "([url, servers]) => viewSigned(url, servers)", [signed["url"], signed["iceServers"]]
        )
        reading = await wait_for_frames(page, FRAMES)

    assert reading.frames >= FRAMES
    assert reading.lost == 0
    assert reading.codec == "video/H264"


@both_schemes
async def test_under_node_a_master_and_a_viewer_exchange_their_messages(
    scheme: str, tmp_path: pathlib.Path
) -> None:
    async with serving(tmp_path, scheme) as service:
        output = await run_node(
            "exchange.js", json.dumps(service.settings), environment=service.environment
        )

    heard = json.loads(output)
    assert heard["master"] == [
        {
            "kind": "sdpOffer",
            "content": {"type": "offer", "sdp": "v=0\r\ns=offer\r\n"},
            "clientId": "viewer-1",
        },
        {
            "kind": "iceCandidate",
            "content": {"candidate": "candidate:1", "sdpMid": "0", "sdpMLineIndex": 0},
            "clientId": "viewer-1",
        },
    ]
    # Nothing names the master to a viewer.
    assert heard["viewer"] == [
        {"kind": "sdpAnswer", "content": {"type": "answer", "sdp": "v=0\r\ns=answer\r\n"}},
        {
            "kind": "iceCandidate",
            "content": {"candidate": "candidate:2", "sdpMid": "0", "sdpMLineIndex": 0},
        },
    ]
    assert heard["status"]["correlationId"] == "to-nobody"
    assert heard["status"]["statusCode"] == "400"
    assert heard["status"]["errorType"] == "InvalidArgumentException"
