"""ChannelData: RFC 8656 sections 12.4 to 12.6."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport import DecodeError
from turn import ChannelData, is_channel_data

numbers = st.integers(0x4000, 0x4FFF)
messages = st.builds(ChannelData, numbers, st.binary(max_size=1300))


@pytest.mark.parametrize(
    ("message", "plain", "padded"),
    [
        pytest.param(ChannelData(0x4000, b""), "40000000", "40000000", id="empty"),
        pytest.param(ChannelData(0x4001, b"a"), "4001000161", "4001000161000000", id="one"),
        pytest.param(ChannelData(0x4FFF, b"abcd"), "4fff000461626364", "4fff000461626364", id="4"),
        pytest.param(ChannelData(0x4ABC, b"abc"), "4abc0003616263", "4abc000361626300", id="3"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-CDATA-08")
def test_vector(message: ChannelData, plain: str, padded: str) -> None:
    assert message.encode().hex() == plain
    assert message.encode_padded().hex() == padded
    assert ChannelData.decode(bytes.fromhex(plain)) == message
    assert ChannelData.decode(bytes.fromhex(padded)) == message


@given(messages, st.binary(max_size=3))
@pytest.mark.requirement("stun-turn:TURN-CDATA-04")
def test_what_is_encoded_decodes_to_itself_with_any_padding(
    message: ChannelData, padding: bytes
) -> None:
    assert ChannelData.decode(message.encode() + padding) == message


@given(messages)
def test_padding_makes_a_multiple_of_four_of_zeros(message: ChannelData) -> None:
    padded = message.encode_padded()

    assert len(padded) % 4 == 0
    assert padded.rstrip(b"\0") == message.encode().rstrip(b"\0")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("", id="nothing"),
        pytest.param("400000", id="three-bytes"),
        pytest.param("3fff0000", id="below-the-range"),
        pytest.param("50000000", id="above-the-range"),
        pytest.param("7ffe0000", id="of-rfc-5766"),
        pytest.param("40000001", id="shorter-than-its-length"),
        pytest.param("4000ffff00", id="much-shorter-than-its-length"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-CDATA-03")
def test_malformed_messages_are_refused(data: str) -> None:
    with pytest.raises(DecodeError):
        ChannelData.decode(bytes.fromhex(data))


@given(st.binary(max_size=64))
def test_no_bytes_raise_anything_but_decode_error(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert is_channel_data(data) or not data or not ChannelData.decode(data)


@pytest.mark.requirement("stun-turn:DEMUX-01")
def test_only_64_to_79_is_a_channel_number() -> None:
    channels = [first for first in range(256) if is_channel_data(bytes((first, 0, 0, 0)))]

    assert channels == list(range(64, 80))
    assert not is_channel_data(b"")


@pytest.mark.parametrize("number", [0, 0x3FFF, 0x5000])
def test_a_number_out_of_range_cannot_be_made(number: int) -> None:
    with pytest.raises(ValueError, match="channel number"):
        ChannelData(number, b"")


def test_more_data_than_the_length_can_say_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="65535"):
        ChannelData(0x4000, bytes(65536))
