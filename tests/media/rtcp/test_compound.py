from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtcp import (
    App,
    GenericNack,
    PictureLossIndication,
    ReceiverReport,
    RtcpPacket,
    SdesChunk,
    SdesItem,
    SourceDescription,
    UnknownRtcp,
    decode_compound,
    encode_compound,
    encode_reduced_size,
    is_full_compound,
    is_rtcp,
)
from media.rtcp.header import encode_packet
from transport import DecodeError

from .strategies import packets

REPORT = ReceiverReport(ssrc=1)
NAME = SourceDescription.for_cname(1, "name")
PLI = PictureLossIndication(1, 2)

VALID = encode_compound([REPORT, NAME, PLI])

MALFORMED = [
    pytest.param("", id="empty"),
    pytest.param("80c900", id="header-cut-off"),
    pytest.param(VALID[:-1].hex(), id="last-packet-cut-off"),
    pytest.param(VALID.hex() + "80", id="a-byte-too-many"),
    pytest.param("00" + VALID[1:].hex(), id="version-0"),
    pytest.param("c0" + VALID[1:].hex(), id="version-3"),
    pytest.param("80c90000", id="report-without-ssrc"),
    pytest.param("81c9000100000001", id="report-without-its-block"),
    pytest.param("80c8000100000001", id="sender-report-without-its-info"),
    pytest.param("81ca000100000001", id="description-without-end"),
    pytest.param("81ca00020000000101ff6100", id="item-cut-off"),
    pytest.param("80ca000100000001", id="description-with-a-chunk-too-many"),
    pytest.param("82cb000100000001", id="goodbye-without-its-source"),
    pytest.param("81cb00020000000105616263", id="reason-cut-off"),
    pytest.param("80cc000100000001", id="app-without-name"),
    pytest.param("81cd000100000001", id="nack-without-media-source"),
    pytest.param("81ce000100000001", id="pli-without-media-source"),
    pytest.param("81ce0003000000010000000200000003", id="pli-too-long"),
    pytest.param("84ce0003000000010000000000000003", id="fir-entry-cut-off"),
    pytest.param("8fce0004000000010000000052454d4201000000", id="remb-source-missing"),
    pytest.param("a0c9000000000000", id="padding-of-a-packet-without-body"),
    pytest.param("a0c9000200000001ffff0000", id="padding-of-0"),
    pytest.param("a0c9000200000001ffff0003", id="padding-of-3"),
    pytest.param("a0c9000200000001ffff000c", id="padding-longer-than-the-packet"),
]


@pytest.mark.requirement("sdp-media:RTCP01")
@given(st.lists(packets, min_size=1, max_size=4))
def test_what_is_encoded_decodes_to_itself(packets: list[RtcpPacket]) -> None:
    assert decode_compound(encode_reduced_size(packets)) == packets


@pytest.mark.requirement("sdp-media:RTCP01")
@pytest.mark.parametrize("data", MALFORMED)
def test_a_malformed_datagram_is_refused(data: str) -> None:
    with pytest.raises(DecodeError):
        decode_compound(bytes.fromhex(data))


@pytest.mark.requirement("sdp-media:RTCP01")
@given(st.binary(max_size=60), st.integers(0, 31), st.integers(198, 208))
def test_no_bytes_raise_anything_but_decode_error(data: bytes, count: int, kind: int) -> None:
    body = data + bytes(-len(data) % 4)
    for datagram in (data, encode_packet(kind, count, body)):
        with contextlib.suppress(DecodeError):
            decode_compound(datagram)


@pytest.mark.requirement("sdp-media:RTCP01")
@given(st.lists(packets, min_size=1, max_size=3), st.data())
def test_a_byte_changed_anywhere_never_raises_anything_else(
    packets: list[RtcpPacket], data: st.DataObject
) -> None:
    changed = bytearray(encode_reduced_size(packets))
    changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DecodeError):
        decode_compound(bytes(changed))


