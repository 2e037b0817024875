"""The test card as a source, without thread and without clock."""

from __future__ import annotations

import datetime
import itertools

import av
import pytest
from av.video.codeccontext import VideoCodecContext

from media.aio.card_feed import DESCRIPTION, CardFeed
from media.aio.demand import Demand, SourceUnit
from media.source import Origin
from media.source.card import CardPicture
from media.units import AccessUnit, CodecName


def play(*codecs: CodecName, frames: int, clock: float = 0.0) -> list[SourceUnit]:
    """What the card gives in the time of so many frames."""
    demand = Demand()
    for one in DESCRIPTION.streams:
        if one.codec in codecs:
            demand.use(one)
    feed = CardFeed(demand, clock=lambda: clock)
    units = itertools.takewhile(lambda unit: unit.time < frames / 25 - 0.001, feed.units())
    return [unit for unit in units if isinstance(unit, SourceUnit)]


def pictures(decoder: str, units: list[AccessUnit]) -> list[bytes]:
    context = av.CodecContext.create(decoder, "r")
    assert isinstance(context, VideoCodecContext)
    frames = [frame for unit in units for frame in context.decode(av.Packet(unit.data))]
    frames += context.decode(None)
    return [bytes(frame.planes[0]) for frame in frames]


def test_the_card_is_encoded_for_each_codec_and_has_nothing_to_pass_through() -> None:
    assert {one.codec for one in DESCRIPTION.streams} == set(CodecName)
    assert {one.origin for one in DESCRIPTION.streams} == {Origin.ENCODED}


@pytest.mark.parametrize(("codec", "decoder"), [(CodecName.H264, "h264"), (CodecName.VP8, "vp8")])
def test_what_is_seen_is_what_was_drawn(codec: CodecName, decoder: str) -> None:
    units = [one.unit for one in play(codec, frames=5, clock=1_700_000_000.3)]

    assert [one.keyframe for one in units] == [True] + [False] * 4
    assert [one.timestamp for one in units] == [3600 * number for number in range(5)]
    local = datetime.datetime.fromtimestamp(1_700_000_000).strftime("%H:%M:%S")
    drawn = bytes(CardPicture().frame(4, f"{local}.3")[0])
    seen = pictures(decoder, units)[4]
    assert sum(abs(a - b) for a, b in zip(seen[::7], drawn[::7], strict=True)) / len(drawn[::7]) < 4


def test_the_tone_is_packets_of_20_ms_beside_the_frames() -> None:
    units = play(CodecName.OPUS, frames=10)

    assert [one.unit.timestamp for one in units] == [960 * number for number in range(20)]
    assert [one.time for one in units] == pytest.approx([number / 50 for number in range(20)])


def test_units_come_in_the_order_of_their_times() -> None:
    times = [one.time for one in play(CodecName.H264, CodecName.OPUS, frames=10)]

    assert len(times) == 30
    assert times == sorted(times)


def test_for_nobody_nothing_is_made_but_time_goes_on() -> None:
    assert play(frames=50) == []


def test_who_comes_back_gets_a_keyframe_at_once() -> None:
    demand = Demand()
    (h264,) = (one for one in DESCRIPTION.streams if one.codec is CodecName.H264)
    feed = CardFeed(demand).units()
    frame, keyframes = -1, []
    while frame < 20:
        unit = next(feed)
        if isinstance(unit, SourceUnit):
            keyframes += [frame] if unit.unit.keyframe else []
            continue
        frame = round(unit.time * 25)
        if frame % 10 == 0:
            demand.use(h264)
        elif frame % 10 == 5:
            demand.release(h264)

    assert keyframes == [0, 10]
