from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.bitstream import is_annex_b, join_annex_b, split_annex_b, split_length_prefixed
from transport import DecodeError

nal_units = st.lists(
    st.binary(min_size=1, max_size=40).map(lambda body: body.replace(b"\x00", b"\x01")), max_size=6
)


@pytest.mark.requirement("sdp-media:PAY06")
@given(nal_units)
def test_what_is_joined_splits_into_the_same_nal_units(nals: list[bytes]) -> None:
    assert split_annex_b(join_annex_b(nals)) == nals


@pytest.mark.requirement("sdp-media:PAY06")
@given(nal_units, st.data())
def test_start_codes_of_three_and_four_bytes_and_trailing_zeros_are_taken(
    nals: list[bytes], data: st.DataObject
) -> None:
    stream = b""
    for nal in nals:
        zeros = data.draw(st.integers(2, 6))
        stream += bytes(zeros) + b"\x01" + nal
    stream += bytes(data.draw(st.integers(0, 4)))

    assert split_annex_b(stream) == nals


@pytest.mark.requirement("sdp-media:PAY06")
@pytest.mark.parametrize("length_size", [1, 2, 3, 4])
@given(nals=nal_units)
def test_length_prefixed_nal_units_are_split(length_size: int, nals: list[bytes]) -> None:
    sample = b"".join(len(nal).to_bytes(length_size, "big") + nal for nal in nals)

    assert split_length_prefixed(sample, length_size) == nals


def test_empty_nal_units_are_skipped() -> None:
    assert split_length_prefixed(bytes(4) + b"\x00\x00\x00\x01\x65" + bytes(4)) == [b"\x65"]
    assert split_annex_b(b"\x00\x00\x01\x00\x00\x01\x65") == [b"\x65"]


@pytest.mark.parametrize("sample", ["000000", "00000002 65", "ffffffff 65", "00000001 65 00"])
def test_a_length_past_the_end_is_refused(sample: str) -> None:
    with pytest.raises(DecodeError):
        split_length_prefixed(bytes.fromhex(sample))


def test_a_length_of_five_bytes_does_not_exist() -> None:
    with pytest.raises(ValueError, match="1 to 4"):
        split_length_prefixed(b"", 5)


@pytest.mark.parametrize(
    ("data", "expected"),
    [("00000165", True), ("0000000165", True), ("0000000265aa", False), ("", False)],
)
def test_a_byte_stream_begins_with_a_start_code(data: str, expected: bool) -> None:
    assert is_annex_b(bytes.fromhex(data)) is expected


@given(st.binary(max_size=60), st.sampled_from([1, 2, 4]))
def test_no_bytes_raise_anything_but_decode_error(data: bytes, length_size: int) -> None:
    assert all(split_annex_b(data))
    with contextlib.suppress(DecodeError):
        split_length_prefixed(data, length_size)