@pytest.mark.requirement("sdp-media:RTCP01")
def test_padding_is_taken_off() -> None:
    padded = bytes.fromhex("a0c9000200000001 00000004")

    assert decode_compound(padded) == [REPORT]
    assert not VALID[0] & 0x20


@pytest.mark.requirement("sdp-media:RTCP01")
@pytest.mark.parametrize(
    ("packets", "is_full"),
    [
        pytest.param([REPORT, NAME], True, id="least"),
        pytest.param([REPORT, NAME, PLI], True, id="with-feedback"),
        pytest.param([REPORT, PLI, NAME], True, id="name-last"),
        pytest.param([], False, id="nothing"),
        pytest.param([NAME, REPORT], False, id="report-not-first"),
        pytest.param([REPORT], False, id="no-name"),
        pytest.param(
            [REPORT, SourceDescription((SdesChunk(1, (SdesItem(2, b"x"),)),))],
            False,
            id="another-name",
        ),
        pytest.param([PLI], False, id="feedback-alone"),
    ],
)
def test_a_compound_packet_starts_with_a_report_and_has_a_name(
    packets: list[RtcpPacket], is_full: bool
) -> None:
    assert is_full_compound(packets) is is_full
    if is_full:
        assert decode_compound(encode_compound(packets)) == packets
    else:
        with pytest.raises(ValueError, match="compound"):
            encode_compound(packets)


@pytest.mark.requirement("sdp-media:SDP-A14")
def test_reduced_size_takes_any_packets_but_none() -> None:
    assert decode_compound(encode_reduced_size([PLI])) == [PLI]
    with pytest.raises(ValueError, match="one packet"):
        encode_reduced_size([])


@pytest.mark.requirement("sdp-media:RTCP11")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param("80cf0004 00000001 04000002 0102030405060708", id="xr-rrtr"),
        pytest.param("80cf0005 00000001 05000003 000000020000000300000004", id="xr-dlrr"),
        pytest.param("83cd0003 00000001 00000002 00000003", id="tmmbr-of-rfc5104"),
        pytest.param("8bcd0002 00000001 00000002", id="ccfb-of-rfc8888"),
        pytest.param("8fce0003 00000001 00000002 61626364", id="feedback-of-another-application"),
        pytest.param("8fce0002 00000001 00000002", id="feedback-of-an-application-without-id"),
        pytest.param("80c00000", id="fir-of-rfc2032"),
    ],
)
def test_what_is_not_known_is_kept(data: str) -> None:
    encoded = bytes.fromhex(data)

    (packet,) = decode_compound(encoded)

    assert isinstance(packet, UnknownRtcp)
    assert packet.encode() == encoded


@pytest.mark.requirement("sdp-media:RTCP12")
def test_rtcp_is_told_from_rtp_by_the_second_byte() -> None:
    rtcp = [second for second in range(256) if is_rtcp(bytes((0x80, second, 0, 0)))]

    assert rtcp == list(range(192, 224))
    assert {second & 0x7F for second in rtcp} == set(range(64, 96))


@pytest.mark.requirement("sdp-media:RTCP12")
@pytest.mark.parametrize("data", [b"", b"\x80", b"\x00\xc8", b"\xc0\xc8"])
def test_what_is_no_version_2_is_no_rtcp(data: bytes) -> None:
    assert not is_rtcp(data)


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(UnknownRtcp(256, 0, b""), id="packet-type"),
        pytest.param(UnknownRtcp(200, 32, b""), id="count"),
        pytest.param(UnknownRtcp(200, 0, b"abc"), id="part-of-a-word"),
        pytest.param(UnknownRtcp(200, 0, bytes(4 * 0x10000)), id="too-long"),
        pytest.param(App(1, b"name", subtype=32), id="subtype"),
        pytest.param(App(1 << 32, b"name"), id="ssrc"),
        pytest.param(GenericNack(1, -1, (1,)), id="negative-ssrc"),
    ],
)
def test_what_cannot_be_encoded_is_refused(packet: RtcpPacket) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the kind of error is the point
        packet.encode()
