from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.source import FrameClock, Interleaver, SampleClock, Timeline


def test_a_second_pass_begins_where_the_longest_track_ended() -> None:
    timeline = Timeline(origin=1.5)

    placed = [timeline.place(1.5, 0.5), timeline.place(2.0, 0.5), timeline.place(2.0, 0.6)]
    timeline.rewind()
    placed.append(timeline.place(1.5, 0.5))

    assert placed == [0.0, 0.5, 0.5, 1.1]


def test_a_source_with_a_clock_of_its_own_goes_on_where_playing_is() -> None:
    timeline = Timeline()
    timeline.resume(1_700_000_000.0)

    placed = [timeline.place(1_700_000_000.0, 0.04), timeline.place(1_700_000_000.04, 0.06)]
    timeline.resume(3.0)
    placed += [timeline.place(3.0, 0.0), timeline.place(3.5, 0.0)]

    assert placed == pytest.approx([0.0, 0.04, 0.1, 0.6])


def test_what_is_before_the_origin_is_placed_at_the_beginning_of_its_pass() -> None:
    timeline = Timeline()
    timeline.place(0.0, 1.0)
    timeline.rewind()

    assert timeline.place(-0.02, 0.02) == 1.0


@given(st.lists(st.floats(0, 10), min_size=1), st.integers(1, 4))
def test_time_never_jumps_back_from_pass_to_pass(times: list[float], passes: int) -> None:
    timeline = Timeline()
    last = 0.0

    for _ in range(passes):
        placed = [timeline.place(time, 0.04) for time in times]
        assert min(placed) >= last
        last = timeline.end
        timeline.rewind()


def test_two_frames_never_have_one_timestamp() -> None:
    clock = FrameClock(90_000)

    assert [clock.timestamp(time) for time in (0.0, 0.04, 0.04, 0.0400001, 0.08)] == [
        0, 3600, 3601, 3602, 7200,
    ]  # fmt: skip


def test_audio_timestamps_count_samples_in_spite_of_rounded_times() -> None:
    clock = SampleClock(48_000)

    timestamps = [clock.timestamp(time, 960) for time in (0.0, 0.021, 0.039, 0.06)]

    assert timestamps == [0, 960, 1920, 2880]


def test_audio_timestamps_follow_a_real_gap_but_no_overlap() -> None:
    clock = SampleClock(48_000)

    timestamps = [clock.timestamp(time, 960) for time in (0.0, 0.5, 0.1, 0.54)]

    assert timestamps == [0, 24_000, 24_960, 25_920]


def test_tracks_that_lie_apart_in_the_file_come_in_the_order_of_time() -> None:
    interleaver: Interleaver[str, str] = Interleaver(["audio", "video"])
    out = []
    for track, time in [("audio", 0.0), ("audio", 0.4), ("video", 0.1), ("video", 0.5)]:
        interleaver.push(track, time, f"{track} {time}")
        while (item := interleaver.pop()) is not None:
            out.append(item)

    assert out == ["audio 0.0", "video 0.1", "audio 0.4"]
    assert interleaver.drain() == ["video 0.5"]
    assert interleaver.pop() is None


def test_a_track_that_has_ended_holds_nobody_up_for_more_than_a_second() -> None:
    interleaver: Interleaver[str, float] = Interleaver(["audio", "video"])
    for tenth in range(30):
        interleaver.push("video", tenth / 10, tenth / 10)

    out = []
    while (item := interleaver.pop()) is not None:
        out.append(item)

    assert max(out) < 2.9 - 1.0 + 1e-9
    assert len(interleaver.drain()) == 30 - len(out)


def test_what_waits_has_a_bound() -> None:
    interleaver: Interleaver[str, int] = Interleaver(["audio", "video"])
    for index in range(5000):
        interleaver.push("video", 0.0, index)
        interleaver.pop()

    assert len(interleaver.drain()) == 4096
