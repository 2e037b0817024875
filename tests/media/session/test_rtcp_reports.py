from __future__ import annotations

import pytest

from media.rtcp import (
    Goodbye,
    PictureLossIndication,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    decode_compound,
    is_full_compound,
    unix_from_ntp,
)
from media.session.rtcp_reports import SDES_MID, RtcpReporter
from netsim import Network

from .test_rtp_sender import Sending, unit

PLI = PictureLossIndication(1, 2)


def reporter() -> RtcpReporter:
    made = RtcpReporter(
        Network(3).random_bytes("rtcp"),
        "name",
        own_ssrc=99,
        wall_clock_offset=1000.0,
        target_bps=2_000_000,
    )
    made.schedule.start(0.0)
    return made


def next_report(made: RtcpReporter, sending: list[Sending], blocks: list[ReportBlock]) -> bytes:
    """What goes out at the next time that the schedule allows."""
    for _ in range(20):
        now = made.schedule.next_timeout()
        assert now is not None
        data = made.take_report([each.sender for each in sending], lambda: blocks, now)
        if data is not None:
            return data
    raise AssertionError("no report in twenty intervals")


def kinds(packets: list[RtcpPacket]) -> list[type[object]]:
    return [type(packet) for packet in packets]


@pytest.mark.requirement("sdp-media:RTCP01")
def test_who_sends_nothing_makes_a_receiver_report() -> None:
    block = ReportBlock(ssrc=5)
    packets = decode_compound(next_report(reporter(), [], [block]))

    assert packets[0] == ReceiverReport(ssrc=99, reports=(block,))
    assert packets[1] == SourceDescription.for_cname(99, "name")


def test_who_sends_makes_a_sender_report_that_carries_the_wall_clock() -> None:
    sending = Sending()
    sending.enqueue(unit())
    packets = decode_compound(next_report(reporter(), [sending], [ReportBlock(ssrc=5)]))

    assert kinds(packets) == [SenderReport, ReceiverReport, SourceDescription]
    first = packets[0]
    assert isinstance(first, SenderReport)
    assert first.ssrc == 7
    assert 1000 <= unix_from_ntp(first.ntp_timestamp) < 1005


@pytest.mark.requirement("sdp-media:RTP07")
def test_a_description_names_the_media_description_of_each_stream() -> None:
    packets = decode_compound(next_report(reporter(), [Sending()], []))
    (description,) = (packet for packet in packets if isinstance(packet, SourceDescription))
    (chunk,) = description.chunks

    assert chunk.cname == "name"
    assert [item.value for item in chunk.items if item.type == SDES_MID] == [b"1"]


def test_more_blocks_than_one_report_holds_take_two() -> None:
    blocks = [ReportBlock(ssrc=number) for number in range(40)]
    packets = decode_compound(next_report(reporter(), [], blocks))

    reports = [packet for packet in packets if isinstance(packet, ReceiverReport)]
    assert [len(report.reports) for report in reports] == [31, 9]


@pytest.mark.requirement("sdp-media:SDP-A14")
def test_feedback_stands_alone_only_where_reduced_size_was_negotiated() -> None:
    reduced = reporter().take_feedback([PLI], [], 0.001, reduced_size=True, max_delay=0.5)
    full = reporter().take_feedback([PLI], [], 0.001, reduced_size=False, max_delay=0.5)

    assert reduced is not None
    assert full is not None
    assert decode_compound(reduced) == [PLI]
    assert is_full_compound(decode_compound(full))
    assert decode_compound(full)[-1] == PLI


@pytest.mark.requirement("sdp-media:RTCP03")
def test_feedback_that_may_not_go_early_goes_with_the_next_report() -> None:
    made = reporter()
    first = made.take_feedback([PLI], [], 0.001, reduced_size=True, max_delay=0.5)
    second = made.take_feedback([PLI], [], 0.002, reduced_size=True, max_delay=0.5)

    assert first is not None
    assert second is None
    assert PLI in decode_compound(next_report(made, [], []))


def test_the_last_packet_says_goodbye_for_all_streams() -> None:
    made = reporter()
    packets = decode_compound(made.goodbye([Sending().sender], [], 1.0))

    assert packets[-1] == Goodbye((7,))
    assert is_full_compound(packets)
    assert made.schedule.next_timeout() is None


def test_who_sent_nothing_says_goodbye_for_itself() -> None:
    assert decode_compound(reporter().goodbye([], [], 1.0))[-1] == Goodbye((99,))
