"""What Allocate requests may ask for together."""

from __future__ import annotations

import dataclasses

import pytest

from stun import (
    AdditionalAddressFamily,
    AddressErrorCode,
    AddressFamily,
    AnyAttribute,
    EvenPort,
    Method,
    RequestedAddressFamily,
    ReservationToken,
    UnknownAttribute,
    XorRelayedAddress,
)

from .harness import RELAY_IP, UDP_REQUEST, Client, Relay, code, config

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


@pytest.mark.parametrize("even", [(), (EvenPort(reserve_next=False),)], ids=["any", "even"])
@pytest.mark.parametrize("has_ipv6", [False, True], ids=["ipv4-relay", "dual-relay"])
@pytest.mark.requirement("stun-turn:TURN-ALLOC-16")
def test_an_additional_family_is_refused_beside_the_first(
    even: tuple[AnyAttribute, ...], has_ipv6: bool
) -> None:
    settings = config() if has_ipv6 else dataclasses.replace(config(), relay_addresses=(RELAY_IP,))
    client = Client(Relay(settings))
    request = client.request(Method.ALLOCATE, UDP_REQUEST, IPV6_TOO, *even)

    for response in (client.answer(request), client.answer(request)):
        (relayed,) = response.get_all(XorRelayedAddress)
        assert relayed.address.ip == RELAY_IP
        refused = response.get(AddressErrorCode)
        assert refused is not None
        assert (refused.family, refused.code) == (AddressFamily.IPV6, 440)
