from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import (
    HeaderExtension,
    OpaqueExtension,
    RtpPacket,
    encode_extensions,
    pack_header,
    pack_headers,
)
from media.rtp.extensions import is_rfc8285
from transport import DecodeError

uint16 = st.integers(0, 0xFFFF)
uint32 = st.integers(0, 0xFFFFFFFF)
packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence_number=uint16,
    timestamp=uint32,
    ssrc=uint32,
    payload=st.binary(max_size=64),
    marker=st.booleans(),
    csrcs=st.lists(uint32, max_size=15).map(tuple),
    extensions=st.lists(
        st.builds(HeaderExtension, st.integers(1, 255), st.binary(max_size=20)), max_size=4
    ).map(tuple),
    padding=st.integers(0, 255),
)
opaque = st.builds(
    OpaqueExtension,
    uint16.filter(lambda profile: not is_rfc8285(profile)),
    st.binary(max_size=5).map(lambda word: word * 4),
)

# The packet of RFC 7714 section 16.
RFC7714 = bytes.fromhex("8040f17b8041f8d35501a0b2") + b"Gallia est omnis divisa in partes tres"

VALID = bytes.fromhex("b2e0 0001 00000002 00000003 0000000a 0000000b bede0001 10aa0000 7061 0002")

MALFORMED = [
    pytest.param("", id="empty"),
    pytest.param(VALID[:11].hex(), id="fixed-header-cut-off"),
    pytest.param("32" + VALID[1:].hex(), id="version-0"),
    pytest.param("f2" + VALID[1:].hex(), id="version-3"),
    pytest.param(VALID[:19].hex(), id="csrcs-cut-off"),
    pytest.param(VALID[:23].hex(), id="extension-header-cut-off"),
    pytest.param(VALID[:27].hex(), id="extension-cut-off"),
    pytest.param(VALID[:24].hex() + "1f" + VALID[25:].hex(), id="element-cut-off"),
    pytest.param(VALID[:28].hex(), id="padding-without-a-byte"),
    pytest.param(VALID[:-1].hex() + "00", id="padding-of-0"),
    pytest.param(VALID[:-1].hex() + "05", id="padding-longer-than-the-payload"),
]


@pytest.mark.requirement("sdp-media:RTP01")
def test_the_packet_of_rfc_7714_reads_as_it_says() -> None:
    packet = RtpPacket.decode(RFC7714)

    assert packet == RtpPacket(
        payload_type=64,
        sequence_number=0xF17B,
        timestamp=0x8041F8D3,
        ssrc=0x5501A0B2,
        payload=b"Gallia est omnis divisa in partes tres",
    )
    assert packet.encode() == RFC7714


@pytest.mark.requirement("sdp-media:RTP01")
def test_every_option_is_read() -> None:
    packet = RtpPacket.decode(VALID)

    assert packet == RtpPacket(
        payload_type=0x60,
        marker=True,
        sequence_number=1,
        timestamp=2,
        ssrc=3,
        csrcs=(10, 11),
        extensions=(HeaderExtension(1, b"\xaa"),),
        payload=b"pa",
        padding=2,
    )
    assert packet.encode() == VALID


@pytest.mark.requirement("sdp-media:RTP01")
@given(packets)
def test_what_is_encoded_decodes_to_itself(packet: RtpPacket) -> None:
    assert RtpPacket.decode(packet.encode()) == packet


@given(packets, opaque)
def test_an_extension_of_another_profile_is_kept_whole(
    packet: RtpPacket, extension: OpaqueExtension
) -> None:
    packet.extensions = ()
    packet.opaque_extension = extension

    assert RtpPacket.decode(packet.encode()) == packet


@pytest.mark.requirement("sdp-media:RTP01")
@pytest.mark.parametrize("data", MALFORMED)
def test_a_malformed_packet_is_refused(data: str) -> None:
    with pytest.raises(DecodeError):
        RtpPacket.decode(bytes.fromhex(data))


@pytest.mark.requirement("sdp-media:RTP01")
@given(st.binary(max_size=80), st.sampled_from([None, 0x80, 0x90, 0xB5, 0xA0]))
def test_no_bytes_raise_anything_but_decode_error(data: bytes, first: int | None) -> None:
    if first is not None:
        data = bytes((first,)) + data[1:]
    with contextlib.suppress(DecodeError):
        RtpPacket.decode(data)


@given(packets, st.data())
def test_a_packet_cut_anywhere_never_raises_anything_else(
    packet: RtpPacket, data: st.DataObject
) -> None:
    encoded = packet.encode()
    with contextlib.suppress(DecodeError):
        RtpPacket.decode(encoded[: data.draw(st.integers(0, len(encoded)))])


def valid(**changes: object) -> RtpPacket:
    packet = RtpPacket(payload_type=96, sequence_number=1, timestamp=2, ssrc=3)
    for name, value in changes.items():
        setattr(packet, name, value)
    return packet


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(valid(payload_type=128), id="payload-type"),
        pytest.param(valid(payload_type=-1), id="negative-payload-type"),
        pytest.param(valid(sequence_number=0x10000), id="sequence-number"),
        pytest.param(valid(timestamp=1 << 32), id="timestamp"),
        pytest.param(valid(ssrc=-1), id="ssrc"),
        pytest.param(valid(csrcs=(0,) * 16), id="csrcs"),
        pytest.param(valid(csrcs=(1 << 32,)), id="csrc"),
        pytest.param(valid(padding=256), id="padding"),
        pytest.param(
            valid(extensions=(HeaderExtension(1, b"a"),), opaque_extension=OpaqueExtension(0, b"")),
            id="two-kinds-of-extension",
        ),
        pytest.param(valid(opaque_extension=OpaqueExtension(0, b"abc")), id="part-of-a-word"),
    ],
)
def test_what_cannot_be_encoded_is_refused(packet: RtpPacket) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the kind of error is the point
        packet.encode()


def test_the_first_element_with_an_id_counts() -> None:
    packet = valid(extensions=(HeaderExtension(1, b"a"), HeaderExtension(1, b"b")))

    assert (packet.extension(1), packet.extension(2)) == (b"a", None)


@given(packets)
def test_the_packed_header_is_the_header_of_the_packet(packet: RtpPacket) -> None:
    packet.csrcs, packet.padding = (), 0

    header = pack_header(
        packet.payload_type | packet.marker << 7,
        packet.sequence_number,
        packet.timestamp,
        packet.ssrc,
        encode_extensions(packet.extensions),
    )

    assert header == packet.encode_header()


def test_a_packed_header_does_not_wrap_by_itself() -> None:
    with pytest.raises(struct.error):
        pack_header(96, 0x10000, 0, 0)


@given(st.integers(0, 0xFFFF), st.lists(st.booleans(), max_size=20), st.booleans())
def test_headers_of_a_run_are_the_headers_one_by_one(
    start: int, markers: list[bool], is_extended: bool
) -> None:
    blocks = [bytes.fromhex("bede000110aa0000") if is_extended else b"" for _ in markers]
    seconds = [96 | marker << 7 for marker in markers]

    headers = pack_headers(seconds, start, 5, 7, blocks)

    assert headers == [
        pack_header(second, (start + index) & 0xFFFF, 5, 7, block)
        for index, (second, block) in enumerate(zip(seconds, blocks, strict=True))
    ]
