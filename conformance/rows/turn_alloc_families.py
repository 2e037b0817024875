"""TURN-ALLOC: address families and dual allocations (RFC 8656 sections 7.2 and 21.4)."""

from __future__ import annotations

import ipaddress

from conformance.allocation import UDP, Allocation
from conformance.building import channel_number, one_byte
from conformance.checks import mark_attribute
from conformance.client import Attribute, Client, describe, xor
from conformance.codes import Attr, Class, Method
from conformance.expect import expect_no_attribute
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage, read_xor_address
from conformance.row import Feature, row
from transport import TransportAddress

from .needs import (
    FAMILY_NOT_SUPPORTED,
    INSUFFICIENT_CAPACITY,
    expect_granted,
    expect_known,
    expect_refusal,
    expect_room,
    somewhere,
)

IPV4, IPV6, UNASSIGNED = 1, 2, 3
CHANNEL = 0x4003
TUNNELED = {
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "6to4": "2002:c000:204::1",
}


def requested(family: int) -> Attribute:
    return Attr.REQUESTED_ADDRESS_FAMILY, one_byte(family)


def additional(family: int) -> Attribute:
    return Attr.ADDITIONAL_ADDRESS_FAMILY, one_byte(family)


@row(
    "TURN-ALLOC-08",
    "The server checks if the request contains both REQUESTED-ADDRESS-FAMILY and "
    "ADDITIONAL-ADDRESS-FAMILY attributes. If yes, then the server rejects the request with a 400 "
    "(Bad Request) error.",
    Feature.FAMILIES,
    Feature.TURN,
)
async def both_attributes_of_families_are_refused(probe: Probe) -> None:
    response, _ = await probe.try_to_allocate(UDP, requested(IPV4), additional(IPV6))
    name = "REQUESTED-ADDRESS-FAMILY with ADDITIONAL-ADDRESS-FAMILY"
    await expect_refusal(probe, response, 400, to=name)


@row(
    "TURN-ALLOC-09",
    "If the server does not support the address family requested by the client in "
    "REQUESTED-ADDRESS-FAMILY, it MUST generate an Allocate error response with the 440 (Address "
    "Family not Supported) response code.",
    Feature.FAMILIES,
    Feature.TURN,
)
async def a_family_is_given_or_refused(probe: Probe) -> None:
    for family, version in ((IPV4, 4), (IPV6, 6)):
        response, allocation = await probe.try_to_allocate(UDP, requested(family))
        if allocation is None:
            await expect_refusal(
                probe, response, FAMILY_NOT_SUPPORTED, to=f"the family IPv{version}"
            )
        else:
            _expect_version(allocation, version)
    response, _ = await probe.try_to_allocate(UDP, requested(UNASSIGNED))
    await expect_refusal(probe, response, FAMILY_NOT_SUPPORTED, 400, to="the unassigned family 3")


@row(
    "TURN-ALLOC-10",
    "If the REQUESTED-ADDRESS-FAMILY attribute is absent and the server supports the IPv4 address "
    "family, the server MUST allocate an IPv4 relayed transport address for the TURN client.",
    Feature.TURN,
)
async def without_a_wish_the_family_is_ipv4(probe: Probe) -> None:
    response, allocation = await probe.try_to_allocate(UDP, requested(IPV4))
    if allocation is None:
        raise NotOffered(f"an IPv4 relayed transport address is met with {describe(response)}")
    response, allocation = await probe.try_to_allocate(UDP, client=await _without_a_wish(probe))
    expect_granted(response, to="Allocate without REQUESTED-ADDRESS-FAMILY")
    if allocation is not None:
        _expect_version(allocation, 4)


@row(
    "TURN-ALLOC-11",
    "If the REQUESTED-ADDRESS-FAMILY attribute is absent and the server does not support the IPv4 "
    "address family, the server MUST include an ERROR-CODE attribute with the 440 (Address Family "
    "not Supported) response code.",
    Feature.LONG_TERM,
)
async def without_ipv4_a_family_has_to_be_requested(probe: Probe) -> None:
    response, _ = await probe.try_to_allocate(UDP, requested(IPV4))
    if response.error_code != FAMILY_NOT_SUPPORTED:
        raise NotOffered(f"this is no server of IPv6 alone: IPv4 is met with {describe(response)}")
    response, _ = await probe.try_to_allocate(UDP, client=await _without_a_wish(probe))
    to = "Allocate without REQUESTED-ADDRESS-FAMILY, where there is no IPv4,"
    expect_room(response)
    if response.error_code != FAMILY_NOT_SUPPORTED:
        mark = mark_attribute(response, Attr.ERROR_CODE) or Mark(response.data, 0, 2)
        raise Violated(f"{to} is met with {describe(response)}, not with 440", mark)


@row(
    "TURN-ALLOC-12",
    "If the request contains an EVEN-PORT attribute with the R bit set to 1 and also contains an "
    "ADDITIONAL-ADDRESS-FAMILY attribute, the server rejects the request with a 400 (Bad Request) "
    "error.",
    Feature.FAMILIES,
    Feature.TURN,
)
async def a_dual_allocation_cannot_reserve_ports(probe: Probe) -> None:
    response, _ = await probe.try_to_allocate(UDP, (Attr.EVEN_PORT, b"\x80"), additional(IPV6))
    name = "EVEN-PORT with R=1 and ADDITIONAL-ADDRESS-FAMILY"
    expect_known(response, Attr.EVEN_PORT)
    await expect_refusal(probe, response, 400, to=name)


