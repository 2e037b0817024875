from __future__ import annotations

import itertools
import random

import pytest

from media.rtcp import FeedbackTiming, RtcpScheduler, deterministic_interval
from media.rtcp.interval import COMPENSATION, LOWER_LAYERS_SIZE, PROBABLE_SIZE
from transport import RandomBytes

MIDDLE: RandomBytes = lambda count: b"\x80" + bytes(count - 1)  # noqa: E731  a factor of 1
"""Randomness that makes every factor exactly 1."""

SIZE = PROBABLE_SIZE
BANDWIDTH = (SIZE + LOWER_LAYERS_SIZE) * 10
"""Bytes per second that ten packets of the initial size take."""

STEP = 0.1 / 0.75 / COMPENSATION
"""The interval of a lone receiver, who has three quarters of it, with a factor of 1."""


def scheduler(report_interval: float = 0.0, random_bytes: RandomBytes = MIDDLE) -> RtcpScheduler:
    scheduler = RtcpScheduler(random_bytes, bandwidth=BANDWIDTH, report_interval=report_interval)
    scheduler.members.add_ours(1)
    scheduler.start(0.0)
    return scheduler


def reports(scheduler: RtcpScheduler, until: float) -> list[float]:
    """The times at which reports go out."""
    times = []
    while (deadline := scheduler.next_timeout()) is not None and deadline <= until:
        if scheduler.is_report_due(deadline):
            scheduler.report_sent(SIZE, deadline)
            times.append(deadline)
        following = scheduler.next_timeout()
        assert following is not None
        assert following > deadline
    return times


@pytest.mark.requirement("sdp-media:RTCP03")
@pytest.mark.parametrize(
    ("members", "senders", "we_sent", "expected"),
    [
        pytest.param(2, 1, True, 2.0, id="many-senders-share-it-all"),
        pytest.param(2, 1, False, 2.0, id="receivers-too"),
        pytest.param(8, 2, True, 8.0, id="few-senders-share-a-quarter"),
        pytest.param(8, 2, False, 8.0, id="receivers-share-the-rest"),
        pytest.param(9, 1, True, 4.0, id="one-sender"),
        pytest.param(7, 1, False, 8.0, id="six-receivers"),
    ],
)
def test_the_interval_shares_the_bandwidth(
    members: int, senders: int, we_sent: bool, expected: float
) -> None:
    interval = deterministic_interval(
        members, senders, bandwidth=100.0, we_sent=we_sent, average_size=100.0
    )

    assert interval == pytest.approx(expected)


@pytest.mark.requirement("sdp-media:RTCP03")
def test_without_a_minimum_reports_come_every_interval() -> None:
    assert reports(scheduler(), 4.5 * STEP) == pytest.approx([STEP * n for n in (1, 2, 3, 4)])


@pytest.mark.requirement("sdp-media:RTCP03")
def test_the_first_report_comes_at_once_and_the_next_after_the_report_interval() -> None:
    assert reports(scheduler(1.0), 2.5) == pytest.approx([STEP, 1 + STEP, 2 + STEP])


@pytest.mark.requirement("sdp-media:RTCP03")
@pytest.mark.parametrize("seed", range(5))
def test_reports_stay_within_the_bandwidth(seed: int) -> None:
    times = reports(scheduler(random_bytes=random.Random(seed).randbytes), 20.0)

    used = len(times) * (SIZE + LOWER_LAYERS_SIZE) / 20.0
    assert used == pytest.approx(BANDWIDTH * 0.75, rel=0.2)


@pytest.mark.requirement("sdp-media:RTCP03")
@pytest.mark.parametrize("seed", range(5))
def test_intervals_are_spread_from_half_to_one_and_a_half(seed: int) -> None:
    times = reports(scheduler(1.0, random.Random(seed).randbytes), 100.0)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]

    assert min(gaps) >= 0.5
    assert max(gaps) <= 1.5 + 2 * STEP
    assert max(gaps) - min(gaps) > 0.5


@pytest.mark.requirement("sdp-media:RTCP03")
def test_larger_packets_make_reports_rarer() -> None:
    busy = scheduler()
    for _ in range(100):
        busy.packet_received(4 * (SIZE + LOWER_LAYERS_SIZE) - LOWER_LAYERS_SIZE)

    # Due by the interval drawn before, it is put off by reconsideration.
    assert not busy.is_report_due(STEP)
    assert busy.next_timeout() == pytest.approx(4 * STEP, rel=0.01)


