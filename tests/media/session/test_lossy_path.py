"""Video over a path that loses packets both ways: the picture moves all the same."""

from __future__ import annotations

import dataclasses
import functools
import itertools

import pytest

from media.fanout import KeyframeSource
from media.session import PeerSession, UnitReceived
from media.units import AccessUnit, CodecName, MediaKind
from netsim import GilbertElliott, LinkProfile
from sdp import Direction

from .material import video_unit
from .peer_pair import PeerPair

SECONDS = 20
RATE = 30
GROUP = 60
"""Frames from one keyframe of a file to the next: two seconds."""

DELAY = 0.0125
FIVE_PERCENT = LinkProfile(delay=DELAY, loss=1 - 0.95**0.5)
"""Of each of the two links on the way."""

BURSTS = LinkProfile(delay=DELAY, bursts=GilbertElliott(0.002, 0.08))
"""A dozen datagrams at once, now and then: 2.5 % on each link."""

FAR = LinkProfile(delay=0.05, jitter=0.02, loss=FIVE_PERCENT.loss)
"""A round trip of more than 0.2 s: time for two retransmissions, until a frame is late."""


def frame(codec: CodecName, index: int, *, keyframe: bool) -> AccessUnit:
    """A frame that can be told from all others."""
    unit = video_unit(codec, index, keyframe=keyframe)
    return dataclasses.replace(unit, data=unit.data + b"%06d" % index)


class Call:
    """Alice sends video at its rate, Bob watches; both start when they are connected."""

    def __init__(
        self, codec: CodecName, keyframes: KeyframeSource, link: LinkProfile, *, seed: int
    ) -> None:
        self._pair = PeerPair(seed=seed, link=link)
        self._pair.alice.call(add_video)
        self._pair.connect()
        self._codec = codec
        self._keyframes = keyframes
        self._rendition = self._pair.rendition(self._pair.alice, "0", codec, keyframes=keyframes)
        self.started_at = self._pair.now

    def run(self, frames: int) -> None:
        for index in range(frames):
            self._pair.network.call_later(index / RATE, functools.partial(self._send, index))
        self._pair.network.run(until=self.started_at + frames / RATE + 1.0)

    def _send(self, index: int) -> None:
        now = self._pair.now
        asked = self._rendition.take_keyframe_request(now)
        of_itself = self._keyframes is KeyframeSource.CACHE and index % GROUP == 0
        keyframe = asked or of_itself or index == 0
        self._rendition.push(frame(self._codec, index, keyframe=keyframe), now)

    @property
    def received(self) -> list[tuple[float, int, bool]]:
        """When, which frame, and whether it is a keyframe."""
        return [
            (at, int(event.unit.data[-6:]), event.unit.keyframe)
            for at, event in self._pair.bob.events
            if isinstance(event, UnitReceived)
        ]

    def freezes(self) -> list[float]:
        """Seconds between pictures that are newer than all before, the longest first."""
        newest, news = -1, [self.started_at]
        for at, index, _ in self.received:
            if index > newest:
                newest = index
                news.append(at)
        return sorted((b - a for a, b in itertools.pairwise(news)), reverse=True)


def add_video(peer: PeerSession, now: float) -> None:
    peer.add_transceiver(MediaKind.VIDEO, direction=Direction.SENDONLY)


@pytest.mark.long  # twenty seconds of video
@pytest.mark.requirement("sdp-media:REC04")
@pytest.mark.parametrize(
    "keyframes",
    [
        pytest.param(KeyframeSource.CACHE, id="passed-through"),
        pytest.param(KeyframeSource.ENCODER, id="encoded"),
    ],
)
@pytest.mark.parametrize("codec", [CodecName.H264, CodecName.VP8])
@pytest.mark.parametrize(
    ("link", "share", "longest"),
    [
        pytest.param(FIVE_PERCENT, 0.98, 0.5, id="random"),
        pytest.param(BURSTS, 0.9, 1.0, id="bursts"),
        pytest.param(FAR, 0.8, 2.0, id="far"),
    ],
)
def test_a_picture_moves_at_5_percent_loss(
    codec: CodecName,
    keyframes: KeyframeSource,
    link: LinkProfile,
    share: float,
    longest: float,
) -> None:
    call = Call(codec, keyframes, link, seed=1)
    call.run(SECONDS * RATE)

    shown = call.received
    assert len({index for _, index, _ in shown}) >= share * SECONDS * RATE
    assert call.freezes()[0] < longest
    assert shown[0][2]
    for (_, before, _), (_, index, keyframe) in itertools.pairwise(shown):
        assert keyframe or index == before + 1  # or it could not be decoded
