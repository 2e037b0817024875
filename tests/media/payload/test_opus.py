from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.payload import DropReason, Fragment, OpusDepacketizer, OpusPacketizer, PayloadTooLarge
from media.units import AccessUnit, CodecName
from tests.media.packets import depacketize, rtp_packets

PACKET = b"\xfc\xff\xfe"  # CELT, fullband, 20 ms, stereo, one frame: silence


def unit(timestamp: int, data: bytes = PACKET) -> AccessUnit:
    return AccessUnit(CodecName.OPUS, data, timestamp, True)


@pytest.mark.requirement("sdp-media:PAY07")
@given(st.lists(st.binary(min_size=1, max_size=100), max_size=6), st.sampled_from([0x78, 0xFC]))
def test_what_is_packetized_comes_back(bodies: list[bytes], toc: int) -> None:
    units = [unit(960 * index, bytes([toc]) + body) for index, body in enumerate(bodies)]
    packetizer = OpusPacketizer(200)

    packets = rtp_packets([(one.timestamp, packetizer.packetize(one)) for one in units])

    assert len(packets) == len(units)
    assert depacketize(OpusDepacketizer(), packets) == units


@pytest.mark.requirement("sdp-media:PAY07")
def test_the_marker_begins_a_talkspurt() -> None:
    packetizer = OpusPacketizer(200)

    markers = [packetizer.packetize(unit(time))[0].marker for time in (0, 960, 1920, 9600, 10560)]

    assert markers == [True, False, False, True, False]


def test_a_packet_over_the_limit_is_refused_as_it_cannot_be_divided() -> None:
    with pytest.raises(PayloadTooLarge):
        OpusPacketizer(2).packetize(unit(0))


def test_what_is_no_opus_packet_is_not_sent() -> None:
    assert OpusPacketizer(200).packetize(unit(0, b"")) == []


@pytest.mark.requirement("sdp-media:PAY07")
def test_a_packet_over_120_ms_is_dropped_and_a_gap_harms_no_other() -> None:
    depacketizer = OpusDepacketizer()
    packets = rtp_packets(
        [
            (time, [Fragment(data, False)])
            for time, data in enumerate([PACKET, b"\xff\x3f", b"", PACKET])
        ]
    )

    received = depacketize(depacketizer, packets)

    assert [one.timestamp for one in received] == [0, 3]
    assert depacketizer.stats.dropped == {DropReason.MALFORMED: 1}
