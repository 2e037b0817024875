from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.bitstream import join_annex_b, nal_type, split_annex_b
from media.payload import (
    DropReason,
    Fragment,
    H264Depacketizer,
    H264Packetizer,
    H264SingleNalPacketizer,
    PayloadTooLarge,
)
from media.units import AccessUnit, CodecName
from tests.media.packets import depacketize, rtp_packets

SPS = bytes.fromhex("6742c00ad90404e8400000030040000005238440")
PPS = bytes.fromhex("68ce0fc8")
OTHER_PPS = bytes.fromhex("6853f2")
SEI = b"\x06\x05\x04test\x80"
DELIMITER = b"\x09\xf0"


def unit(*nals: bytes, timestamp: int = 0) -> AccessUnit:
    keyframe = any(nal_type(nal) == 5 for nal in nals)
    return AccessUnit(CodecName.H264, join_annex_b(nals), timestamp, keyframe)


def slice_nal(kind: int, size: int) -> bytes:
    return bytes([0x60 | kind]) + bytes(1 + index % 255 for index in range(size - 1))


# Sizes are drawn as numbers: drawn bytes are nearly always too short to be fragmented.
slices = st.builds(
    lambda size, first: b"\x61" + bytes(1 + (first + index) % 255 for index in range(size)),
    st.integers(1, 600),
    st.integers(0, 254),
)
keyframes = st.builds(
    lambda parts: unit(SPS, PPS, *(b"\x65" + part[1:] for part in parts)),
    st.lists(slices, min_size=1, max_size=3),
)
inter_frames = st.builds(lambda parts: unit(*parts), st.lists(slices, min_size=1, max_size=4))


@st.composite
def streams(draw: st.DrawFn) -> list[AccessUnit]:
    units = draw(st.lists(st.one_of(keyframes, inter_frames), min_size=1, max_size=6))
    return [
        AccessUnit(one.codec, one.data, 3000 * index, one.keyframe)
        for index, one in enumerate(units)
    ]


@pytest.mark.requirement("sdp-media:PAY03")
@given(streams(), st.integers(30, 1200))
def test_what_is_packetized_comes_back(units: list[AccessUnit], max_payload: int) -> None:
    units = [unit(SPS, PPS, slice_nal(5, 10), timestamp=2**32 - 3000), *units]
    packetizer = H264Packetizer(max_payload)

    fragments = [(one.timestamp, packetizer.packetize(one)) for one in units]
    received = depacketize(H264Depacketizer(), rtp_packets(fragments))

    assert received == units


@pytest.mark.requirement("sdp-media:PAY03")
@given(streams(), st.integers(30, 200), st.data())
def test_with_packets_missing_no_unit_is_ever_wrong(
    units: list[AccessUnit], max_payload: int, data: st.DataObject
) -> None:
    packetizer = H264Packetizer(max_payload)
    packets = rtp_packets([(one.timestamp, packetizer.packetize(one)) for one in units])
    kept = data.draw(st.lists(st.booleans(), min_size=len(packets), max_size=len(packets)))
    left = [packet for packet, keep in zip(packets, kept, strict=True) if keep]

    received = depacketize(H264Depacketizer(), left)

    sent = {one.timestamp: one.data for one in units}
    for one in received:
        assert one.data == sent[one.timestamp]


@given(st.integers(3, 1500), st.integers(3, 6000))
def test_fragments_of_a_nal_unit_are_equally_long_but_for_the_last(
    max_payload: int, size: int
) -> None:
    fragments = H264Packetizer(max_payload).packetize(unit(slice_nal(1, size)))

    sizes = [len(fragment.payload) for fragment in fragments]
    assert len(set(sizes[:-1])) <= 1
    assert sizes[-1] <= sizes[0] <= max_payload
    assert [fragment.marker for fragment in fragments] == [False] * (len(sizes) - 1) + [True]


