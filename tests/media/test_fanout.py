from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.fanout import (
    CATCH_UP_STEP,
    KEYFRAME_REQUEST_SPACING,
    KeyframeSource,
    PacketizedUnit,
    Rendition,
    catch_up_timestamps,
)
from media.payload import Vp8Descriptor, packetizer_for
from media.units import AccessUnit, CodecName

from .session.material import FRAME_TICKS, h264_unit, opus_unit, vp8_unit


@dataclasses.dataclass(eq=False)
class Viewer:
    """A sink that remembers."""

    received: list[tuple[PacketizedUnit, int]] = dataclasses.field(default_factory=list)

    discarded: int = 0

    def discard_waiting(self) -> None:
        self.discarded += 1

    def send_unit(self, unit: PacketizedUnit, timestamp: int, now: float) -> None:
        self.received.append((unit, timestamp))

    @property
    def timestamps(self) -> list[int]:
        return [timestamp for _, timestamp in self.received]


def rendition(
    codec: CodecName = CodecName.VP8, keyframes: KeyframeSource = KeyframeSource.ENCODER
) -> Rendition:
    return Rendition(codec, packetizer_for(codec, 1100), keyframes=keyframes)


def push(source: Rendition, *indexes: int, gop: int = 10) -> None:
    for index in indexes:
        unit = vp8_unit(index, keyframe=index % gop == 0)
        source.push(unit, index / 30)


@pytest.mark.requirement("sdp-media:SYS01")
def test_ten_viewers_share_the_payloads_of_one_packetizing() -> None:
    source = rendition()
    viewers = [Viewer() for _ in range(10)]
    for viewer in viewers:
        source.attach(viewer, 0.0)
    push(source, *range(30))

    assert source.units_packetized == 30
    first = [unit for unit, _ in viewers[0].received]
    for viewer in viewers:
        assert len(viewer.received) == 30
        assert all(a is b for (a, _), b in zip(viewer.received, first, strict=True))


def test_what_is_cut_into_fragments_is_what_was_pushed() -> None:
    source, viewer = rendition(CodecName.H264), Viewer()
    source.attach(viewer, 0.0)
    source.push(h264_unit(0, keyframe=True), 0.0)
    ((unit, timestamp),) = viewer.received

    assert (unit.codec, unit.keyframe, timestamp) == (CodecName.H264, True, 0)
    assert unit.size_bytes == sum(len(fragment.payload) for fragment in unit.fragments)
    assert [fragment.marker for fragment in unit.fragments][-1]


def test_a_viewer_that_joins_gets_the_group_of_pictures_first() -> None:
    source, viewer = rendition(), Viewer()
    push(source, *range(15))
    source.attach(viewer, 0.5)

    assert [unit.timestamp for unit, _ in viewer.received] == [
        index * FRAME_TICKS for index in range(10, 15)
    ]
    assert viewer.received[0][0].keyframe


def test_the_group_plays_fast_and_leads_into_the_live_timeline() -> None:
    source, viewer = rendition(), Viewer()
    push(source, *range(15))
    source.attach(viewer, 0.5)
    push(source, 15, 16)

    live = 14 * FRAME_TICKS
    assert viewer.timestamps == [
        *(live - CATCH_UP_STEP * left for left in (4, 3, 2, 1, 0)),
        live + FRAME_TICKS,
        live + 2 * FRAME_TICKS,
    ]


def picture_ids(viewer: Viewer) -> list[int | None]:
    return [
        Vp8Descriptor.decode(fragment.payload).picture_id
        for unit, _ in viewer.received
        for fragment in unit.fragments
    ]


def test_no_picture_id_comes_twice_when_the_group_is_repeated() -> None:
    source, viewer = rendition(keyframes=KeyframeSource.CACHE), Viewer()
    source.attach(viewer, 0.0)
    push(source, *range(13))
    source.request_keyframe(viewer, 0.5)
    push(source, 13, 14)
    source.request_keyframe(viewer, 2.0)
    push(source, 15)

    per_unit = [list(ids) for _, ids in itertools.groupby(picture_ids(viewer))]
    assert [ids[0] for ids in per_unit] == list(range(13 + 3 + 2 + 5 + 1))
    assert len(viewer.received) == len(per_unit)


