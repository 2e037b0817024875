from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import HeaderExtension, decode_extensions, encode_extensions
from media.rtp.extensions import ONE_BYTE_PROFILE, TWO_BYTE_PROFILE, encode_block
from transport import DecodeError

elements = st.builds(HeaderExtension, st.integers(1, 255), st.binary(max_size=255))
one_byte_elements = st.builds(
    HeaderExtension, st.integers(1, 14), st.binary(min_size=1, max_size=16)
)

# RFC 8285 sections 4.2 and 4.3 draw these, with letters where the bytes are here.
DECODED = [
    pytest.param(
        ONE_BYTE_PROFILE,
        "10aa 21bbcc 0000 33dddddddd",
        [(1, "aa"), (2, "bbcc"), (3, "dddddddd")],
        id="rfc8285-4.2-example",
    ),
    pytest.param(
        TWO_BYTE_PROFILE,
        "0100 0201bb 00 0304dddddddd",
        [(1, ""), (2, "bb"), (3, "dddddddd")],
        id="rfc8285-4.3-example",
    ),
    pytest.param(ONE_BYTE_PROFILE, "10aa f0 20bb", [(1, "aa")], id="15-stops"),
    pytest.param(ONE_BYTE_PROFILE, "10aa ff", [(1, "aa")], id="15-stops-whatever-its-length"),
    pytest.param(ONE_BYTE_PROFILE, "01aabb 10cc", [(1, "cc")], id="id-0-with-a-length"),
    pytest.param(ONE_BYTE_PROFILE, "10aa 10bb", [(1, "aa"), (1, "bb")], id="duplicates-kept"),
    pytest.param(TWO_BYTE_PROFILE | 0xF, "ff01aa", [(255, "aa")], id="appbits-ignored"),
    pytest.param(TWO_BYTE_PROFILE, "0f01aa", [(15, "aa")], id="15-is-an-id-in-two-bytes"),
    pytest.param(ONE_BYTE_PROFILE, "00000000", [], id="padding-alone"),
    pytest.param(TWO_BYTE_PROFILE, "", [], id="empty"),
]

CUT_OFF = [
    pytest.param(ONE_BYTE_PROFILE, "11aa", id="one-byte-data"),
    pytest.param(ONE_BYTE_PROFILE, "10", id="one-byte-nothing"),
    pytest.param(TWO_BYTE_PROFILE, "01", id="two-byte-no-length"),
    pytest.param(TWO_BYTE_PROFILE, "0102aa", id="two-byte-data"),
]


@pytest.mark.requirement("sdp-media:RTP06")
@pytest.mark.parametrize(("profile", "block", "expected"), DECODED)
def test_elements_are_read(profile: int, block: str, expected: list[tuple[int, str]]) -> None:
    decoded = decode_extensions(profile, bytes.fromhex(block))

    assert decoded == tuple((id_, bytes.fromhex(data)) for id_, data in expected)


@pytest.mark.requirement("sdp-media:RTP06")
@pytest.mark.parametrize(("profile", "block"), CUT_OFF)
def test_an_element_that_is_cut_off_is_refused(profile: int, block: str) -> None:
    with pytest.raises(DecodeError):
        decode_extensions(profile, bytes.fromhex(block))


@pytest.mark.requirement("sdp-media:RTP06")
@given(st.lists(elements))
def test_what_is_encoded_decodes_to_itself(elements: list[HeaderExtension]) -> None:
    encoded = encode_extensions(elements)

    assert len(encoded) % 4 == 0
    if elements:
        profile = int.from_bytes(encoded[:2], "big")
        assert int.from_bytes(encoded[2:4], "big") * 4 == len(encoded) - 4
        assert decode_extensions(profile, encoded[4:]) == tuple(elements)
    else:
        assert encoded == b""


@given(st.lists(one_byte_elements, min_size=1))
def test_the_one_byte_form_is_used_where_it_can_be(elements: list[HeaderExtension]) -> None:
    assert encode_extensions(elements)[:2] == b"\xbe\xde"


@pytest.mark.parametrize(
    "element",
    [
        pytest.param(HeaderExtension(15, b"a"), id="id-15"),
        pytest.param(HeaderExtension(1, b""), id="no-data"),
        pytest.param(HeaderExtension(1, bytes(17)), id="17-bytes"),
    ],
)
def test_the_two_byte_form_takes_what_the_other_cannot(element: HeaderExtension) -> None:
    assert encode_extensions([element])[:2] == b"\x10\x00"


@pytest.mark.parametrize(
    "element",
    [HeaderExtension(0, b"a"), HeaderExtension(256, b"a"), HeaderExtension(1, bytes(256))],
)
def test_what_no_form_can_hold_is_refused(element: HeaderExtension) -> None:
    with pytest.raises(ValueError, match="no header extension"):
        encode_extensions([element])


@pytest.mark.parametrize("size", [3, 4 * 0x10000])
def test_a_block_has_whole_words_and_not_too_many(size: int) -> None:
    with pytest.raises(ValueError, match="whole words"):
        encode_block(0, bytes(size))


@given(st.sampled_from([ONE_BYTE_PROFILE, TWO_BYTE_PROFILE]), st.binary(max_size=64))
def test_no_bytes_raise_anything_but_decode_error(profile: int, block: bytes) -> None:
    with contextlib.suppress(DecodeError):
        decode_extensions(profile, block)