@pytest.mark.requirement("sdp-media:PAY03")
def test_a_large_nal_unit_is_cut_into_fu_as_that_copy_f_and_nri() -> None:
    nal = b"\x65" + bytes(range(1, 10))

    fragments = H264Packetizer(5).packetize(unit(nal))

    assert [fragment.payload.hex() for fragment in fragments] == [
        "7c85010203",
        "7c05040506",
        "7c45070809",
    ]


@pytest.mark.requirement("sdp-media:PAY03")
def test_small_nal_units_share_a_stap_a_with_the_highest_nri() -> None:
    fragments = H264Packetizer(100).packetize(unit(b"\x06\x01\x80", b"\x41\x9a\x80"))

    assert fragments == [Fragment(bytes.fromhex("580003060180 0003419a80"), True)]


def test_a_nal_unit_of_exactly_the_limit_goes_alone_and_whole() -> None:
    nal = slice_nal(1, 100)

    assert H264Packetizer(100).packetize(unit(nal)) == [Fragment(nal, True)]


@pytest.mark.requirement("sdp-media:PAY05")
def test_parameter_sets_given_out_of_band_go_before_every_idr() -> None:
    packetizer = H264Packetizer(1200, parameter_sets=[SPS, PPS])
    idr = slice_nal(5, 20)

    packets = rtp_packets(
        [(0, packetizer.packetize(unit(idr))), (1, packetizer.packetize(unit(slice_nal(1, 9))))]
    )
    packets += rtp_packets([(2, packetizer.packetize(unit(idr)))], first_sequence_number=65_535)
    received = depacketize(H264Depacketizer(), packets)

    assert [one.data for one in received] == [
        join_annex_b([SPS, PPS, idr]),
        join_annex_b([slice_nal(1, 9)]),
        join_annex_b([SPS, PPS, idr]),
    ]


@pytest.mark.requirement("sdp-media:PAY05")
def test_parameter_sets_seen_once_in_band_go_before_every_later_idr() -> None:
    packetizer = H264Packetizer(1200)
    packetizer.packetize(unit(SPS, PPS, slice_nal(5, 20)))
    packetizer.packetize(unit(OTHER_PPS, slice_nal(1, 20)))

    (fragment,) = packetizer.packetize(unit(slice_nal(5, 20)))

    assert fragment.payload.index(SPS) < fragment.payload.index(PPS)
    assert fragment.payload.index(PPS) < fragment.payload.index(slice_nal(5, 20))


def test_delimiters_and_filler_are_not_sent() -> None:
    fragments = H264Packetizer(100).packetize(unit(DELIMITER, slice_nal(1, 9), b"\x0c\xff\x80"))

    assert fragments == [Fragment(slice_nal(1, 9), True)]


def test_a_unit_without_nal_units_has_no_fragments() -> None:
    assert H264Packetizer(100).packetize(unit()) == []


@pytest.mark.requirement("sdp-media:PAY04")
def test_mode_0_sends_each_nal_unit_alone_with_the_marker_on_the_last() -> None:
    fragments = H264SingleNalPacketizer(100).packetize(unit(SPS, PPS, slice_nal(5, 100)))

    assert [fragment.payload for fragment in fragments] == [SPS, PPS, slice_nal(5, 100)]
    assert [fragment.marker for fragment in fragments] == [False, False, True]


@pytest.mark.requirement("sdp-media:PAY04")
def test_mode_0_refuses_a_nal_unit_over_the_limit_with_both_sizes() -> None:
    packetizer = H264SingleNalPacketizer(100)

    with pytest.raises(PayloadTooLarge) as refusal:
        packetizer.packetize(unit(slice_nal(1, 101)))

    assert (refusal.value.size_bytes, refusal.value.limit_bytes) == (101, 100)


def test_a_payload_that_no_fu_a_fits_into_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 3"):
        H264Packetizer(2)


