"""Garbage is bounded, wrong in many ways, and the same in each run."""

from __future__ import annotations

import itertools

from conformance.building import MessageBuilder
from conformance.codes import Class, Method
from conformance.mutating import MAX_BYTES, Dice, mutations
from conformance.reading import ReceivedMessage
from transport import DecodeError

SEEDS = [
    MessageBuilder(Method.BINDING, Class.REQUEST, bytes(12)).add(0x8022, b"x" * 9).build(),
    MessageBuilder(Method.ALLOCATE, Class.REQUEST, bytes(12)).build(),
    b"",
    b"\x40\x01\x00\x01x",
]


def some(seed: str, count: int = 300) -> list[bytes]:
    return list(itertools.islice(mutations(SEEDS, Dice(seed)), count))


def test_the_same_seed_gives_the_same_garbage() -> None:
    assert some("one") == some("one") != some("other")


def test_no_datagram_is_longer_than_the_bound() -> None:
    assert max(len(data) for data in some("long", 1000)) <= MAX_BYTES


def test_garbage_is_malformed_and_well_formed() -> None:
    def is_message(data: bytes) -> bool:
        try:
            ReceivedMessage.parse(data)
        except DecodeError:
            return False
        return True

    found = [is_message(data) for data in some("mixed", 1000)]

    assert 20 < sum(found) < 980