@row(
    "TURN-ALLOC-14",
    "If the request contains an ADDITIONAL-ADDRESS-FAMILY attribute, and the attribute value is "
    "0x01 (IPv4 address family), then the server rejects the request with a 400 (Bad Request) "
    "error.",
    Feature.FAMILIES,
    Feature.TURN,
)
async def ipv4_is_no_additional_family(probe: Probe) -> None:
    response, _ = await probe.try_to_allocate(UDP, additional(IPV4))
    await expect_refusal(probe, response, 400, to="ADDITIONAL-ADDRESS-FAMILY with IPv4")


@row(
    "TURN-ALLOC-15",
    "If the server can fully meet the request, then the server allocates one IPv4 and one IPv6 "
    "relay address and returns an Allocate success response containing them in two "
    "XOR-RELAYED-ADDRESS attributes.",
    Feature.TURN,
    Feature.IPV6_RELAY,
)
async def a_dual_allocation_has_both_families(probe: Probe) -> None:
    for family in (IPV4, IPV6):
        alone, allocation = await probe.try_to_allocate(UDP, requested(family))
        if allocation is None:
            raise NotOffered(f"the family {family} alone is met with {describe(alone)}")
    response, _ = await probe.try_to_allocate(UDP, additional(IPV6))
    if _address_error(response) == INSUFFICIENT_CAPACITY:
        raise NotOffered("half of a dual allocation is met with 508")
    expect_granted(response, to="ADDITIONAL-ADDRESS-FAMILY where both families are offered")
    expect_no_attribute(response, Attr.ADDRESS_ERROR_CODE)
    versions = sorted(each.ip.version for each in _relayed(response))
    if versions != [4, 6]:
        mark = mark_attribute(response, Attr.XOR_RELAYED_ADDRESS)
        raise Violated(f"the relayed transport addresses are of the versions {versions}", mark)


@row(
    "TURN-ALLOC-16",
    "If the server can partially meet the request, then it includes ADDRESS-ERROR-CODE attribute "
    "in the success response to inform the client the reason for partial failure of the request.",
    Feature.TURN,
    about_answers=True,
)
async def what_becomes_of_a_dual_wish_with_one_family(probe: Probe) -> Outcome:
    families = []
    for family in (IPV4, IPV6):
        response, allocation = await probe.try_to_allocate(UDP, requested(family))
        expect_room(response)
        families += [] if allocation is None else [family]
    if len(families) == 2:
        raise NotOffered("the server offers both families")
    response, _ = await probe.try_to_allocate(UDP, additional(IPV6))
    expect_room(response)
    if response.message_class is not Class.SUCCESS:
        return seen(f"a dual allocation is met with {describe(response)}")
    relayed = _relayed(response)
    if not relayed:
        raise Violated("a dual allocation is granted without an address", Mark(response.data, 0, 2))
    versions = ", ".join(f"IPv{each.ip.version}" for each in relayed)
    code = _address_error(response)
    if code not in (None, FAMILY_NOT_SUPPORTED, INSUFFICIENT_CAPACITY):
        mark = mark_attribute(response, Attr.ADDRESS_ERROR_CODE)
        raise Violated(f"ADDRESS-ERROR-CODE is {code}, neither 440 nor 508", mark)
    told = "no ADDRESS-ERROR-CODE" if code is None else f"ADDRESS-ERROR-CODE {code}"
    return seen(f"a dual allocation brings {versions} and {told}")


@row(
    "TURN-ALLOC-29",
    "It is RECOMMENDED that TURN servers not accept allocation or channel-binding requests from "
    "addresses known to be tunneled. In particular, a TURN server MUST NOT accept Teredo or 6to4 "
    "addresses in these requests.",
    Feature.TURN,
    Feature.CHANNELS,
    Feature.IPV6_RELAY,
    about_answers=True,
)
async def tunneled_addresses_are_not_bound(probe: Probe) -> None:
    if Feature.PEER not in probe.survey.missing:
        # What binds no channel at all shows nothing.
        bound = await (await probe.allocate()).bind(CHANNEL, somewhere(probe))
        if bound.message_class is not Class.SUCCESS:
            raise NotOffered(f"ChannelBind to {probe.peer_ip} is met with {describe(bound)}")
    allocation = await probe.allocate(requested(IPV6))
    for number, (name, host) in enumerate(TUNNELED.items(), start=CHANNEL):
        peer = TransportAddress(ipaddress.ip_address(host), 9)
        response = await allocation.client.authenticated(
            Method.CHANNEL_BIND,
            (Attr.CHANNEL_NUMBER, channel_number(number)),
            xor(Attr.XOR_PEER_ADDRESS, peer),
        )
        if response.message_class is Class.SUCCESS:
            raise Violated(
                f"ChannelBind takes the {name} address {host}", Mark(response.data, 0, 2)
            )


async def _without_a_wish(probe: Probe) -> Client:
    """Who asks for no family, whichever the peers have."""
    client = await probe.client()
    client.family = None
    return client


def _expect_version(allocation: Allocation, version: int) -> None:
    if allocation.relayed.ip.version != version:
        mark = mark_attribute(allocation.response, Attr.XOR_RELAYED_ADDRESS)
        raise Violated(f"{allocation.relayed} is not of IPv{version}", mark)


def _relayed(response: ReceivedMessage) -> list[TransportAddress]:
    values = response.get_all(Attr.XOR_RELAYED_ADDRESS)
    return [read_xor_address(value, response.transaction_id) for value in values]


def _address_error(response: ReceivedMessage) -> int | None:
    """The code in ADDRESS-ERROR-CODE (section 18.12), or None."""
    value = response.get(Attr.ADDRESS_ERROR_CODE)
    return None if value is None or len(value) < 4 else (value[2] & 7) * 100 + value[3]
