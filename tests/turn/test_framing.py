"""Finding messages in a stream."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import ConnectionId, Data, MessageClass, Method, encode_message
from transport import DecodeError
from turn import ChannelData, TurnFramer

channel_messages = st.builds(
    lambda number, data: ChannelData(number, data).encode_padded(),
    st.integers(0x4000, 0x4FFF),
    st.binary(max_size=40),
)
stun_messages = st.builds(
    lambda data: encode_message(Method.SEND, MessageClass.INDICATION, bytes(12), (Data(data),)),
    st.binary(max_size=40),
)
streams = st.builds(
    lambda first, rest: [first, *rest],
    stun_messages,
    st.lists(channel_messages | stun_messages, max_size=8),
)
BINDING = [
    encode_message(Method.CONNECTION_BIND, message_class, bytes(12), (ConnectionId(7),))
    for message_class in (MessageClass.REQUEST, MessageClass.SUCCESS)
]
FIRST = encode_message(Method.BINDING, MessageClass.REQUEST, bytes(12), ())


@given(streams)
@pytest.mark.requirement("stun-turn:STUNS-TCP-01", "stun-turn:STUNS-TCP-07")
def test_messages_in_one_piece_come_out_one_by_one(messages: list[bytes]) -> None:
    assert TurnFramer().push(b"".join(messages)) == messages


@given(streams)
def test_messages_byte_by_byte_come_out_whole(messages: list[bytes]) -> None:
    framer = TurnFramer()

    found = [each for byte in b"".join(messages) for each in framer.push(bytes((byte,)))]

    assert found == messages


@given(streams, channel_messages | stun_messages, st.data())
def test_a_tail_waits_for_its_rest(messages: list[bytes], last: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(last) - 1))
    framer = TurnFramer()

    assert framer.push(b"".join(messages) + last[:cut]) == messages
    assert framer.push(last[cut:]) == [last]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="http"),
        pytest.param(bytes.fromhex("1603010200010001"), id="tls"),
        pytest.param(b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n", id="proxy"),
        pytest.param(b"\x80", id="first-bits-10"),
        pytest.param(b"\x50\x00\x00\x00", id="channel-0x5000"),
        pytest.param(bytes.fromhex("000100012112a442"), id="odd-length"),
        pytest.param(bytes.fromhex("0001000022"), id="first-byte-of-another-cookie"),
        pytest.param(bytes.fromhex("000100002112a443"), id="another-cookie"),
        pytest.param(bytes.fromhex("001c000100002112"), id="framed-as-in-rfc-4571"),
    ],
)
@pytest.mark.requirement("stun-turn:STUNS-TCP-06")
def test_what_cannot_be_framed_ends_the_stream(data: bytes) -> None:
    with pytest.raises(DecodeError):
        TurnFramer().push(data)

    framer = TurnFramer()
    framer.push(FIRST)
    if not data.startswith(b"GET"):
        with pytest.raises(DecodeError):
            framer.push(data)


@pytest.mark.requirement("stun-turn:TURN-CDATA-09")
def test_a_length_of_65535_is_taken_by_its_word_and_no_more() -> None:
    framer = TurnFramer()
    framer.push(FIRST)
    frame = ChannelData(0x4000, bytes(0xFFFF)).encode_padded()

    assert framer.push(frame[:-1]) == []
    assert framer.push(frame[-1:] + b"\x40\x00\x00\x00") == [frame, b"\x40\x00\x00\x00"]


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_no_bytes_raise_anything_but_decode_error(pieces: list[bytes]) -> None:
    framer = TurnFramer()
    with contextlib.suppress(DecodeError):
        for piece in pieces:
            framer.push(piece)


@given(streams, st.sampled_from(BINDING), st.binary(max_size=100), st.data())
@pytest.mark.requirement("stun-turn:TURN-TCP-16")
def test_what_is_behind_a_connection_bind_is_kept_as_it_is(
    messages: list[bytes], bind: bytes, behind: bytes, data: st.DataObject
) -> None:
    stream = b"".join((*messages, bind, behind))
    end = len(stream) - len(behind)
    cut = data.draw(st.integers(0, end))
    framer = TurnFramer()

    found = framer.push(stream[:cut])
    if cut < end:
        found += framer.push(stream[cut:])
    else:
        behind = b""

    assert found == [*messages, bind]
    assert framer.take_rest() == behind
    assert framer.push(b"") == []


@given(stun_messages, st.sampled_from(BINDING), st.lists(stun_messages, max_size=3))
def test_a_stream_that_was_not_bound_goes_on_behind_it(
    first: bytes, bind: bytes, messages: list[bytes]
) -> None:
    framer = TurnFramer()

    assert framer.push(b"".join((first, bind, *messages))) == [first, bind]
    assert framer.push(b"") == messages


def test_two_connection_binds_come_one_by_one() -> None:
    framer = TurnFramer()

    assert framer.push(BINDING[0] * 2) == [BINDING[0]]
    assert framer.push(b"") == [BINDING[0]]
