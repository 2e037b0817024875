from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.pacer import MAX_QUEUED_BYTES, Pacer


def run(pacer: Pacer[str], *, until: float, start: float = 0.0) -> list[tuple[float, list[str]]]:
    """Let the pacer go on a clock of its own; returns the bursts and their times."""
    bursts, now = [], start
    while now <= until:
        ready = pacer.pop(now)
        if ready:
            bursts.append((now, ready))
        deadline = pacer.next_timeout()
        if deadline is None:
            break
        assert deadline > now
        now = deadline
    return bursts


@pytest.mark.requirement("sdp-media:REC06")
def test_bursts_of_four_leave_at_two_and_a_half_times_the_target() -> None:
    pacer: Pacer[str] = Pacer(target_bps=3_200_000)  # paced at 1 MB/s
    for index in range(10):
        pacer.push(str(index), 1000)

    bursts = run(pacer, until=1.0)

    assert [(round(now, 6), len(burst)) for now, burst in bursts] == [
        (0.0, 4),
        (0.004, 4),
        (0.008, 2),
    ]


@pytest.mark.requirement("sdp-media:REC06")
def test_audio_goes_first_and_at_once() -> None:
    pacer: Pacer[str] = Pacer(target_bps=1_000_000)
    for index in range(8):
        pacer.push(f"video {index}", 1200)
    pacer.pop(0.0)
    pacer.push_audio("audio", 200)

    assert pacer.pop(0.001) == ["audio"]


def test_what_became_useless_is_discarded_and_the_rest_leaves_in_its_order() -> None:
    pacer: Pacer[str] = Pacer(target_bps=1_000_000)
    for name in ("old 1", "new 1", "old 2", "new 2"):
        pacer.push(name, 1000)
    pacer.push_audio("old audio", 100)

    pacer.discard(lambda name: name.startswith("old"))

    assert pacer.queued_bytes == 2100
    assert [name for _, burst in run(pacer, until=1.0) for name in burst] == [
        "old audio",
        "new 1",
        "new 2",
    ]


@pytest.mark.requirement("sdp-media:REC06")
def test_audio_is_charged_to_the_video_that_follows() -> None:
    pacer: Pacer[str] = Pacer(target_bps=3_200_000)
    pacer.push_audio("audio", 1000)
    pacer.push("video", 1000)

    assert pacer.pop(0.0) == ["audio"]
    assert pacer.next_timeout() == pytest.approx(0.001)


@pytest.mark.requirement("sdp-media:REC06")
def test_a_key_frame_is_spread_over_at_most_200_ms() -> None:
    pacer: Pacer[str] = Pacer(target_bps=2_500_000)
    for _ in range(230):
        pacer.push("key frame", 1200)

    bursts = run(pacer, until=1.0)

    assert sum(len(burst) for _, burst in bursts) == 230
    assert 0.15 < bursts[-1][0] <= 0.2
    assert max(len(burst) for _, burst in bursts) == 4


@pytest.mark.requirement("sdp-media:REC06")
def test_no_queue_of_208_kib_at_the_bottleneck_overflows() -> None:
    pacer: Pacer[str] = Pacer(target_bps=2_500_000)
    queue, last, worst = 0.0, 0.0, 0.0
    for _ in range(230):
        pacer.push("key frame", 1200)

    for now, burst in run(pacer, until=1.0):
        queue = max(0.0, queue - (now - last) * 1.5 * 2_500_000 / 8)
        queue += 1200 * len(burst)
        last, worst = now, max(worst, queue)

    assert worst < 208 * 1024


@pytest.mark.requirement("sdp-media:REC06")
def test_a_cached_group_of_pictures_goes_at_eight_times_the_target_at_most() -> None:
    pacer: Pacer[str] = Pacer(target_bps=1_000_000)
    for _ in range(2000):
        pacer.push("cached", 1000)

    bursts = run(pacer, until=10.0)

    assert bursts[-1][0] == pytest.approx(2.0, rel=0.01)


def test_a_late_timer_is_made_good_but_a_long_pause_is_not() -> None:
    pacer: Pacer[str] = Pacer(target_bps=3_200_000)
    for index in range(100):
        pacer.push(str(index), 1000)
    pacer.pop(0.0)
    pacer.pop(0.1)

    assert len(pacer.pop(0.2)) == 8  # two bursts: 5 ms at 1 MB/s, and the one that is due


