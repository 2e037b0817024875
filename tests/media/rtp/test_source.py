from __future__ import annotations

import pytest

from media.rtp import initial_sequence_number, initial_timestamp, random_ssrc
from transport import RandomBytes


def fed(*chunks: bytes) -> RandomBytes:
    queue = list(chunks)
    return lambda count: queue.pop(0)[:count]


@pytest.mark.requirement("sdp-media:RTP04")
def test_the_first_sequence_number_is_below_half_the_range() -> None:
    assert initial_sequence_number(lambda count: b"\xff" * count) == 0x7FFF


def test_the_first_timestamp_has_32_bits() -> None:
    assert initial_timestamp(lambda count: b"\xff" * count) == 0xFFFFFFFF


@pytest.mark.requirement("sdp-media:RTP05")
def test_an_ssrc_is_neither_0_nor_taken() -> None:
    random_bytes = fed(bytes(4), b"\0\0\0\1", b"\0\0\0\2")

    assert random_ssrc(random_bytes, taken={1}) == 2
