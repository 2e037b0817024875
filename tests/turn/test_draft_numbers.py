"""Dual allocations with coturn, which knows them by other numbers."""

from __future__ import annotations

import dataclasses

import pytest

from stun import (
    AdditionalAddressFamily,
    AddressErrorCode,
    AddressFamily,
    Lifetime,
    Message,
    Method,
    UnknownAttribute,
    XorMappedAddress,
    XorRelayedAddress,
)
from turn.client import AddressFamilyRefused, ClientConfig
from turn.draft_numbers import address_error_code

from .client.script import MAPPED, RELAYED, Script
from .server.harness import RELAY_IP, UDP_REQUEST, Client, Relay, code, config

DRAFT_IPV6_TOO = UnknownAttribute(0x8032, b"\2\0\0\0")
IPV6_TOO = AdditionalAddressFamily(AddressFamily.IPV6)
NO_IPV6 = AddressErrorCode(AddressFamily.IPV6, 440)


def ask(*attributes: AdditionalAddressFamily | UnknownAttribute) -> Message:
    """The answer of a relay without IPv6."""
    relay = Relay(dataclasses.replace(config(), relay_addresses=(RELAY_IP,)))
    return Client(relay).ask(Method.ALLOCATE, UDP_REQUEST, *attributes)


def test_a_client_of_the_draft_has_both_addresses() -> None:
    response = Client(Relay()).ask(Method.ALLOCATE, UDP_REQUEST, DRAFT_IPV6_TOO)

    assert [each.address.is_ipv6 for each in response.get_all(XorRelayedAddress)] == [False, True]


def test_a_client_of_the_draft_is_answered_by_its_numbers() -> None:
    response = ask(DRAFT_IPV6_TOO)

    assert response.raw_value(0x8033) is not None
    assert not response.has(AddressErrorCode)
    error = address_error_code(response)
    assert error is not None
    assert (error.family, error.code) == (AddressFamily.IPV6, 440)


@pytest.mark.parametrize(
    "attributes", [(IPV6_TOO,), (IPV6_TOO, DRAFT_IPV6_TOO), (DRAFT_IPV6_TOO, IPV6_TOO)]
)
def test_who_knows_the_number_of_the_rfc_is_answered_by_it(
    attributes: tuple[AdditionalAddressFamily | UnknownAttribute, ...],
) -> None:
    response = ask(*attributes)

    assert response.has(AddressErrorCode)
    assert response.raw_value(0x8033) is None


@pytest.mark.parametrize("value", [b"\2", b"\1\0\0\0"], ids=["1-byte", "ipv4"])
def test_what_is_wrong_by_one_number_is_wrong_by_the_other(value: bytes) -> None:
    assert code(ask(UnknownAttribute(0x8032, value))) == 400


@pytest.mark.parametrize(
    "error",
    [NO_IPV6, UnknownAttribute(0x8033, NO_IPV6.encode(bytes(12)))],
    ids=["rfc", "draft"],
)
def test_a_client_asks_by_both_and_takes_either_answer(
    error: AddressErrorCode | UnknownAttribute,
) -> None:
    script = Script(config=ClientConfig(dual=True))
    script.allocate()
    script.challenge(script.take_one())
    request = script.take_one()

    script.succeed(
        request, XorRelayedAddress(RELAYED), XorMappedAddress(MAPPED), Lifetime(600), error
    )

    assert request.message.get(AdditionalAddressFamily) == IPV6_TOO
    assert request.message.raw_value(0x8032) == DRAFT_IPV6_TOO.value
    (refused,) = script.events_of(AddressFamilyRefused)
    assert (refused.family, refused.code) == (AddressFamily.IPV6, 440)


def test_with_one_family_alone_no_number_is_there() -> None:
    script = Script(config=ClientConfig())
    script.allocate()

    assert script.take_one().message.raw_value(0x8032) is None
