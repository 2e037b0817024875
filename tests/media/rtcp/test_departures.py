"""Where RTCP is read or timed otherwise than its RFCs say (docs/departures.md)."""

from __future__ import annotations

import itertools

from media.rtcp import Goodbye, ReceiverReport, RtcpScheduler, decode_compound


def scheduler(factors: itertools.cycle[int]) -> RtcpScheduler:
    """One whose random factors are drawn from these first bytes, with reports each second."""
    made = RtcpScheduler(
        lambda count: bytes([next(factors)]) + bytes(count - 1),
        bandwidth=1_000_000,
        report_interval=1.0,
    )
    made.members.add_ours(1)
    made.start(0.0)
    return made


def test_padding_is_taken_off_a_packet_that_is_not_the_last() -> None:
    padded = bytes.fromhex("a0c90002 00000001 00000004")

    assert decode_compound(padded + Goodbye((1,)).encode()) == [
        ReceiverReport(ssrc=1),
        Goodbye((1,)),
    ]


def test_reports_come_each_second_unless_told_otherwise() -> None:
    made = RtcpScheduler(lambda count: b"\x80" + bytes(count - 1), bandwidth=1_000_000)
    made.members.add_ours(1)
    made.start(0.0)
    first = made.next_timeout()
    assert first is not None
    assert made.is_report_due(first)

    made.report_sent(100, first)

    assert made.next_timeout() == first + 1.0


def test_the_random_factor_of_the_report_interval_is_drawn_once_per_report() -> None:
    made = scheduler(itertools.cycle([0x80, 0x10, 0xF0]))
    start = made.next_timeout()
    assert start is not None
    assert made.is_report_due(start + 0.01)
    made.report_sent(100, start + 0.01)
    due = made.next_timeout()

    passed_over = [made.is_report_due(at / 100) for at in range(10, 30)]

    assert not any(passed_over)
    assert made.next_timeout() == due


def test_a_member_is_timed_out_after_five_report_intervals_and_not_after_25_seconds() -> None:
    made = scheduler(itertools.cycle([0x80]))
    made.members.rtcp_received(7, 0.0)
    before = len(made.members)

    made.is_report_due(5.5)

    assert (before, len(made.members)) == (2, 1)
