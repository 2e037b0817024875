from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport import ByteReader, DecodeError

FIELDS: dict[str, tuple[int, Callable[[ByteReader], int]]] = {
    "uint8": (1, ByteReader.uint8),
    "uint16": (2, ByteReader.uint16),
    "uint24": (3, ByteReader.uint24),
    "uint32": (4, ByteReader.uint32),
    "uint64": (8, ByteReader.uint64),
}


@given(st.lists(st.sampled_from(sorted(FIELDS))), st.data())
def test_fields_come_out_as_they_were_written(names: list[str], data: st.DataObject) -> None:
    sizes = [FIELDS[name][0] for name in names]
    values = [data.draw(st.integers(0, 256**size - 1)) for size in sizes]
    written = b"".join(v.to_bytes(s, "big") for v, s in zip(values, sizes, strict=True))
    reader = ByteReader(memoryview(written), "X")

    assert [FIELDS[name][1](reader) for name in names] == values
    assert reader.offset == len(written)
    reader.expect_end()


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_that_is_cut_short_is_a_decode_error(name: str) -> None:
    size, read = FIELDS[name]
    reader = ByteReader(bytes(size - 1), "ERROR-CODE")

    with pytest.raises(DecodeError, match=f"ERROR-CODE: needs {size} bytes at 0, has {size - 1}"):
        read(reader)


@pytest.mark.parametrize("count", [-1, 3])
@pytest.mark.parametrize("read", [ByteReader.take, ByteReader.skip])
def test_a_length_that_cannot_be_is_a_decode_error(
    read: Callable[[ByteReader, int], object], count: int
) -> None:
    reader = ByteReader(b"ab", "X")

    with pytest.raises(DecodeError):
        read(reader, count)
    assert reader.remaining == 2


def test_bytes_are_taken_skipped_and_the_rest_is_left() -> None:
    reader = ByteReader(b"abcdef", "X")

    taken = reader.take(2)
    reader.skip(1)

    assert (taken, reader.offset, reader.remaining) == (b"ab", 3, 3)
    assert reader.rest() == b"def"
    assert reader.rest() == b""


def test_bytes_left_over_are_a_decode_error() -> None:
    reader = ByteReader(b"abc", "REALM")
    reader.uint8()

    with pytest.raises(DecodeError, match="REALM: 2 bytes too many"):
        reader.expect_end()


def test_a_decode_error_says_what_was_read_and_what_is_wrong() -> None:
    error = DecodeError("NONCE", "too long")

    assert (error.element, error.problem, str(error)) == ("NONCE", "too long", "NONCE: too long")