MALFORMED = [
    pytest.param(["18"], id="stap-a-empty-but-for-its-header"),
    pytest.param(["180005 0102"], id="stap-a-nal-unit-cut-off"),
    pytest.param(["1800"], id="stap-a-length-cut-off"),
    pytest.param(["180000"], id="stap-a-nal-unit-of-no-bytes"),
    pytest.param(["7c"], id="fu-a-without-header"),
    pytest.param(["7c85"], id="fu-a-without-fragment"),
    pytest.param(["7cc50102"], id="fu-a-start-and-end"),
    pytest.param(["7c8501"], id="fu-a-never-ends"),
    pytest.param(["7c0501"], id="fu-a-never-starts"),
    pytest.param(["7c8501", "7c8502"], id="fu-a-starts-twice"),
    pytest.param(["7c8501", "7c4102"], id="fu-a-changes-its-type"),
    pytest.param(["7c8501", "6101"], id="fu-a-interrupted"),
    pytest.param(["79000100"], id="stap-b"),
    pytest.param(["7a000100"], id="mtap16"),
    pytest.param(["7d850100"], id="fu-b"),
]


@pytest.mark.requirement("sdp-media:PAY03")
@pytest.mark.parametrize("payloads", MALFORMED)
def test_a_malformed_unit_is_dropped_and_the_next_one_comes(payloads: list[str]) -> None:
    head = [Fragment(SPS, True)]
    bad = [Fragment(bytes.fromhex(payload), False) for payload in payloads]
    good = [Fragment(slice_nal(1, 9), True)]
    depacketizer = H264Depacketizer()

    received = depacketize(depacketizer, rtp_packets([(0, head), (1, bad), (2, good)]))

    if payloads == ["18"]:
        assert depacketizer.stats.dropped == {}
    else:
        assert depacketizer.stats.dropped == {DropReason.MALFORMED: 1}
    assert [one.timestamp for one in received] == [0, 2]


def test_reserved_types_are_ignored_and_the_unit_is_kept() -> None:
    fragments = [
        Fragment(SPS, False),
        Fragment(b"\x1e\x01", False),
        Fragment(b"\x1f\x01", False),
        Fragment(slice_nal(5, 9), True),
    ]

    (received,) = depacketize(H264Depacketizer(), rtp_packets([(0, fragments)]))

    assert split_annex_b(received.data) == [SPS, slice_nal(5, 9)]
    assert received.keyframe


def test_a_unit_without_marker_ends_where_the_timestamp_changes() -> None:
    fragments = [(time, [Fragment(SPS, False)]) for time in range(3)]

    received = depacketize(H264Depacketizer(), rtp_packets(fragments))

    assert [one.timestamp for one in received] == [0, 1]


def test_a_packet_may_end_two_units_and_the_second_comes_with_the_next_push() -> None:
    fragments = [
        (0, [Fragment(SPS, False)]),
        (1, [Fragment(PPS, True)]),
        (2, [Fragment(b"", False)]),
    ]
    depacketizer = H264Depacketizer()

    units = [depacketizer.push(packet) for packet in rtp_packets(fragments)]

    assert [one and one.timestamp for one in units] == [None, 0, 1]


def test_padding_between_units_is_no_loss() -> None:
    fragments = [
        (0, [Fragment(SPS, True)]),
        (0, [Fragment(b"", False), Fragment(b"", False)]),
        (1, [Fragment(slice_nal(1, 9), True)]),
    ]

    received = depacketize(H264Depacketizer(), rtp_packets(fragments))

    assert [one.timestamp for one in received] == [0, 1]


def test_a_unit_larger_than_any_frame_is_dropped() -> None:
    megabyte = Fragment(slice_nal(1, 1024 * 1024), False)
    depacketizer = H264Depacketizer()

    received = depacketize(
        depacketizer,
        rtp_packets([(0, [Fragment(SPS, False), *[megabyte] * 8, Fragment(PPS, True)])]),
    )

    assert received == []
    assert depacketizer.stats.dropped == {DropReason.TOO_LARGE: 1}


@given(st.lists(st.tuples(st.binary(max_size=40), st.booleans(), st.integers(0, 2)), max_size=20))
def test_no_bytes_raise(payloads: list[tuple[bytes, bool, int]]) -> None:
    fragments = [(time, [Fragment(payload, marker)]) for payload, marker, time in payloads]

    for one in depacketize(H264Depacketizer(), rtp_packets(fragments)):
        assert split_annex_b(one.data) is not None
