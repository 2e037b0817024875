"""aiortc takes our offers and answers, and we take its."""

from __future__ import annotations

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from sdp import Direction, Setup
from tests.sdp.negotiation.parties import ANSWER, AUDIO, OFFER, OURS, VIDEO, answer_to, party

pytestmark = [pytest.mark.interop, pytest.mark.filterwarnings("default")]


def connection() -> RTCPeerConnection:
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


async def test_aiortc_answers_our_offer() -> None:
    ours, peer = party(), connection()
    ours.add_transceiver(VIDEO, direction=Direction.SENDONLY)
    ours.add_transceiver(AUDIO)
    offer = ours.create_offer(OURS)
    ours.set_local(OFFER, offer)
    try:
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        answer = await peer.createAnswer()
        await peer.setLocalDescription(answer)
        ours.set_remote(ANSWER, peer.localDescription.sdp)
    finally:
        await peer.close()

    assert [media.rejected for media in ours.media] == [False, False]
    assert {c.send.name for c in ours.media[0].codecs} == {"VP8", "H264"}
    assert ours.dtls_role is Setup.PASSIVE
    assert ours.remote_transport is not None
    assert ours.remote_transport.candidates


async def test_aiortc_takes_our_answer() -> None:
    ours, peer = party(), connection()
    ours.add_transceiver(VIDEO, direction=Direction.SENDONLY)
    peer.addTransceiver("video", "recvonly")
    peer.addTransceiver("audio", "recvonly")
    try:
        await peer.setLocalDescription(await peer.createOffer())
        answer = answer_to(peer.localDescription.sdp, ours)
        await peer.setRemoteDescription(RTCSessionDescription(str(answer), "answer"))
        state = peer.signalingState
    finally:
        await peer.close()

    assert state == "stable"
    assert ours.media[0].direction is Direction.SENDONLY
