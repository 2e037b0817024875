from __future__ import annotations

import pytest

from transport import DatagramKind, datagram_kind

RANGES = [  # RFC 7983 section 7, figure 3
    (range(4), DatagramKind.STUN),
    (range(16, 20), DatagramKind.ZRTP),
    (range(20, 64), DatagramKind.DTLS),
    (range(64, 80), DatagramKind.TURN_CHANNEL),
    (range(128, 192), DatagramKind.RTP),
]


@pytest.mark.requirement("stun-turn:DEMUX-01")
@pytest.mark.requirement("sdp-media:SEC09")
@pytest.mark.requirement("ice:D06")
@pytest.mark.parametrize("length", [1, 19, 20])
def test_the_first_byte_tells_the_protocol(length: int) -> None:
    table = {first: kind for numbers, kind in RANGES for first in numbers}

    for first in range(256):
        expected = table.get(first, DatagramKind.UNKNOWN)
        assert datagram_kind(bytes([first]) + bytes(length - 1)) is expected


def test_an_empty_datagram_is_of_no_kind() -> None:
    assert datagram_kind(b"") is DatagramKind.UNKNOWN
