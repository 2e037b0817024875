from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.bitstream.bits import BitReader, unescape
from transport import DecodeError

from .bit_writer import BitWriter


@given(st.lists(st.integers(0, 2**20)))
def test_unsigned_codes_read_back_through_emulation_prevention(values: list[int]) -> None:
    writer = BitWriter()
    for value in values:
        writer.unsigned(value)

    reader = BitReader(unescape(writer.nal(0x67)[1:]), "test")

    assert [reader.unsigned() for _ in values] == values


@pytest.mark.parametrize(("code", "value"), [(0, 0), (1, 1), (2, -1), (3, 2), (4, -2)])
def test_signed_codes_alternate_as_in_table_9_3(code: int, value: int) -> None:
    reader = BitReader(BitWriter().unsigned(code).nal(0x67)[1:], "test")

    assert reader.signed() == value


def test_reading_past_the_end_is_refused() -> None:
    reader = BitReader(b"\xff", "test")
    reader.bits(7)

    with pytest.raises(DecodeError, match="test: too short"):
        reader.bits(2)
