"""What becomes of received units, on a clock of the test's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.bitstream import join_annex_b, split_annex_b
from media.recorder import (
    Container,
    RecordedSample,
    Recorder,
    RecorderError,
    RecordingFormat,
    VideoFormat,
)
from media.recorder.recorder import MAX_EARLY_UNITS, SYNC_PATIENCE
from media.session import UnitReceived
from media.units import AccessUnit, CodecName, MediaKind
from tests.media.session.material import FRAME_TICKS, opus_unit, video_unit

VIDEO, AUDIO = MediaKind.VIDEO, MediaKind.AUDIO
BOTH = (VIDEO, AUDIO)
WALL = 1_700_000_000.0


def frame(
    index: int,
    codec: CodecName = CodecName.VP8,
    *,
    keyframe: bool | None = None,
    wall: float | None = None,
) -> UnitReceived:
    """A picture; ``wall`` is the peer's clock at its first one."""
    unit = video_unit(codec, index, keyframe=index == 0 if keyframe is None else keyframe)
    captured = None if wall is None else wall + index * FRAME_TICKS / 90_000
    return UnitReceived("0", unit, captured)


def sound(index: int, *, wall: float | None = None) -> UnitReceived:
    return UnitReceived("1", opus_unit(index), None if wall is None else wall + index * 0.02)


def drain(recorder: Recorder) -> list[RecordedSample]:
    samples = []
    while (sample := recorder.poll_sample()) is not None:
        samples.append(sample)
    return samples


def times(samples: Iterable[RecordedSample], kind: MediaKind) -> list[int]:
    return [sample.time for sample in samples if sample.kind is kind]


def recording(*kinds: MediaKind, container: Container = Container.MATROSKA) -> Recorder:
    recorder = Recorder(container)
    recorder.begin(kinds, 0.0)
    return recorder


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        (Container.MP4, CodecName.H264),
        (Container.WEBM, CodecName.VP8),
        (Container.MATROSKA, CodecName.H264),
        (Container.MATROSKA, CodecName.VP8),
    ],
)
def test_video_goes_in_as_it_came_from_the_first_keyframe_on(
    container: Container, codec: CodecName
) -> None:
    recorder = recording(VIDEO, container=container)
    recorder.push(frame(5, codec), 0.0)
    sent = [frame(6, codec, keyframe=True), frame(7, codec), frame(9, codec)]
    for index, each in enumerate(sent):
        recorder.push(each, index / 30)
    samples = drain(recorder)

    assert [sample.data for sample in samples] == [each.unit.data for each in sent]
    assert [sample.keyframe for sample in samples] == [True, False, False]
    ticks = container.ticks_per_second(VIDEO)
    assert times(samples, VIDEO) == [0, round(ticks / 30), round(ticks / 10)]
    size = (320, 240) if codec is CodecName.H264 else (320, 48)
    assert recorder.format is not None
    assert recorder.format.video is not None
    assert recorder.format.video.codec is codec
    if codec is CodecName.VP8:
        assert recorder.format == RecordingFormat(VideoFormat(codec, *size), False)


def test_audio_alone_is_recorded_from_its_first_packet() -> None:
    recorder = recording(AUDIO, container=Container.MP4)
    for index in range(3):
        recorder.push(sound(index + 7), index * 0.02)
    samples = drain(recorder)

    assert times(samples, AUDIO) == [0, 960, 1920]
    assert {sample.duration for sample in samples} == {960}
    assert recorder.format == RecordingFormat(None, True)


def test_sender_reports_place_audio_beside_video_whenever_it_arrived() -> None:
    recorder = recording(*BOTH)
    recorder.push(frame(0), 0.0)
    recorder.push(sound(0), 0.0)
    recorder.push(frame(1, wall=WALL), 0.04)
    assert not drain(recorder)
    recorder.push(sound(1, wall=WALL + 0.3), 0.04)
    samples = drain(recorder)

    assert times(samples, VIDEO) == [0, 33]
    assert times(samples, AUDIO) == [300, 320]


def test_without_sender_reports_arrival_places_them_after_a_while() -> None:
    recorder = recording(*BOTH)
    recorder.push(frame(0), 1.0)
    recorder.push(sound(0), 1.1)
    assert not drain(recorder)
    recorder.push(sound(150), 1.0 + SYNC_PATIENCE)
    samples = drain(recorder)

    assert times(samples, VIDEO) == [0]
    assert times(samples, AUDIO) == [0, 3000]  # the shortest way of the two was the last one's


