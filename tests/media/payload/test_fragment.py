from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.payload import cut_equally, depacketizer_for, packetizer_for
from media.units import AccessUnit, CodecName
from tests.media.packets import depacketize, rtp_packets


@given(st.integers(1, 10_000), st.integers(1, 1500))
def test_parts_are_the_fewest_and_equal_but_for_the_last(size: int, limit: int) -> None:
    offsets = cut_equally(size, limit)

    sizes = [min(offset + offsets.step, size) - offset for offset in offsets]
    assert sum(sizes) == size
    assert len(sizes) == -(-size // limit)
    assert set(sizes[:-1]) <= {sizes[0]}
    assert sizes[-1] <= sizes[0] <= limit


def test_parts_of_no_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        cut_equally(10, 0)


@pytest.mark.parametrize(
    ("codec", "data"),
    [
        (CodecName.H264, b"\x00\x00\x00\x01\x67\x42\x80"),
        (CodecName.VP8, b"\x01frame"),
        (CodecName.OPUS, b"\xfc\xff\xfe"),
    ],
)
def test_every_codec_has_a_packetizer_and_its_depacketizer(codec: CodecName, data: bytes) -> None:
    unit = AccessUnit(codec, data, 0, codec is CodecName.OPUS)

    packets = rtp_packets([(0, packetizer_for(codec, 1200).packetize(unit))])

    assert depacketize(depacketizer_for(codec), packets) == [unit]
