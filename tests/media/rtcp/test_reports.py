from __future__ import annotations

import pytest

from media.rtcp import (
    ReceiverReport,
    ReportBlock,
    SenderReport,
    decode_compound,
    ntp_from_unix,
    ntp_short,
    round_trip_time,
    unix_from_ntp,
)

BLOCK = ReportBlock(
    ssrc=0x0A0B0C0D,
    fraction_lost=0x40,
    cumulative_lost=-2,
    highest_sequence_number=0x00010002,
    jitter=3,
    last_sr=4,
    delay_since_last_sr=5,
)
BLOCK_BYTES = "0a0b0c0d 40fffffe 00010002 00000003 00000004 00000005"


@pytest.mark.requirement("sdp-media:RTCP01")
def test_a_sender_report_has_the_layout_of_section_6_4_1() -> None:
    report = SenderReport(
        ssrc=1,
        ntp_timestamp=0x0000000200000003,
        rtp_timestamp=4,
        packet_count=5,
        octet_count=6,
        reports=(BLOCK,),
        profile_extension=b"more",
    )
    encoded = bytes.fromhex(
        "81c8000d 00000001 00000002 00000003 00000004 00000005 00000006"
        + BLOCK_BYTES
        + b"more".hex()
    )

    assert report.encode() == encoded
    assert decode_compound(encoded) == [report]


@pytest.mark.requirement("sdp-media:RTCP01")
def test_a_receiver_report_has_the_layout_of_section_6_4_2() -> None:
    report = ReceiverReport(ssrc=1, reports=(BLOCK,))
    encoded = bytes.fromhex("81c90007 00000001" + BLOCK_BYTES)

    assert report.encode() == encoded
    assert decode_compound(encoded) == [report]


@pytest.mark.parametrize("lost", [1 << 23, -(1 << 23) - 1])
def test_more_lost_than_24_bits_hold_is_refused(lost: int) -> None:
    with pytest.raises(ValueError, match="24 bits"):
        ReportBlock(ssrc=1, cumulative_lost=lost)


def test_a_fraction_of_more_than_8_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="8 bits"):
        ReportBlock(ssrc=1, fraction_lost=256)


def test_more_than_31_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="31"):
        ReceiverReport(ssrc=1, reports=(BLOCK,) * 32).encode()


def test_the_ntp_epoch_is_1900() -> None:
    assert ntp_from_unix(0.0) == 2_208_988_800 << 32
    assert ntp_from_unix(0.5) & 0xFFFFFFFF == 1 << 31
    assert unix_from_ntp(ntp_from_unix(1_700_000_000.25)) == 1_700_000_000.25


def test_the_short_form_is_the_middle_of_the_long_one() -> None:
    assert ntp_short(0x1111_2222_3333_4444) == 0x2222_3333


@pytest.mark.requirement("sdp-media:RTCP02")
def test_round_trip_of_the_figure_in_section_6_4_1() -> None:
    # RFC 3550 figure 2: sent at b705.2000, held for 5.250 s, back at b710.8000.
    block = ReportBlock(ssrc=1, last_sr=0xB705_2000, delay_since_last_sr=0x0005_4000)

    assert round_trip_time(block, 0x0000_B710_8000_0000) == pytest.approx(6.125)


def test_no_round_trip_without_a_sender_report() -> None:
    assert round_trip_time(ReportBlock(ssrc=1), ntp_from_unix(0.0)) is None


def test_a_round_trip_that_clocks_make_negative_is_0() -> None:
    block = ReportBlock(ssrc=1, last_sr=0x0001_0000, delay_since_last_sr=0x0001_0000)

    assert round_trip_time(block, 0x0001_8000 << 16) == 0.0
