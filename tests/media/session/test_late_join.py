"""A viewer that joins in mid-stream: its sound and its picture stay together."""

from __future__ import annotations

import pytest

from media.session import UnitReceived
from media.units import CodecName, MediaKind
from sdp import Direction

from .material import opus_unit, video_unit
from .peer_pair import PeerPair

SECONDS = 5
JOINS_AT = 2.51
LOSES_AT = 3.52
"""Between two frames, far behind the only keyframe."""

FRAME, SOUND = 1 / 30, 0.02


class Stream:
    """Alice plays a file; Bob is connected, and may watch."""

    def __init__(self, codec: CodecName) -> None:
        self._pair = pair = PeerPair()
        for kind in MediaKind:
            pair.alice.machine.add_transceiver(kind, direction=Direction.SENDONLY)
        pair.connect()
        mids = {section.kind: section.mid for section in pair.alice.machine.media}
        self._video, self._audio = mids[MediaKind.VIDEO], mids[MediaKind.AUDIO]
        pictures = [video_unit(codec, n, keyframe=n == 0) for n in range(round(SECONDS / FRAME))]
        sounds = [opus_unit(n) for n in range(round(SECONDS / SOUND))]
        self._due = {unit.data: n * FRAME for n, unit in enumerate(pictures)}
        self._due |= {unit.data: n * SOUND for n, unit in enumerate(sounds)}
        self._renditions = {
            self._video: pair.rendition(pair.alice, self._video, codec),
            self._audio: pair.rendition(pair.alice, self._audio, CodecName.OPUS),
        }
        self._begun = pair.now
        for mid, rendition in self._renditions.items():
            rendition.detach(pair.sink(pair.alice, mid))
        pair.play(self._renditions[self._video], pictures, interval=FRAME)
        pair.play(self._renditions[self._audio], sounds, interval=SOUND)

    def run(self, until: float) -> None:
        self._pair.network.run(until=self._begun + until)

    def join(self) -> None:
        for mid, rendition in self._renditions.items():
            rendition.attach(self._pair.sink(self._pair.alice, mid), self._pair.now)

    def lose(self) -> None:
        """Bob asks for a keyframe, which only the cached group has."""
        self._pair.bob.call(lambda peer, now: peer.request_keyframe(self._video, now))

    def skew(self, since: float) -> dict[MediaKind, list[float]]:
        """How far from when it was due each unit was captured, if the sender is believed."""
        kinds = {self._video: MediaKind.VIDEO, self._audio: MediaKind.AUDIO}
        found: dict[MediaKind, list[float]] = {kind: [] for kind in MediaKind}
        for event in self._pair.bob.events_of(UnitReceived):
            due = self._due[event.unit.data]
            if due > since and event.captured_at is not None:
                found[kinds[event.mid]].append(event.captured_at - self._begun - due)
        return found


@pytest.mark.parametrize("codec", [CodecName.H264, CodecName.VP8])
def test_sound_and_picture_of_a_late_viewer_are_of_one_moment(codec: CodecName) -> None:
    stream = Stream(codec)
    stream.run(JOINS_AT)
    stream.join()
    stream.run(SECONDS)

    skew = stream.skew(since=JOINS_AT)
    assert min(map(len, skew.values())) > 30
    for each in skew.values():
        assert max(map(abs, each)) < FRAME


@pytest.mark.parametrize("codec", [CodecName.H264, CodecName.VP8])
def test_they_stay_so_when_the_group_of_pictures_is_repeated(codec: CodecName) -> None:
    stream = Stream(codec)
    stream.run(JOINS_AT)
    stream.join()
    stream.run(LOSES_AT)
    stream.lose()
    stream.run(SECONDS)

    skew = stream.skew(since=LOSES_AT + 0.1)
    assert min(map(len, skew.values())) > 30
    for each in skew.values():
        assert max(map(abs, each)) < FRAME