def test_the_payloads_stay_shared_with_viewers_to_whom_nothing_was_repeated() -> None:
    source = rendition(keyframes=KeyframeSource.CACHE)
    loser, joining, steady = Viewer(), Viewer(), Viewer()
    source.attach(loser, 0.0)
    source.attach(steady, 0.0)
    push(source, *range(3))
    source.request_keyframe(loser, 0.5)
    source.attach(joining, 0.6)
    push(source, 3)

    last = [viewer.received[-1][0] for viewer in (loser, joining, steady)]
    assert last[1] is last[2]
    assert last[0].fragments[0].payload != last[1].fragments[0].payload
    assert last[0].markers == last[1].markers


def test_h264_has_no_picture_ids_to_change() -> None:
    source, viewer = rendition(CodecName.H264, KeyframeSource.CACHE), Viewer()
    source.attach(viewer, 0.0)
    source.push(h264_unit(0, keyframe=True), 0.0)
    source.request_keyframe(viewer, 0.5)

    first, again = (unit for unit, _ in viewer.received)
    assert first is again


def test_without_a_cached_group_a_viewer_waits_for_the_keyframe_that_is_asked_for() -> None:
    source, viewer = rendition(), Viewer()
    push(source, 1, 2)
    source.attach(viewer, 0.1)
    push(source, 3)

    assert viewer.received == []
    assert source.take_keyframe_request(0.1)
    push(source, 10)
    assert len(viewer.received) == 1


def test_a_viewer_that_left_gets_nothing() -> None:
    source, viewer = rendition(), Viewer()
    source.attach(viewer, 0.0)
    source.detach(viewer)
    push(source, 0)

    assert viewer.received == []
    assert source.sink_count == 0


def test_what_an_encoder_made_for_those_who_left_is_not_shown_to_who_comes_later() -> None:
    source, early, late = rendition(), Viewer(), Viewer()
    source.attach(early, 0.0)
    push(source, 0, 1, 2)
    source.detach(early)
    source.attach(late, 60.0)

    assert late.received == []
    assert source.take_keyframe_request(60.0)


def test_what_a_file_holds_is_kept_while_nobody_watches() -> None:
    source, early, late = rendition(keyframes=KeyframeSource.CACHE), Viewer(), Viewer()
    source.attach(early, 0.0)
    push(source, 0, 1, 2)
    source.detach(early)
    push(source, 3)
    source.attach(late, 0.2)

    assert len(late.received) == 4


def test_requests_for_a_keyframe_are_coalesced() -> None:
    source = rendition()
    viewers = [Viewer() for _ in range(10)]
    for viewer in viewers:
        source.attach(viewer, 0.0)
    assert source.take_keyframe_request(0.0)
    for viewer in viewers:
        source.request_keyframe(viewer, 0.01)

    assert not source.take_keyframe_request(0.02)
    assert source.take_keyframe_request(KEYFRAME_REQUEST_SPACING)
    assert not source.take_keyframe_request(5.0)


def test_a_keyframe_that_comes_of_itself_answers_the_request() -> None:
    source, viewer = rendition(), Viewer()
    source.attach(viewer, 0.0)
    push(source, 0)

    assert not source.take_keyframe_request(0.1)


def test_a_request_to_a_source_that_makes_no_keyframes_is_answered_from_the_cache() -> None:
    source, viewer, other = rendition(keyframes=KeyframeSource.CACHE), Viewer(), Viewer()
    source.attach(viewer, 0.0)
    source.attach(other, 0.0)
    push(source, *range(5))
    source.request_keyframe(viewer, 1.0)
    push(source, 5)

    assert not source.take_keyframe_request(1.0)
    assert len(other.received) == 6
    assert [unit.timestamp // FRAME_TICKS for unit, _ in viewer.received] == [
        *range(5),
        *range(5),
        5,
    ]
    assert viewer.timestamps == sorted(set(viewer.timestamps))


