"""Choosing ports."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turn.server.ports import PortWish, RelayPorts

from .harness import counted_random

IP = ip_address("192.0.2.1")


@given(st.integers(1024, 65535), st.integers(0, 20))
def test_every_port_of_the_range_is_given_once(first: int, more: int) -> None:
    last = min(first + more, 65535)
    ports = RelayPorts(first, last, counted_random())

    claimed = [ports.claim(IP) for _ in range(last - first + 1)]

    assert {address.port for (address,) in claimed} == set(range(first, last + 1))
    assert ports.claim(IP) == ()


def test_a_port_that_was_released_is_given_again() -> None:
    ports = RelayPorts(5000, 5000, counted_random())
    (address,) = ports.claim(IP)

    ports.release(address)

    assert ports.claim(IP) == (address,)


def test_ports_to_avoid_are_avoided() -> None:
    ports = RelayPorts(5000, 5002, counted_random())

    (first,) = ports.claim(IP, avoid={5000, 5002})

    assert first.port == 5001
    assert ports.claim(IP, avoid={5000, 5002}) == ()


@pytest.mark.requirement("stun-turn:TURN-ALLOC-22")
def test_ports_are_spread_over_the_range() -> None:
    ports = RelayPorts(49152, 65535, counted_random())

    claimed = [ports.claim(IP) for _ in range(400)]

    quarters = [0] * 4
    for (address,) in claimed:
        quarters[(address.port - 49152) // 4096] += 1
    assert all(70 < count < 130 for count in quarters)


@pytest.mark.requirement("stun-turn:TURN-ALLOC-18")
def test_an_even_port_is_even_while_there_is_one() -> None:
    ports = RelayPorts(5001, 5006, counted_random())

    claimed = [ports.claim(IP, PortWish.EVEN) for _ in range(3)]

    assert {address.port for (address,) in claimed} == {5002, 5004, 5006}
    assert ports.claim(IP, PortWish.EVEN) == ()


@given(st.integers(1024, 65500), st.integers(0, 20))
def test_pairs_are_even_then_odd_and_within_the_range(first: int, more: int) -> None:
    ports = RelayPorts(first, first + more, counted_random())

    pairs = []
    while pair := ports.claim(IP, PortWish.EVEN_PAIR):
        pairs.append([address.port for address in pair])

    evens = range(first + first % 2, first + more, 2)
    assert sorted(pairs) == [[even, even + 1] for even in evens]


def test_half_a_pair_is_no_pair() -> None:
    ports = RelayPorts(5000, 5001, counted_random())
    _, second = ports.claim(IP, PortWish.EVEN_PAIR)

    ports.release(second)

    assert ports.claim(IP, PortWish.EVEN_PAIR) == ()
    assert ports.claim(IP) == (second,)
