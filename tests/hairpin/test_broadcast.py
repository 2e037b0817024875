from __future__ import annotations

import dataclasses

import pytest

from hairpin.broadcast import Broadcast
from media import MediaKind
from media.aio.card_feed import DESCRIPTION
from media.fanout import PacketizedUnit
from media.source import AudioTrack, VideoTrack

from .sources import StillSource, film, video

AAC = AudioTrack("aac", 44_100, 2, "WebRTC carries Opus, not aac")
OPUS = AudioTrack("opus", 48_000, 2)
PCM = AudioTrack("pcm_s16le", 48_000, 2, "WebRTC carries Opus, not pcm_s16le")
B_FRAMES = "its frames are not in display order (B frames)"

LINES = [
    pytest.param(
        video("h264", profile="4d401f"),
        AAC,
        "bunny.mp4 · 1280x720 h264 passed through"
        " · aac encoded once to Opus (WebRTC carries Opus, not aac)",
        id="passed-through",
    ),
    pytest.param(
        video("h264", profile="64001f", obstacle=B_FRAMES),
        None,
        f"bunny.mp4 · 1280x720 h264 encoded once to H.264 ({B_FRAMES})",
        id="encoded",
    ),
    pytest.param(
        video("vp8"),
        OPUS,
        "bunny.mp4 · 1280x720 vp8 passed through · opus passed through",
        id="webm",
    ),
    pytest.param(
        video("rawvideo", obstacle="browsers take no rawvideo over WebRTC"),
        PCM,
        "bunny.mp4 · 1280x720 encoded once to H.264 · sound encoded once to Opus",
        id="raw",
    ),
]


class Sink:
    """A viewer that is only counted."""

    def discard_waiting(self) -> None: ...

    def send_unit(self, unit: PacketizedUnit, timestamp: int, now: float) -> None: ...


@pytest.mark.parametrize(("track", "audio", "line"), LINES)
def test_one_line_says_what_is_streamed_and_how_and_why(
    track: VideoTrack, audio: AudioTrack | None, line: str
) -> None:
    assert Broadcast(film(track, audio)).describe() == line


def test_the_test_card_is_called_by_its_name() -> None:
    line = Broadcast(StillSource(DESCRIPTION)).describe()

    assert line.startswith("test card · 640x360 encoded once to H.264")


def test_an_address_is_shown_whole() -> None:
    description = dataclasses.replace(film(video("vp8")).description, name="rtsp://cam/live/1")

    assert Broadcast(StillSource(description)).describe().startswith("rtsp://cam/live/1 · ")


def test_what_is_encoded_for_some_beside_is_said_while_they_watch() -> None:
    source = film(video("h264", profile="64001f"))
    broadcast = Broadcast(source)
    untouched, _, vp8 = broadcast.of_kind(MediaKind.VIDEO)
    sink = Sink()

    untouched.attach(Sink(), 0.0)
    vp8.attach(sink, 0.0)
    line = broadcast.describe()
    vp8.detach(sink)

    assert line == (
        "bunny.mp4 · 1280x720 h264 passed through,"
        " and encoded once to VP8 for viewers that do not take it so"
    )
    assert broadcast.describe() == "bunny.mp4 · 1280x720 h264 passed through"


def test_a_stream_is_made_for_as_long_as_somebody_watches_it() -> None:
    source = film(video("h264", profile="64001f"))
    broadcast = Broadcast(source)
    _, _, vp8 = broadcast.of_kind(MediaKind.VIDEO)
    stream = next(s for s, rendition in broadcast.renditions.items() if rendition is vp8)
    sinks = [Sink(), Sink()]

    counts = []
    for sink in sinks:
        vp8.attach(sink, 0.0)
        counts.append(source.users[stream])
    for sink in [*sinks, *sinks]:
        vp8.detach(sink)
        counts.append(source.users[stream])

    assert counts == [1, 2, 1, 0, 0, 0]
