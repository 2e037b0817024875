from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtcp import ReportBlock, ntp_from_unix
from media.rtp import ReceiveStatistics
from media.rtp.statistics import MAX_DROPOUT, MAX_MISORDER

SSRC = 7


def receive(statistics: ReceiveStatistics, *numbers: int) -> list[bool]:
    return [statistics.receive(number & 0xFFFF, 0, 0.0) for number in numbers]


def trusting() -> ReceiveStatistics:
    return ReceiveStatistics(SSRC, 90_000, probation=0)


@pytest.mark.requirement("sdp-media:RTP02")
def test_a_source_is_valid_with_the_second_packet_in_sequence() -> None:
    statistics = ReceiveStatistics(SSRC, 90_000)

    assert receive(statistics, 10, 20, 30, 31, 32) == [False, False, False, True, True]
    assert (statistics.packets_received, statistics.packets_expected) == (2, 2)


def test_an_authenticated_source_is_valid_at_once() -> None:
    statistics = trusting()

    assert receive(statistics, 10) == [True]
    assert (statistics.packets_received, statistics.packets_lost) == (1, 0)


def test_nothing_is_expected_of_a_source_on_probation() -> None:
    statistics = ReceiveStatistics(SSRC, 90_000)
    receive(statistics, 10)

    assert statistics.report_block(0.0) == ReportBlock(ssrc=SSRC, highest_sequence_number=10)


@pytest.mark.requirement("sdp-media:RTP02")
def test_a_wrap_counts_a_cycle() -> None:
    statistics = trusting()

    receive(statistics, 0xFFFE, 0xFFFF, 0, 1)

    assert statistics.highest_sequence_number == 0x10001
    assert (statistics.packets_expected, statistics.packets_lost) == (4, 0)


@pytest.mark.requirement("sdp-media:RTP02")
@pytest.mark.parametrize(
    ("jump", "is_valid"),
    [
        pytest.param(MAX_DROPOUT - 1, True, id="longest-dropout"),
        pytest.param(MAX_DROPOUT, False, id="beyond-dropout"),
        pytest.param(-MAX_MISORDER, False, id="beyond-misorder"),
        pytest.param(-MAX_MISORDER + 1, True, id="greatest-misorder"),
        pytest.param(0, True, id="duplicate"),
    ],
)
def test_a_jump_is_valid_within_dropout_and_misorder(jump: int, is_valid: bool) -> None:
    statistics = trusting()

    assert receive(statistics, 30_000, 30_000 + jump) == [True, is_valid]


@pytest.mark.requirement("sdp-media:RTP02")
def test_two_in_a_row_far_off_start_the_source_anew() -> None:
    statistics = trusting()

    assert receive(statistics, 1, 2, 30_000, 40_000, 40_001) == [True, True, False, False, True]
    assert (statistics.packets_received, statistics.highest_sequence_number) == (1, 40_001)


@pytest.mark.requirement("sdp-media:RTCP02")
def test_the_fraction_lost_is_since_the_block_before_and_the_count_since_ever() -> None:
    statistics = trusting()

    receive(statistics, 0, 1, 3)
    first = statistics.report_block(0.0)
    receive(statistics, 4, 5, 6, 7)
    second = statistics.report_block(0.0)

    assert (first.fraction_lost, first.cumulative_lost) == (64, 1)
    assert (second.fraction_lost, second.cumulative_lost) == (0, 1)


@pytest.mark.requirement("sdp-media:RTCP02")
def test_duplicates_make_the_count_negative_but_not_the_fraction() -> None:
    statistics = trusting()

    receive(statistics, 0, 0, 0)
    block = statistics.report_block(0.0)

    assert (block.fraction_lost, block.cumulative_lost) == (0, -2)


@pytest.mark.requirement("sdp-media:RTCP02")
def test_a_late_packet_makes_up_for_its_loss() -> None:
    statistics = trusting()

    receive(statistics, 0, 2, 1)

    assert statistics.packets_lost == 0


@pytest.mark.requirement("sdp-media:RTCP02")
def test_jitter_moves_a_sixteenth_of_the_way_to_each_difference() -> None:
    statistics = ReceiveStatistics(SSRC, 8_000, probation=0)

    # 160 units apart; the third packet is 20 ms late, which is 160 units twice.
    for number, arrival in enumerate([0.0, 0.02, 0.06, 0.06]):
        statistics.receive(number, number * 160, arrival)

    assert statistics.jitter * 8_000 == pytest.approx(160 / 16 * 15 / 16 + 160 / 16)
    assert statistics.report_block(0.1).jitter == 19


@pytest.mark.requirement("sdp-media:RTCP02")
def test_a_timestamp_that_wraps_or_goes_back_is_no_jitter() -> None:
    statistics = trusting()

    statistics.receive(0, 0xFFFFFFFF, 1.0)
    statistics.receive(1, 0, 1.0 + 1 / 90_000)
    statistics.receive(2, 0xFFFFFFFF, 1.0)

    assert statistics.jitter == pytest.approx(0.0, abs=1e-9)


@pytest.mark.requirement("sdp-media:RTCP02")
def test_the_block_refers_to_the_last_sender_report() -> None:
    statistics = trusting()
    receive(statistics, 0)
    ntp = ntp_from_unix(1_700_000_000.5)

    statistics.sender_report_received(ntp, 10.0)
    block = statistics.report_block(10.25)

    assert (block.last_sr, block.delay_since_last_sr) == (ntp >> 16 & 0xFFFFFFFF, 0x4000)


@pytest.mark.requirement("sdp-media:RTCP02")
@given(st.integers(0, 0xFFFF), st.lists(st.booleans(), min_size=1, max_size=300))
def test_counts_agree_with_a_list_of_what_arrived(start: int, fate: list[bool]) -> None:
    statistics = trusting()
    numbers = [start] + [start + 1 + i for i, arrives in enumerate(fate) if arrives]

    receive(statistics, *numbers)
    block = statistics.report_block(0.0)

    assert statistics.packets_received == len(numbers)
    assert block.cumulative_lost == numbers[-1] - start + 1 - len(numbers)
    assert block.highest_sequence_number == numbers[-1]
