"""Choosing ports."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turn.server.ports import RelayPorts

from .harness import counted_random

IP = ip_address("192.0.2.1")


@given(st.integers(1024, 65535), st.integers(0, 20))
def test_every_port_of_the_range_is_given_once(first: int, more: int) -> None:
    last = min(first + more, 65535)
    ports = RelayPorts(first, last, counted_random())

    claimed = [ports.claim(IP) for _ in range(last - first + 1)]

    assert {each.port for each in claimed if each} == set(range(first, last + 1))
    assert ports.claim(IP) is None


def test_a_port_that_was_released_is_given_again() -> None:
    ports = RelayPorts(5000, 5000, counted_random())
    address = ports.claim(IP)
    assert address is not None

    ports.release(address)

    assert ports.claim(IP) == address


def test_ports_to_avoid_are_avoided() -> None:
    ports = RelayPorts(5000, 5002, counted_random())

    first = ports.claim(IP, {5000, 5002})

    assert first is not None
    assert first.port == 5001
    assert ports.claim(IP, {5000, 5002}) is None


@pytest.mark.requirement("stun-turn:TURN-ALLOC-22")
def test_ports_are_spread_over_the_range() -> None:
    ports = RelayPorts(49152, 65535, counted_random())

    claimed = [ports.claim(IP) for _ in range(400)]

    quarters = [0] * 4
    for address in claimed:
        assert address is not None
        quarters[(address.port - 49152) // 4096] += 1
    assert all(70 < count < 130 for count in quarters)