def test_a_live_unit_that_comes_early_does_not_go_behind_the_repeated_group() -> None:
    source, viewer = rendition(keyframes=KeyframeSource.CACHE), Viewer()
    source.attach(viewer, 0.0)
    push(source, *range(5))
    source.request_keyframe(viewer, 1.0)
    early = dataclasses.replace(vp8_unit(5), timestamp=4 * FRAME_TICKS + 1)
    source.push(early, 1.0)

    assert viewer.timestamps == sorted(set(viewer.timestamps))


def test_the_cache_is_not_sent_again_at_each_request() -> None:
    source, viewer = rendition(keyframes=KeyframeSource.CACHE), Viewer()
    push(source, 0)
    source.attach(viewer, 0.0)
    source.request_keyframe(viewer, 0.1)
    source.request_keyframe(viewer, 2.0)
    source.request_keyframe(viewer, 2.1)

    assert len(viewer.received) == 2


@pytest.mark.parametrize("group", [1, 10])
def test_a_viewer_that_needs_the_group_again_and_again_gets_it_less_and_less_often(
    group: int,
) -> None:
    source, viewer = rendition(keyframes=KeyframeSource.CACHE), Viewer()
    push(source, *range(group))
    source.attach(viewer, 0.0)
    times = []
    for tenth in range(1, 60):
        before = len(viewer.received)
        source.request_keyframe(viewer, tenth * 0.1001)
        if len(viewer.received) > before:
            times.append(tenth)

    assert times == [2, 6, 14, 24, 34, 44, 54]
    source.request_keyframe(viewer, 10.0)
    source.request_keyframe(viewer, 10.25)
    assert len(viewer.received) == group * (1 + len(times) + 2)


def test_what_waits_for_a_viewer_is_discarded_when_the_group_is_repeated() -> None:
    source, viewer = rendition(keyframes=KeyframeSource.CACHE), Viewer()
    push(source, *range(5))
    source.attach(viewer, 0.0)
    before = viewer.discarded
    source.request_keyframe(viewer, 1.0)

    assert (before, viewer.discarded) == (0, 1)


def test_audio_needs_no_keyframes() -> None:
    source, viewer = rendition(CodecName.OPUS), Viewer()
    source.push(opus_unit(0), 0.0)
    source.attach(viewer, 0.0)
    source.push(opus_unit(1), 0.02)
    source.request_keyframe(viewer, 0.03)

    assert viewer.timestamps == [960]
    assert not source.take_keyframe_request(1.0)


def test_a_unit_of_another_codec_is_refused() -> None:
    with pytest.raises(ValueError, match="takes no"):
        rendition(CodecName.VP8).push(h264_unit(0, keyframe=True), 0.0)


def test_a_unit_without_anything_to_send_is_passed_over() -> None:
    source, viewer = rendition(CodecName.H264), Viewer()
    source.attach(viewer, 0.0)
    source.push(AccessUnit(CodecName.H264, b"\x00\x00\x00\x01\x09\x10", 0, False), 0.0)

    assert viewer.received == []


steps = st.lists(st.integers(1, 9000), min_size=1, max_size=400)


@given(steps)
def test_timestamps_of_a_joining_viewer_grow_and_end_at_the_live_one(gaps: list[int]) -> None:
    original = [sum(gaps[:count]) for count in range(1, len(gaps) + 1)]
    squeezed = catch_up_timestamps(original, after=None, frame_ticks=FRAME_TICKS)

    assert squeezed is not None
    assert squeezed[-1] == original[-1]
    assert all(0 < b - a <= CATCH_UP_STEP for a, b in itertools.pairwise(squeezed))
    assert all(after >= before for before, after in zip(original, squeezed, strict=True))


@given(steps, st.integers(0, 1 << 40), st.integers(1, 9000))
def test_timestamps_of_a_repeated_group_lie_before_the_next_frame(
    gaps: list[int], after: int, frame_ticks: int
) -> None:
    squeezed = catch_up_timestamps(gaps, after=after, frame_ticks=frame_ticks)

    if squeezed is None:
        assert frame_ticks <= len(gaps)
    else:
        assert squeezed == sorted(set(squeezed))
        assert after < squeezed[0]
        assert squeezed[-1] < after + frame_ticks
