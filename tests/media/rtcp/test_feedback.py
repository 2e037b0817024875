from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtcp import (
    FullIntraRequest,
    FullIntraRequestEntry,
    GenericNack,
    PictureLossIndication,
    ReceiverEstimatedMaximumBitrate,
    RtcpPacket,
    decode_compound,
    nack_entries,
)
from media.rtcp.feedback import MAX_BITRATE
from transport import DecodeError

VECTORS = [
    pytest.param(
        GenericNack(1, 2, (3, 4, 19)), "81cd0003 00000001 00000002 00038001", id="nack-one-entry"
    ),
    pytest.param(
        GenericNack(1, 2, (0xFFFF, 0, 0x20)),
        "81cd0004 00000001 00000002 ffff0001 00200000",
        id="nack-across-the-wrap",
    ),
    pytest.param(PictureLossIndication(1, 2), "81ce0002 00000001 00000002", id="pli"),
    pytest.param(
        FullIntraRequest(1, (FullIntraRequestEntry(2, 9), FullIntraRequestEntry(3, 255))),
        "84ce0006 00000001 00000000 00000002 09000000 00000003 ff000000",
        id="fir",
    ),
    pytest.param(
        ReceiverEstimatedMaximumBitrate(1, 1_000_000 // 4 * 4, (2, 3)),
        "8fce0006 00000001 00000000 52454d42 020bd090 00000002 00000003",
        id="remb-1-mbit",
    ),
    pytest.param(
        ReceiverEstimatedMaximumBitrate(1, 0),
        "8fce0004 00000001 00000000 52454d42 00000000",
        id="remb-0",
    ),
]


@pytest.mark.requirement("sdp-media:RTCP05")
@pytest.mark.requirement("sdp-media:RTCP06")
@pytest.mark.requirement("sdp-media:RTCP07")
@pytest.mark.requirement("sdp-media:RTCP08")
@pytest.mark.parametrize(("packet", "data"), VECTORS)
def test_vector(packet: RtcpPacket, data: str) -> None:
    assert packet.encode() == bytes.fromhex(data)
    assert decode_compound(bytes.fromhex(data)) == [packet]


@pytest.mark.requirement("sdp-media:RTCP05")
def test_entries_that_overlap_name_a_packet_once() -> None:
    assert GenericNack.decode(bytes.fromhex("00000001 00000002 00030001 00040001")) == GenericNack(
        1, 2, (3, 4, 5)
    )


@pytest.mark.requirement("sdp-media:RTCP05")
@given(st.sets(st.integers(0, 0xFFFF), max_size=60))
def test_a_nack_names_exactly_what_was_lost(lost: set[int]) -> None:
    (decoded,) = decode_compound(GenericNack(1, 2, tuple(lost)).encode())

    assert isinstance(decoded, GenericNack)
    assert len(decoded.lost) == len(lost)
    assert set(decoded.lost) == lost


def fewest_windows(lost: set[int]) -> int:
    """By trying every start on the circle."""
    best = len(lost)
    for start in lost:
        left, count = {(number - start) & 0xFFFF for number in lost}, 0
        while left:
            first = min(left)
            left = {number for number in left if number > first + 16}
            count += 1
        best = min(best, count)
    return best


@pytest.mark.requirement("sdp-media:RTCP05")
@given(
    st.integers(0, 0xFFFF),
    st.sets(st.integers(0, 120), max_size=40),
)
def test_a_nack_has_the_fewest_entries(start: int, offsets: set[int]) -> None:
    lost = {(start + offset) & 0xFFFF for offset in offsets}

    assert len(list(nack_entries(lost))) == fewest_windows(lost)


@pytest.mark.requirement("sdp-media:RTCP08")
@given(st.integers(0, MAX_BITRATE))
def test_an_estimate_is_rounded_down_to_18_bits(bitrate: int) -> None:
    (decoded,) = decode_compound(ReceiverEstimatedMaximumBitrate(1, bitrate).encode())

    assert isinstance(decoded, ReceiverEstimatedMaximumBitrate)
    assert decoded.bitrate <= bitrate
    assert bitrate - decoded.bitrate <= bitrate >> 17


@pytest.mark.requirement("sdp-media:RTCP08")
def test_an_estimate_that_does_not_fit_is_the_greatest() -> None:
    (decoded,) = decode_compound(ReceiverEstimatedMaximumBitrate(1, MAX_BITRATE * 9).encode())

    assert decoded == ReceiverEstimatedMaximumBitrate(1, MAX_BITRATE)


@pytest.mark.parametrize(("bitrate", "ssrcs"), [(-1, ()), (1, (1,) * 256)])
def test_an_estimate_that_cannot_be_encoded_is_refused(
    bitrate: int, ssrcs: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="REMB"):
        ReceiverEstimatedMaximumBitrate(1, bitrate, ssrcs)


def test_an_estimate_without_its_identifier_is_refused() -> None:
    with pytest.raises(DecodeError, match="identifier"):
        ReceiverEstimatedMaximumBitrate.decode(bytes.fromhex("00000001 00000000 52454d43 00000000"))
