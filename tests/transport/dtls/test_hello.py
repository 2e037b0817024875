"""ClientHello, its fragments, and the answer that asks for a cookie."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport import DecodeError
from transport.dtls.hello import (
    MAX_FRAGMENTS,
    MAX_HELLO_BYTES,
    HelloAssembler,
    HelloFragment,
    begins_handshake,
    hello_fragments,
    hello_verify_request,
    read_start,
)

from .served import World, fragments

RANDOM = bytes(range(32))
START = b"\xfe\xfd" + RANDOM + b"\x02id" + b"\x04cook"


def fragment(data: bytes, *, offset: int = 0, length: int | None = None) -> HelloFragment:
    return HelloFragment(bytes(6), bytes(2), len(data) if length is None else length, offset, data)


def test_what_a_cookie_stands_for_is_read_from_the_first_fragment() -> None:
    start = read_start(fragment(START, length=500))

    assert start.parameters == b"\xfe\xfd" + RANDOM + b"id"
    assert start.cookie == b"cook"


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(fragment(START, offset=1, length=500), id="not-the-first"),
        pytest.param(fragment(START[:-1]), id="cut-off"),
        pytest.param(fragment(START[:34] + b"\x21" + bytes(60)), id="session-id-of-33-bytes"),
    ],
)
def test_what_does_not_reach_to_the_cookie_is_malformed(first: HelloFragment) -> None:
    with pytest.raises(DecodeError):
        read_start(first)


def test_the_answer_is_drawn_as_the_rfc_has_it() -> None:
    """RFC 6347 section 4.2.1 and 4.3.2."""
    answer = hello_verify_request(b"\0\0\0\0\0\7", b"cookie")

    assert (
        answer
        == bytes.fromhex(
            "16 feff 0000 000000000007 0015"  # record: handshake, 1.0, epoch, sequence, length
            "03 000009 0000 000000 000009"  # HelloVerifyRequest: length, sequence, offset, length
            "feff 06"
        )
        + b"cookie"
    )


@given(st.binary(max_size=100))
def test_any_bytes_are_fragments_or_a_decode_error(data: bytes) -> None:
    for datagram in (data, b"\x16\xfe\xfd\0\0" + data):
        begins_handshake(datagram)
        with contextlib.suppress(DecodeError):
            for each in hello_fragments(datagram):
                read_start(each)


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_fragments_are_put_together_in_any_order(size: int) -> None:
    world = World()
    (hello,) = world.sent_by(world.client())
    records = fragments(hello, max(size, len(hello) // MAX_FRAGMENTS + 1))
    first, *others = itertools.chain.from_iterable(map(hello_fragments, records))
    assembler = HelloAssembler(first)

    wholes = [assembler.push(each) for each in (first, *reversed(others))]

    assert wholes[:-1] == [None] * len(others)
    assert wholes[-1] == hello[:1] + b"\xfe\xfd" + hello[3:]


def test_overlapping_fragments_are_put_together() -> None:
    body = bytes(range(90))
    pieces = [
        fragment(body[start:end], offset=start, length=90)
        for start, end in ((0, 40), (30, 60), (0, 50), (55, 90))
    ]
    assembler = HelloAssembler(pieces[0])

    *_, whole = [assembler.push(each) for each in pieces]

    assert whole is not None
    assert whole[25:] == body


def test_fragments_of_two_messages_are_not_mixed() -> None:
    assembler = HelloAssembler(fragment(b"one", length=6))

    with pytest.raises(DecodeError):
        assembler.push(fragment(b"two", offset=3, length=7))


def test_a_hello_has_bounds() -> None:
    with pytest.raises(DecodeError):
        HelloAssembler(fragment(b"", length=MAX_HELLO_BYTES + 1)).push(
            fragment(b"", length=MAX_HELLO_BYTES + 1)
        )
    assembler = HelloAssembler(fragment(b"x", length=500))
    for number in range(MAX_FRAGMENTS):
        assembler.push(fragment(b"x", offset=2 * number, length=500))
    with pytest.raises(DecodeError):
        assembler.push(fragment(b"x", offset=499, length=500))
