from __future__ import annotations

from media.source import GroupProbe, OrderProbe


def test_frames_in_display_order_and_b_frames_are_told_apart() -> None:
    straight, mixed = OrderProbe(), OrderProbe()
    for time in (0.0, 0.04, 0.08, 0.12):
        straight.push(time)
    for time in (0.0, 0.12, 0.04, 0.08):
        mixed.push(time)

    assert straight.in_order
    assert not mixed.in_order


def test_a_probe_ends_just_after_the_longest_group_of_pictures() -> None:
    probe = OrderProbe()
    while not probe.is_done:
        probe.push(probe.count / 10)

    assert probe.count == 126


def test_a_probe_of_many_frames_ends_too() -> None:
    probe = OrderProbe()
    while not probe.is_done:
        probe.push(probe.count / 1000)

    assert probe.count == 1000


def test_the_longest_and_the_largest_group_are_found() -> None:
    probe = GroupProbe()
    samples = [(0.0, 9, True), (0.5, 1, False), (1.0, 20, True), (1.2, 2, False), (1.3, 5, True)]
    for time, size, keyframe in samples:
        probe.push(time, size, keyframe=keyframe)

    assert (probe.seconds, probe.size_bytes) == (1.0, 22)


def test_a_group_that_has_not_ended_counts() -> None:
    probe = GroupProbe()
    probe.push(5.0, 1, keyframe=False)  # a stream that was joined late
    probe.push(8.0, 1, keyframe=False)

    assert (probe.seconds, probe.size_bytes) == (3.0, 2)


def test_what_was_found_is_kept_when_the_samples_begin_anew() -> None:
    probe = GroupProbe()
    probe.push(0.0, 10, keyframe=True)
    probe.push(4.0, 10, keyframe=False)
    probe.restart()
    probe.push(0.0, 1, keyframe=True)

    assert (probe.seconds, probe.size_bytes) == (4.0, 20)
