"""What a viewer gets, by what it offers: two peer connections that negotiate and no more."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hairpin.broadcast import Broadcast
from hairpin.choices import Choice, choices
from media import MediaKind
from media.aio import PeerConnection
from media.session import SessionConfig, h264, opus, vp8
from media.source import Origin, VideoTrack
from sdp import Direction, RtpCodec, SdpType

from .sources import film, video

HIGH = video("h264", profile="64001f")
VP8 = video("vp8")
MPEG4 = video("mpeg4", obstacle="browsers take no mpeg4 over WebRTC")


async def negotiated(track: VideoTrack, codecs: Sequence[RtpCodec]) -> list[Choice]:
    """What a viewer with these codecs is given of a film."""
    broadcast = Broadcast(film(track))
    config = SessionConfig(codecs=tuple(codecs))
    viewer = PeerConnection(addresses=(), config=config)
    master = PeerConnection(addresses=())
    async with viewer, master:
        viewer.add_transceiver(MediaKind.VIDEO, direction=Direction.RECVONLY)
        master.add_track(*broadcast.of_kind(MediaKind.VIDEO))
        offer = await viewer.create_offer()
        await master.set_remote_description(SdpType.OFFER, offer.sdp)
        await master.set_local_description(await master.create_answer())
        return list(choices(broadcast, master.media, master.negotiation_report))


CASES = [
    pytest.param(HIGH, [h264("64001f"), vp8()], "gets H.264 High, passed through", id="taken"),
    pytest.param(VP8, [h264(), vp8()], "gets VP8, passed through", id="vp8"),
    pytest.param(MPEG4, [vp8(), h264()], "gets H.264 Baseline, encoded once for all", id="encoded"),
    pytest.param(
        HIGH,
        [h264(), vp8()],
        "does not take H.264 High as it is, and gets H.264 Baseline,"
        " encoded once for all such viewers: it offers no H.264 High",
        id="constrained-baseline-alone",
    ),
    pytest.param(
        VP8,
        [h264()],
        "does not take VP8 as it is, and gets H.264 Baseline,"
        " encoded once for all such viewers: it offers no VP8",
        id="h264-alone",
    ),
]


@pytest.mark.parametrize(("track", "codecs", "line"), CASES)
async def test_what_a_viewer_gets_and_why(
    track: VideoTrack, codecs: list[RtpCodec], line: str
) -> None:
    (choice,) = await negotiated(track, [*codecs, opus()])

    assert str(choice) == line


async def test_a_profile_that_is_dropped_is_named_with_the_reason_of_the_negotiation() -> None:
    (choice,) = await negotiated(HIGH, [h264("4d001f"), vp8()])

    assert choice.stream.origin is Origin.ENCODED
    assert choice.refused is not None
    assert choice.reason == (
        "it offers no H.264 High"
        " (Main is not wanted, only High; Main is not wanted, only Constrained Baseline)"
    )


async def test_a_viewer_that_takes_nothing_of_ours_gets_nothing() -> None:
    other = RtpCodec(MediaKind.VIDEO, "AV1", 90_000)

    assert await negotiated(HIGH, [other]) == []