def test_after_idling_there_is_no_credit() -> None:
    pacer: Pacer[str] = Pacer(target_bps=3_200_000)
    pacer.push("first", 1000)
    pacer.pop(0.0)
    for index in range(10):
        pacer.push(str(index), 1000)

    assert len(pacer.pop(5.0)) == 4


def test_too_early_nothing_goes_and_with_nothing_there_is_no_timeout() -> None:
    pacer: Pacer[str] = Pacer(target_bps=3_200_000)
    assert pacer.next_timeout() is None
    for index in range(5):
        pacer.push(str(index), 1000)
    pacer.pop(0.0)

    assert pacer.pop(0.003) == []
    assert pacer.pop(0.004) == ["4"]
    assert pacer.next_timeout() is None


def test_a_new_target_changes_the_rate() -> None:
    pacer: Pacer[str] = Pacer(target_bps=3_200_000)
    pacer.set_target(320_000)
    for index in range(8):
        pacer.push(str(index), 1000)

    bursts = run(pacer, until=1.0)

    assert bursts[1][0] == pytest.approx(0.04)


def test_what_exceeds_the_bound_is_refused() -> None:
    pacer: Pacer[str] = Pacer(target_bps=1_000_000)
    assert pacer.push("all", MAX_QUEUED_BYTES)

    assert not pacer.push("more", 1)
    assert not pacer.push_audio("more", 1)
    assert pacer.refused == 2


def test_what_is_cleared_is_not_sent() -> None:
    pacer: Pacer[str] = Pacer(target_bps=1_000_000)
    pacer.push("video", 1000)
    pacer.push_audio("audio", 100)
    pacer.clear()

    assert (pacer.pop(0.0), pacer.queued_bytes, pacer.next_timeout()) == ([], 0, None)


@pytest.mark.parametrize("target", [0, -1])
def test_a_target_of_nothing_is_refused(target: int) -> None:
    with pytest.raises(ValueError, match="over 0"):
        Pacer(target_bps=target)
    with pytest.raises(ValueError, match="over 0"):
        Pacer[str](target_bps=1).set_target(target)


@given(st.lists(st.integers(1, 1500), min_size=1, max_size=200), st.integers(100_000, 20_000_000))
def test_everything_leaves_in_order_and_never_faster_than_the_peak(
    sizes: list[int], target: int
) -> None:
    pacer: Pacer[str] = Pacer(target_bps=target)
    for index, size in enumerate(sizes):
        pacer.push(str(index), size)

    bursts = run(pacer, until=3600.0)

    assert [item for _, burst in bursts for item in burst] == [str(i) for i in range(len(sizes))]
    sent = sum(sizes) - sum(sizes[-len(bursts[-1][1]) :])
    assert sent <= bursts[-1][0] * 8.0 * target / 8 + 1


def test_at_a_high_rate_bursts_that_are_due_within_two_milliseconds_go_together() -> None:
    pacer: Pacer[str] = Pacer(target_bps=64_000_000)  # paced at 20 MB/s
    for index in range(100):
        pacer.push(str(index), 1000)

    bursts = run(pacer, until=1.0)

    assert [len(burst) for _, burst in bursts] == [40, 40, 20]
    assert [now for now, _ in bursts] == pytest.approx([0.0, 0.002, 0.004])


def test_runs_of_packets_are_counted_by_their_packets() -> None:
    pacer: Pacer[str] = Pacer(target_bps=3_200_000)  # paced at 1 MB/s
    assert pacer.push_all([("four", 4000, 4), ("three", 3000, 3), ("one", 1000, 1)], 8000)

    bursts = run(pacer, until=1.0)

    assert [burst for _, burst in bursts] == [["four"], ["three", "one"]]
    assert pacer.queued_bytes == 0


def test_what_is_too_much_is_refused_as_a_whole() -> None:
    pacer: Pacer[str] = Pacer(target_bps=1_000_000)
    pacer.push("much", MAX_QUEUED_BYTES - 10)

    assert not pacer.push_all([("a", 6, 1), ("b", 6, 1)], 12)
    assert (pacer.queued_bytes, pacer.refused) == (MAX_QUEUED_BYTES - 10, 1)
