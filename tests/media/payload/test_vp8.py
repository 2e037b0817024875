from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.payload import (
    DropReason,
    Fragment,
    Vp8Depacketizer,
    Vp8Descriptor,
    Vp8Packetizer,
    with_picture_id,
)
from media.units import AccessUnit, CodecName
from tests.media.packets import depacketize, rtp_packets
from transport import DecodeError

# Sizes are drawn as numbers: drawn bytes are nearly always too short to be fragmented.
frame_data = st.builds(
    lambda size, first: bytes((first + index) & 0xFF for index in range(size)),
    st.integers(1, 400),
    st.integers(0, 255),
)
frames = st.lists(frame_data, min_size=1, max_size=8).map(
    lambda datas: [
        AccessUnit(CodecName.VP8, data, 3000 * index, not data[0] & 1)
        for index, data in enumerate(datas)
    ]
)

VECTORS = [
    pytest.param("90 80 11", Vp8Descriptor(True, 0, picture_id=17, size_bytes=3), id="4.6.1"),
    pytest.param("10", Vp8Descriptor(True, 0), id="4.6.2"),
    pytest.param("91 80 11", Vp8Descriptor(True, 1, picture_id=17, size_bytes=3), id="4.6.3"),
    pytest.param("81 80 11", Vp8Descriptor(False, 1, picture_id=17, size_bytes=3), id="4.6.4"),
    pytest.param(
        "90 80 92 2a",
        Vp8Descriptor(True, 0, picture_id=4650, long_picture_id=True, size_bytes=4),
        id="4.6.5",
    ),
    pytest.param(
        "b0 f0 05 07 a3",
        Vp8Descriptor(
            True,
            0,
            non_reference=True,
            picture_id=5,
            tl0_picture_index=7,
            temporal_layer=2,
            layer_sync=True,
            key_index=3,
            size_bytes=5,
        ),
        id="every-extension",
    ),
    pytest.param("80 10 03", Vp8Descriptor(False, 0, key_index=3, size_bytes=3), id="key-index"),
]


@pytest.mark.requirement("sdp-media:PAY01")
@pytest.mark.parametrize(("payload", "descriptor"), VECTORS)
def test_descriptors_of_the_rfc(payload: str, descriptor: Vp8Descriptor) -> None:
    assert Vp8Descriptor.decode(bytes.fromhex(payload) + b"frame") == descriptor


@pytest.mark.requirement("sdp-media:PAY01")
def test_a_frame_is_cut_into_equal_parts_of_which_only_the_first_has_s_set() -> None:
    frame = AccessUnit(CodecName.VP8, bytes(range(10)), 0, True)

    fragments = Vp8Packetizer(8, picture_id=0x7FFF).packetize(frame)

    assert fragments == [
        Fragment(bytes.fromhex("9080ffff 00010203"), False),
        Fragment(bytes.fromhex("8080ffff 04050607"), False),
        Fragment(bytes.fromhex("8080ffff 0809"), True),
    ]


@pytest.mark.requirement("sdp-media:PAY01")
def test_the_picture_id_counts_frames_and_wraps_to_0() -> None:
    packetizer = Vp8Packetizer(100, picture_id=0x7FFE)
    frame = AccessUnit(CodecName.VP8, b"\x01frame", 0, False)

    payloads = [packetizer.packetize(frame)[0].payload for _ in range(3)]

    assert [Vp8Descriptor.decode(one).picture_id for one in payloads] == [0x7FFE, 0x7FFF, 0]


@pytest.mark.requirement("sdp-media:PAY01")
@given(frames, st.integers(5, 300))
def test_what_is_packetized_comes_back(units: list[AccessUnit], max_payload: int) -> None:
    packetizer = Vp8Packetizer(max_payload)
    fragments = [(one.timestamp, packetizer.packetize(one)) for one in units]

    received = depacketize(Vp8Depacketizer(), rtp_packets(fragments))

    assert received == units
    assert all(len(part.payload) <= max_payload for _, parts in fragments for part in parts)


@pytest.mark.requirement("sdp-media:PAY02")
@given(frames, st.integers(5, 60), st.data())
def test_a_frame_with_a_missing_packet_is_dropped_and_every_other_comes(
    units: list[AccessUnit], max_payload: int, data: st.DataObject
) -> None:
    packetizer = Vp8Packetizer(max_payload)
    packets = rtp_packets([(one.timestamp, packetizer.packetize(one)) for one in units])
    kept = data.draw(st.lists(st.booleans(), min_size=len(packets), max_size=len(packets)))
    left = [packet for packet, keep in zip(packets, kept, strict=True) if keep]
    harmed = {packet.timestamp for packet, keep in zip(packets, kept, strict=True) if not keep}

    received = depacketize(Vp8Depacketizer(), left)

    assert received == [one for one in units if one.timestamp not in harmed]


def test_a_viewer_can_have_a_picture_id_of_its_own() -> None:
    frame = AccessUnit(CodecName.VP8, b"\x01frame", 0, False)
    (fragment,) = Vp8Packetizer(100).packetize(frame)

    payload = with_picture_id(fragment.payload, 0x8005)

    assert Vp8Descriptor.decode(payload).picture_id == 5
    assert payload[4:] == fragment.payload[4:]


@pytest.mark.parametrize("payload", ["", "10010203", "80100000", "90801100"])
def test_a_payload_without_a_long_picture_id_takes_no_other(payload: str) -> None:
    with pytest.raises(ValueError, match="picture id"):
        with_picture_id(bytes.fromhex(payload), 1)


MALFORMED = [
    pytest.param(["90"], id="extension-octet-cut-off"),
    pytest.param(["9080"], id="picture-id-cut-off"),
    pytest.param(["908080"], id="long-picture-id-cut-off"),
    pytest.param(["904000"], id="no-frame-behind-the-descriptor"),
    pytest.param(["1001", "1001"], id="starts-twice"),
    pytest.param(["0001"], id="never-starts"),
]


@pytest.mark.requirement("sdp-media:PAY02")
@pytest.mark.parametrize("payloads", MALFORMED)
def test_a_malformed_frame_is_dropped_and_the_next_one_comes(payloads: list[str]) -> None:
    good = [Fragment(b"\x10\x01frame", True)]
    bad = [Fragment(bytes.fromhex(payload), False) for payload in payloads]
    depacketizer = Vp8Depacketizer()

    received = depacketize(depacketizer, rtp_packets([(0, good), (1, bad), (2, good)]))

    assert [one.timestamp for one in received] == [0, 2]
    assert depacketizer.stats.dropped == {DropReason.MALFORMED: 1}


def test_an_empty_frame_has_no_fragments() -> None:
    assert Vp8Packetizer(100).packetize(AccessUnit(CodecName.VP8, b"", 0, False)) == []


def test_a_payload_smaller_than_a_descriptor_is_refused() -> None:
    with pytest.raises(ValueError, match="over 4"):
        Vp8Packetizer(4)


@given(st.binary(max_size=8))
def test_no_bytes_raise_anything_but_decode_error(payload: bytes) -> None:
    with contextlib.suppress(DecodeError):
        Vp8Descriptor.decode(payload)


@given(st.lists(st.tuples(st.binary(max_size=9), st.booleans(), st.integers(0, 2)), max_size=20))
def test_no_packets_raise(payloads: list[tuple[bytes, bool, int]]) -> None:
    fragments = [(time, [Fragment(payload, marker)]) for payload, marker, time in payloads]

    for one in depacketize(Vp8Depacketizer(), rtp_packets(fragments)):
        assert one.data