def test_audio_from_before_the_first_picture_is_left_out() -> None:
    recorder = recording(*BOTH)
    for index in range(10):
        recorder.push(sound(index, wall=WALL), index * 0.02)
    recorder.push(frame(0, wall=WALL + 0.1), 0.2)
    samples = drain(recorder)

    assert times(samples, VIDEO) == [0]
    assert times(samples, AUDIO) == [0, 20, 40, 60, 80]
    assert recorder.stats.dropped == 5


def test_audio_that_waits_for_a_picture_does_not_fill_the_memory() -> None:
    recorder = recording(*BOTH)
    for index in range(3 * MAX_EARLY_UNITS):
        recorder.push(sound(index, wall=WALL), index * 0.02)
    recorder.push(frame(0, wall=WALL), 3.0)

    assert recorder.stats.audio <= MAX_EARLY_UNITS


def test_a_track_that_drifts_is_moved_once_it_can_be_noticed() -> None:
    recorder = recording(*BOTH)
    recorder.push(frame(0, wall=WALL), 0.0)
    recorder.push(sound(0, wall=WALL), 0.0)
    recorder.push(sound(1, wall=WALL + 0.03), 0.02)
    recorder.push(sound(2, wall=WALL + 0.05), 0.04)

    assert times(drain(recorder), AUDIO) == [0, 20, 90]
    assert recorder.stats.corrections == 1


def test_a_peer_that_sets_its_clock_moves_nothing() -> None:
    recorder = recording(*BOTH)
    recorder.push(frame(0, wall=WALL), 0.0)
    recorder.push(sound(0, wall=WALL), 0.0)
    recorder.push(sound(1, wall=WALL + 3600), 0.02)

    assert times(drain(recorder), AUDIO) == [0, 20]


def test_audio_that_is_moved_back_keeps_its_order() -> None:
    recorder = recording(*BOTH)
    recorder.push(frame(0, wall=WALL), 0.0)
    for index, wall in enumerate([WALL, WALL, WALL, WALL - 0.05, WALL - 0.05, WALL - 0.05]):
        recorder.push(sound(index, wall=wall), index * 0.02)

    assert times(drain(recorder), AUDIO) == [0, 20, 40, 50]
    assert recorder.stats.dropped == 2


def test_what_was_not_received_stays_a_gap() -> None:
    recorder = recording(VIDEO)
    for index in (0, 1, 61, 62):
        recorder.push(frame(index, keyframe=index in (0, 61)), index / 30)

    assert times(drain(recorder), VIDEO) == [0, 33, 2033, 2067]
    assert recorder.stats.gaps == 1


def test_pictures_that_share_a_tick_are_kept_apart() -> None:
    recorder = recording(VIDEO)
    for index in range(3):
        each = frame(index)
        unit = dataclasses.replace(each.unit, timestamp=10 * index)
        recorder.push(dataclasses.replace(each, unit=unit), 0.0)

    assert times(drain(recorder), VIDEO) == [0, 1, 2]


@pytest.mark.parametrize("index", [0, 1_000_000], ids=["back", "ahead"])
def test_a_source_that_begins_anew_goes_on_where_time_has_got_to(index: int) -> None:
    recorder = recording(VIDEO)
    for count in range(31):
        recorder.push(frame(count), count / 30)
    recorder.push(frame(index, keyframe=True), 1.2)
    recorder.push(frame(index + 1), 1.24)

    assert times(drain(recorder), VIDEO)[-3:] == [1000, 1200, 1233]


def test_another_connection_goes_on_after_as_much_time_as_has_passed() -> None:
    recorder = recording(*BOTH)
    recorder.push(frame(0, wall=WALL), 10.0)
    recorder.push(sound(0, wall=WALL), 10.0)
    recorder.begin(BOTH, 14.0)
    recorder.push(frame(20), 14.5)
    recorder.push(frame(40, keyframe=True, wall=WALL), 15.0)
    recorder.push(sound(7, wall=WALL + 40 / 30 - 0.1), 15.0)
    samples = drain(recorder)

    assert times(samples, VIDEO) == [0, 5000]
    assert times(samples, AUDIO) == [0, 5040]
    assert recorder.stats.gaps == 2


def test_what_waited_for_reports_is_there_when_the_connection_ends() -> None:
    recorder = recording(*BOTH)
    recorder.push(frame(0), 0.0)
    recorder.push(sound(0), 0.0)
    recorder.finish(0.1)

    assert [sample.kind for sample in drain(recorder)] == [VIDEO, AUDIO]


