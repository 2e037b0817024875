"""Tickets: RFC 8016 sections 3.3 and 5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turn.server.mobility.tickets import (
    GENERATIONS,
    ID_BYTES,
    TICKET_KEY_BYTES,
    TicketHandle,
    Tickets,
)

TICKETS = Tickets(bytes(range(TICKET_KEY_BYTES)))
HANDLE = TicketHandle(b"alloc", 7, 3)

handles = st.builds(
    TicketHandle,
    st.binary(min_size=ID_BYTES, max_size=ID_BYTES),
    st.integers(0, GENERATIONS - 1),
    st.integers(0, 255),
)


@given(handles)
def test_a_ticket_is_32_characters_that_stand_for_its_handle(handle: TicketHandle) -> None:
    ticket = TICKETS.seal(handle)

    assert len(ticket) == 32
    assert ticket.decode("ascii").isprintable()
    assert TICKETS.open(ticket) == handle


@given(handles, handles)
def test_two_handles_never_have_the_same_ticket(first: TicketHandle, second: TicketHandle) -> None:
    assert (TICKETS.seal(first) == TICKETS.seal(second)) is (first == second)


@pytest.mark.requirement("stun-turn:TURN-MOB-08")
def test_a_ticket_shows_nothing_of_what_it_stands_for() -> None:
    this, next_one = (TICKETS.seal(TicketHandle(b"alloc", number)) for number in (0, 1))

    assert sum(a == b for a, b in zip(this, next_one, strict=True)) < 8


@pytest.mark.requirement("stun-turn:TURN-MOB-08")
def test_a_ticket_with_any_bit_flipped_is_none() -> None:
    ticket = TICKETS.seal(HANDLE)
    for position in range(len(ticket) * 8):
        flipped = bytearray(ticket)
        flipped[position // 8] ^= 1 << position % 8

        assert TICKETS.open(bytes(flipped)) is None


def test_a_ticket_of_another_key_is_none() -> None:
    assert Tickets(bytes(TICKET_KEY_BYTES)).open(TICKETS.seal(HANDLE)) is None


@given(st.one_of(st.binary(max_size=64), st.binary(min_size=32, max_size=32)))
def test_any_bytes_are_none(ticket: bytes) -> None:
    assert TICKETS.open(ticket) is None


def test_a_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Tickets(bytes(16))
