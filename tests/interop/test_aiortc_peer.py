"""``hairpin peer`` with aiortc at the other end of its lines."""

from __future__ import annotations

import asyncio
import json
import pathlib
import sys

import msgspec
import pytest
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.sdp import candidate_from_sdp

from tests.media.clips import h264_mp4

pytestmark = [pytest.mark.interop, pytest.mark.filterwarnings("default"), pytest.mark.timeout(60)]


class Line(msgspec.Struct, rename="camel"):
    """Any line that ours says."""

    type: str
    sdp: str = ""
    candidate: str = ""
    sdp_mid: str | None = None
    sdp_m_line_index: int | None = msgspec.field(name="sdpMLineIndex", default=None)
    ok: bool = False
    codec: str | None = None
    errors: list[str] = []


class Lines:
    """A ``hairpin peer`` process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, *arguments: str) -> Lines:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from hairpin.cli import main; main()", "peer"),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 20,
        )
        return cls(process)

    async def read(self) -> Line:
        assert self._process.stdout is not None
        return msgspec.json.decode(await self._process.stdout.readline(), type=Line)

    def write(self, description: RTCSessionDescription) -> None:
        assert self._process.stdin is not None
        line = json.dumps({"type": description.type, "sdp": description.sdp})
        self._process.stdin.write(line.encode() + b"\n")

    async def end(self, theirs: RTCPeerConnection) -> tuple[int, Line]:
        """Trickle our candidates to aiortc until the last line, which is the result."""
        while (line := await self.read()).type != "result":
            candidate = candidate_from_sdp(line.candidate.removeprefix("candidate:"))
            candidate.sdpMid, candidate.sdpMLineIndex = line.sdp_mid, line.sdp_m_line_index
            await theirs.addIceCandidate(candidate)
        return await self._process.wait(), line


def only(theirs: RTCPeerConnection, codec: str) -> None:
    """Let aiortc take one format of video."""
    found = RTCRtpReceiver.getCapabilities("video")
    assert found is not None
    for transceiver in theirs.getTransceivers():
        if transceiver.kind == "video":
            transceiver.setCodecPreferences([c for c in found.codecs if c.name in (codec, "rtx")])


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_aiortc_decodes_what_a_peer_of_ours_offers(
    codec: str, tmp_path: pathlib.Path
) -> None:
    clip = str(h264_mp4(tmp_path / "clip.mp4", frames=50, gop=25))
    ours = await Lines.start(
        *("--role", "offer", "--send", "video,audio", "--codec", codec),
        *("--source", clip, "--duration", "3"),
    )
    theirs = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    frames: dict[str, int] = {"video": 0, "audio": 0}
    reading: list[asyncio.Future[None]] = []

    async def read(track: MediaStreamTrack) -> None:
        while True:
            await track.recv()
            frames[track.kind] += 1

    theirs.on("track", lambda track: reading.append(asyncio.ensure_future(read(track))))
    offer = await ours.read()
    await theirs.setRemoteDescription(RTCSessionDescription(offer.sdp, offer.type))
    await theirs.setLocalDescription(await theirs.createAnswer())
    ours.write(theirs.localDescription)
    status, result = await ours.end(theirs)
    await asyncio.gather(*reading, return_exceptions=True)
    await theirs.close()

    assert (status, result.ok, result.codec) == (0, True, codec), result
    assert frames["video"] > 10
    assert frames["audio"] > 20


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_a_peer_of_ours_decodes_what_aiortc_offers(codec: str) -> None:
    ours = await Lines.start(
        *("--role", "answer", "--recv", "video,audio", "--codec", codec, "--duration", "3")
    )
    theirs = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    theirs.addTrack(VideoStreamTrack())
    theirs.addTrack(AudioStreamTrack())
    only(theirs, codec)
    await theirs.setLocalDescription(await theirs.createOffer())
    ours.write(theirs.localDescription)
    answer = await ours.read()
    await theirs.setRemoteDescription(RTCSessionDescription(answer.sdp, answer.type))
    status, result = await ours.end(theirs)
    await theirs.close()

    assert (status, result.ok, result.codec) == (0, True, codec), result
    assert result.errors == []
