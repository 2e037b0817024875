"""What rows about TURN need on their way to what they ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from conformance.allocation import Allocation
from conformance.building import channel_number, u32
from conformance.client import Attribute, describe, xor
from conformance.codes import FORBIDDEN, Attr, Method, attribute_name
from conformance.expect import expect_error, expect_success, need_success
from conformance.outcome import NotOffered, OutOfReach, Unanswered
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.relaying import permitted_pair
from conformance.row import Feature
from transport import TransportAddress

NO_ROOM: Final = frozenset({300, 486})
"""A server may reject an Allocate with these at any point (RFC 8656 section 7.2)."""

FAMILY_NOT_SUPPORTED: Final = 440
INSUFFICIENT_CAPACITY: Final = 508
UNKNOWN_ATTRIBUTE: Final = 420

CHANNEL: Final = 0x4003


def expect_turn(probe: Probe) -> None:
    """Raises:
    NotOffered: the target is no TURN server.
    """
    if not probe.target.is_turn:
        raise NotOffered("the target is a stun: URI")


def expect_room(response: ReceivedMessage) -> None:
    """Raises:
    NotOffered: the server may refuse any Allocate like that.
    """
    if response.error_code in NO_ROOM:
        raise NotOffered(f"Allocate is met with {describe(response)}")


def expect_granted(response: ReceivedMessage, *, to: str) -> None:
    """That an Allocate succeeds, where there is room.

    Raises:
        Violated: it is refused for another reason.
        NotOffered: there is no room.
    """
    expect_room(response)
    if response.error_code == INSUFFICIENT_CAPACITY:
        raise NotOffered(f"{to} is met with {describe(response)}")
    expect_success(response, to=to)


def expect_known(response: ReceivedMessage, *kinds: Attr) -> None:
    """Raises:
    NotOffered: the server knows nothing of one of these, and says so.
    """
    listed = response.get(Attr.UNKNOWN_ATTRIBUTES) or b""
    unknown = {int.from_bytes(listed[at : at + 2], "big") for at in range(0, len(listed), 2)}
    for kind in kinds:
        if response.error_code == UNKNOWN_ATTRIBUTE and kind in unknown:
            raise NotOffered(f"{attribute_name(kind)} is unknown to the server")


def expect_ipv4(response: ReceivedMessage) -> None:
    """Raises:
    NotOffered: an Allocate without a family asks for what a server of IPv6 alone has not.
    """
    if response.error_code == FAMILY_NOT_SUPPORTED:
        raise NotOffered("there are no IPv4 relayed transport addresses")


async def expect_room_for_any(probe: Probe, response: ReceivedMessage) -> None:
    """Raises:
    NotOffered: there is no room for any allocation.
    """
    expect_room(response)
    if response.error_code == INSUFFICIENT_CAPACITY:
        await probe.allocate()


async def expect_refusal(probe: Probe, response: ReceivedMessage, *codes: int, to: str) -> None:
    """That an Allocate is refused with one of these, and not for want of room.

    Raises:
        Violated: it is not.
        NotOffered: there is no room for any allocation.
    """
    if response.error_code not in codes:
        await expect_room_for_any(probe, response)
    expect_error(response, *codes, to=to)


async def permitted(probe: Probe, peer: TransportAddress) -> Allocation:
    """An allocation with a permission.

    Raises:
        NotOffered: one of them is not to be had.
    """
    allocation = await probe.allocate()
    await need_success(allocation.permit(peer), "CreatePermission")
    return allocation


async def need_well_formed(allocation: Allocation, peer: TransportAddress) -> None:
    """That a CreatePermission which is well-formed is not refused like one that is not.

    Raises:
        NotOffered: all are.
    """
    try:
        response = await allocation.permit(peer)
    except Unanswered as error:
        raise OutOfReach(error.detail) from error
    if response.error_code in (400, 443):
        raise NotOffered(f"a permission for {peer.ip} is met with {describe(response)}, too")


async def expect_kept(probe: Probe, allocation: Allocation, *, when: str) -> None:
    """That an allocation is still there, and its client's: Refresh tells, or else
    CreatePermission.

    Raises:
        Violated: it is not.
        NotOffered: there is neither.
    """
    if is_offered(probe, Method.REFRESH):
        response, name = await allocation.refresh(), "a Refresh"
    elif is_offered(probe, Method.CREATE_PERMISSION):
        response, name = await allocation.permit(somewhere(probe)), "a CreatePermission"
        if response.error_code == FORBIDDEN:
            return  # to who has an allocation
    else:
        raise NotOffered("neither Refresh nor CreatePermission is granted")
    expect_success(response, to=f"{name} {when}")


async def need_data(probe: Probe) -> None:
    """That data passes both ways where all is right, before a row says why it does not.

    Raises:
        NotOffered: it does not.
    """
    way = await permitted_pair(probe)
    await way.need_both_ways(when="with a permission")


def is_offered(probe: Probe, method: Method) -> bool:
    """Whether requests of this method are granted where nothing is wrong with them."""
    return _FEATURES.get(method) not in probe.survey.missing


def offered(
    probe: Probe, requests: Mapping[Method, Sequence[Attribute]]
) -> Mapping[Method, Sequence[Attribute]]:
    """Those of the requests whose methods are granted: the answer to others says nothing of
    what is wrong with them.

    Raises:
        NotOffered: none is.
    """
    found = {method: each for method, each in requests.items() if is_offered(probe, method)}
    if not found:
        raise NotOffered("no request of an allocation's owner is granted")
    return found


def somewhere(probe: Probe) -> TransportAddress:
    """A peer that may be relayed to, but need not be there."""
    return TransportAddress(probe.peer_ip, 9)


_FEATURES: Final[Mapping[Method, Feature]] = {
    Method.REFRESH: Feature.REFRESH,
    Method.CREATE_PERMISSION: Feature.PERMISSIONS,
    Method.CHANNEL_BIND: Feature.CHANNELS,
}


def requests_to(peer: TransportAddress) -> Mapping[Method, Sequence[Attribute]]:
    """What an allocation's owner may ask for; the last would end it."""
    address = xor(Attr.XOR_PEER_ADDRESS, peer)
    return {
        Method.CREATE_PERMISSION: (address,),
        Method.CHANNEL_BIND: ((Attr.CHANNEL_NUMBER, channel_number(CHANNEL)), address),
        Method.REFRESH: ((Attr.LIFETIME, u32(0)),),
    }