def test_asked_between_two_reports_the_regular_time_is_passed_over() -> None:
    rare = scheduler(1.0)
    assert reports(rare, STEP) == pytest.approx([STEP])

    assert not rare.is_report_due(0.5)
    assert rare.next_timeout() == pytest.approx(1 + STEP)


def test_asked_early_nothing_happens() -> None:
    early = scheduler()

    assert not early.is_report_due(STEP / 2)
    assert early.next_timeout() == pytest.approx(STEP)


@pytest.mark.requirement("sdp-media:RTCP03")
def test_feedback_goes_early_once_and_moves_the_next_report() -> None:
    early = scheduler()

    assert early.request_feedback(STEP / 2, max_delay=1.0) is FeedbackTiming.NOW
    early.feedback_sent(SIZE)

    assert early.next_timeout() == pytest.approx(2 * STEP)
    assert early.request_feedback(STEP, max_delay=1.0) is FeedbackTiming.WITH_NEXT_REPORT
    assert reports(early, 2.1 * STEP) == pytest.approx([2 * STEP])
    assert early.request_feedback(2.2 * STEP, max_delay=1.0) is FeedbackTiming.NOW


@pytest.mark.requirement("sdp-media:RTCP03")
def test_feedback_that_would_come_too_late_is_given_up() -> None:
    early = scheduler()
    early.request_feedback(0.0, max_delay=1.0)
    early.feedback_sent(SIZE)

    assert early.request_feedback(0.0, max_delay=STEP) is FeedbackTiming.TOO_LATE
    assert early.request_feedback(0.0, max_delay=3 * STEP) is FeedbackTiming.WITH_NEXT_REPORT


@pytest.mark.requirement("sdp-media:RTCP03")
def test_feedback_that_waits_brings_a_report_before_the_report_interval() -> None:
    early = scheduler(1.0)
    assert reports(early, 0.5) == pytest.approx([STEP])
    now = 0.5

    assert early.request_feedback(now, max_delay=1.0) is FeedbackTiming.NOW
    early.feedback_sent(SIZE)
    assert early.request_feedback(now, max_delay=1.0) is FeedbackTiming.WITH_NEXT_REPORT

    assert reports(early, 0.5 + 3 * STEP) == pytest.approx([0.5 + 2 * STEP])
    # It does not count as one of the regular reports.
    assert reports(early, 1.4) == pytest.approx([1 + STEP], abs=2 * STEP)


@pytest.mark.requirement("sdp-media:RTCP03")
def test_an_early_packet_may_follow_as_soon_as_a_regular_time_has_passed() -> None:
    early = scheduler(10.0)
    assert reports(early, 1.0) == pytest.approx([STEP])

    granted = 0
    for tick in range(1000):
        if early.request_feedback(1.0 + tick * 0.001, max_delay=0.0) is FeedbackTiming.NOW:
            early.feedback_sent(SIZE)
            granted += 1

    # Each takes two intervals: half of what the bandwidth would carry as reports.
    assert granted == pytest.approx(1.0 / (2 * STEP), abs=2)


@pytest.mark.requirement("sdp-media:RTCP03")
def test_a_goodbye_brings_the_next_report_forward() -> None:
    crowd = scheduler()
    for ssrc in (2, 3, 4):
        crowd.members.rtcp_received(ssrc, 0.0)
    crowd.is_report_due(STEP)  # reconsidered with four members
    assert crowd.next_timeout() == pytest.approx(4 * STEP)

    crowd.goodbye_received(2, STEP)
    assert crowd.next_timeout() == pytest.approx(STEP + 3 / 4 * 3 * STEP)
    crowd.goodbye_received(9, STEP)
    assert crowd.next_timeout() == pytest.approx(STEP + 3 / 4 * 3 * STEP)


def test_after_stop_nothing_is_due() -> None:
    stopped = scheduler()
    stopped.stop()

    assert stopped.next_timeout() is None
    assert not stopped.is_report_due(9.0)
    assert stopped.request_feedback(9.0, max_delay=1.0) is FeedbackTiming.TOO_LATE
    stopped.goodbye_received(1, 9.0)
    stopped.feedback_sent(SIZE)
    assert stopped.next_timeout() is None


@pytest.mark.parametrize(("bandwidth", "interval"), [(0.0, 1.0), (1.0, -1.0)])
def test_a_scheduler_needs_bandwidth_and_no_negative_interval(
    bandwidth: float, interval: float
) -> None:
    with pytest.raises(ValueError, match="per second"):
        RtcpScheduler(MIDDLE, bandwidth=bandwidth, report_interval=interval)
