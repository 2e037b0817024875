"""What Allocate requests may ask for together."""

from __future__ import annotations

import pytest

from stun import (
    AdditionalAddressFamily,
    AddressFamily,
    AnyAttribute,
    EvenPort,
    Method,
    RequestedAddressFamily,
    ReservationToken,
    UnknownAttribute,
)

from .harness import UDP_REQUEST, Client, Relay, code

IPV4 = RequestedAddressFamily(AddressFamily.IPV4)
TOKEN = ReservationToken(bytes(8))
IPV6_TOO = AdditionalAddressFamily(AddressFamily.IPV6)


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param((TOKEN, EvenPort(reserve_next=False)), id="token-and-even-port"),
        pytest.param((TOKEN, IPV4), id="token-and-family"),
        pytest.param((TOKEN, IPV6_TOO), id="token-and-additional-family"),
        pytest.param((IPV4, IPV6_TOO), id="family-and-additional-family"),
        pytest.param((EvenPort(reserve_next=True), IPV6_TOO), id="pair-and-additional-family"),
        pytest.param((AdditionalAddressFamily(AddressFamily.IPV4),), id="additional-ipv4"),
        pytest.param((AdditionalAddressFamily(3),), id="additional-family-3"),
        pytest.param((UnknownAttribute(0x8000, b"\2"),), id="additional-family-of-1-byte"),
    ],
)
@pytest.mark.requirement(
    "stun-turn:TURN-ALLOC-06",
    "stun-turn:TURN-ALLOC-08",
    "stun-turn:TURN-ALLOC-12",
    "stun-turn:TURN-ALLOC-14",
)
def test_what_does_not_go_together_is_400(attributes: tuple[AnyAttribute, ...]) -> None:
    relay = Relay()

    response = Client(relay).ask(Method.ALLOCATE, UDP_REQUEST, *attributes)

    assert code(response) == 400
    assert relay.requested == []