def test_nothing_comes_of_audio_alone_where_there_should_be_video() -> None:
    recorder = recording(*BOTH)
    recorder.push(sound(0), 0.0)
    recorder.finish(10.0)

    assert (drain(recorder), recorder.format) == ([], None)


def test_a_kind_that_the_file_does_not_have_is_left_out() -> None:
    recorder = recording(VIDEO)
    recorder.push(frame(0), 0.0)
    recorder.begin(BOTH, 1.0)
    recorder.push(frame(0), 1.0)
    recorder.push(sound(0), 1.0)

    assert [sample.kind for sample in drain(recorder)] == [VIDEO, VIDEO]


def test_parameter_sets_that_change_stay_in_front_of_the_pictures_they_are_for() -> None:
    first, other = frame(0, CodecName.H264), frame(1, CodecName.H264, keyframe=True)
    sps, pps, idr = split_annex_b(other.unit.data)
    changed = join_annex_b([sps, pps + b"\x11", idr])
    bare = join_annex_b([idr])
    recorder = recording(VIDEO, container=Container.MP4)
    recorder.push(first, 0.0)
    for index, data in enumerate((changed, bare), start=1):
        unit = dataclasses.replace(other.unit, data=data, timestamp=index * FRAME_TICKS)
        recorder.push(dataclasses.replace(other, unit=unit), index / 30)

    assert [sample.data for sample in drain(recorder)] == [first.unit.data, changed, changed]
    assert recorder.stats.parameter_changes == 1


def test_a_picture_without_parameter_sets_cannot_begin_a_recording() -> None:
    whole = frame(0, CodecName.H264)
    bare = join_annex_b(split_annex_b(whole.unit.data)[2:])
    recorder = recording(VIDEO, container=Container.MP4)
    recorder.push(UnitReceived("0", AccessUnit(CodecName.H264, bare, 0, True)), 0.0)

    assert drain(recorder) == []
    assert recorder.stats.dropped == 1


@pytest.mark.parametrize(
    ("container", "codec", "message"),
    [
        (Container.MP4, CodecName.VP8, r"VP8 does not go into \.mp4 .* \.webm or \.mkv$"),
        (Container.WEBM, CodecName.H264, r"H\.264 does not go into \.webm .* \.mp4 or \.mkv$"),
    ],
)
def test_a_codec_that_the_container_does_not_take_is_refused_with_one_that_does(
    container: Container, codec: CodecName, message: str
) -> None:
    recorder = recording(VIDEO, container=container)

    with pytest.raises(RecorderError, match=message):
        recorder.push(frame(0, codec), 0.0)


def test_a_video_that_changes_its_codec_ends_the_recording() -> None:
    recorder = recording(VIDEO)
    recorder.push(frame(0, CodecName.VP8), 0.0)

    with pytest.raises(RecorderError, match=r"turned from VP8 to H\.264"):
        recorder.push(frame(1, CodecName.H264, keyframe=True), 0.1)


@pytest.mark.parametrize("name", ["clip.avi", "clip", "mp4", ".mp4"])
def test_a_name_without_an_ending_of_ours_is_refused(name: str) -> None:
    with pytest.raises(RecorderError, match=r"ends in one of \.mp4, \.webm, \.mkv"):
        Container.of(name)


def test_an_ending_is_read_in_either_case() -> None:
    assert Container.of("a.b/Clip.MKV") is Container.MATROSKA


units = st.tuples(
    st.sampled_from(BOTH),
    st.binary(max_size=12),
    st.integers(-(2**33), 2**33),
    st.none() | st.floats(0, 2e9),
    st.floats(0, 5),
    st.booleans(),
)


@given(st.lists(units, max_size=40), st.sampled_from(CodecName))
def test_whatever_comes_the_times_of_each_track_rise(
    received: list[tuple[MediaKind, bytes, int, float | None, float, bool]], codec: CodecName
) -> None:
    video = CodecName.VP8 if codec is CodecName.OPUS else codec
    recorder = recording(*BOTH)
    recorder.push(frame(0, video), 0.0)
    now = 0.0
    for kind, data, timestamp, captured_at, step, keyframe in received:
        now += step
        unit = AccessUnit(video if kind is VIDEO else CodecName.OPUS, data, timestamp, keyframe)
        recorder.push(UnitReceived("0", unit, captured_at), now)
    recorder.finish(now)
    samples = drain(recorder)

    assert samples[0].keyframe
    for kind in BOTH:
        found = times(samples, kind)
        assert found == sorted(set(found))
        assert min(found, default=0) >= 0
