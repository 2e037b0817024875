from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import (
    AbsoluteSendTime,
    HeaderExtension,
    RtpPacket,
    SdesMid,
    TransportSequenceNumber,
    encode_extensions,
    pack_header,
)
from media.session.header_extensions import ExtensionWriter, TransportSequence

URIS = (SdesMid.URI, AbsoluteSendTime.URI, TransportSequenceNumber.URI)

ids = st.lists(st.integers(1, 255).filter(lambda n: n != 15), min_size=3, max_size=3, unique=True)
chosen = st.lists(st.sampled_from(URIS), unique=True)
mids = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)


def read(block: bytes) -> tuple[HeaderExtension, ...]:
    return RtpPacket.decode(pack_header(96, 1, 2, 3, block)).extensions


@pytest.mark.requirement("sdp-media:RTP06")
@pytest.mark.requirement("sdp-media:RTP10")
@given(ids, chosen, mids, st.floats(0, 1e7), st.booleans())
def test_what_is_filled_in_reads_as_what_is_encoded_anew(
    numbers: list[int], uris: list[str], mid: str, now: float, acknowledged: bool
) -> None:
    extensions = dict(zip(numbers, uris, strict=False))
    writer = ExtensionWriter(extensions, mid, TransportSequence())
    writer.mid_acknowledged = acknowledged
    blocks = writer.blocks(3, now)

    by_uri = {uri: number for number, uri in extensions.items()}
    for count, block in enumerate(blocks):
        expected = []
        if SdesMid.URI in by_uri and not acknowledged:
            expected.append(HeaderExtension(by_uri[SdesMid.URI], mid.encode()))
        if AbsoluteSendTime.URI in by_uri:
            time = AbsoluteSendTime(now).encode()
            expected.append(HeaderExtension(by_uri[AbsoluteSendTime.URI], time))
        if TransportSequenceNumber.URI in by_uri:
            number = TransportSequenceNumber(count).encode()
            expected.append(HeaderExtension(by_uri[TransportSequenceNumber.URI], number))
        assert read(block) == tuple(expected)
        assert block == encode_extensions(expected)


def test_transport_wide_numbers_wrap_after_16_bits() -> None:
    sequence = TransportSequence()
    taken = [sequence.take() for _ in range(0x10001)]

    assert taken[-2:] == [0xFFFF, 0]


def test_without_extensions_there_is_no_block() -> None:
    assert ExtensionWriter({}, "0", TransportSequence()).blocks(2, 1.0) == [b"", b""]
