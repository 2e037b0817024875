"""TURN-REFR: deleting allocations, which is a Refresh with LIFETIME 0 (RFC 8656 section 8.1)."""

from __future__ import annotations

from typing import Final

from conformance.allocation import UDP, Allocation, delete_granted
from conformance.building import u32
from conformance.client import Client, describe
from conformance.codes import Attr, Class, Method
from conformance.expect import expect_error, expect_success
from conformance.outcome import NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage, read_xor_address
from conformance.relaying import Pair, permitted_pair
from conformance.row import Feature, row
from transport import DecodeError

from .needs import expect_granted
from .turn_refr import IPV4, IPV6, expect_lifetime

CLOSED: Final = seen("the connection is closed with its allocation")


@row(
    "TURN-REFR-01",
    "A requested lifetime of zero causes the server to immediately delete the allocation "
    '(section 8.1). If the "desired lifetime" is zero, then the request succeeds and the '
    "allocation is deleted.",
    Feature.TURN,
    Feature.PEER,
)
async def lifetime_zero_deletes(probe: Probe) -> Outcome | None:
    way = await permitted_pair(probe)
    await way.need_both_ways(when="with a permission")
    allocation, client = way.allocation, way.allocation.client
    response = await allocation.delete()
    _need_one(probe, response)
    expect_success(response, to="Refresh with LIFETIME 0")
    expect_lifetime(response, 0, 0)
    if await is_closed(probe, client):
        return CLOSED
    response = await allocation.refresh()
    expect_error(response, 437, to="Refresh of a deleted allocation")
    await way.peer.send(b"late", allocation.relayed)
    await way.silence_at_client(why="the allocation is deleted")
    response = await client.authenticated(Method.ALLOCATE, UDP)
    await delete_granted(client, response)
    expect_granted(response, to="Allocate on the 5-tuple of a deleted allocation")
    return None


@row(
    "TURN-REFR-05",
    "Deleting a single allocation destroys any permissions or channels associated with that "
    "particular allocation; it MUST NOT affect any permissions or channels associated with "
    "allocations for the other address family.",
    Feature.TURN,
    Feature.PEER,
    Feature.IPV6_RELAY,
)
async def one_family_of_two_is_deleted(probe: Probe) -> None:
    way = await _dual_pair(probe)
    allocation, other = way.allocation, IPV4 if way.peer.local.is_ipv6 else IPV6
    await way.bind()
    await way.need_both_ways(when="with a channel of a dual allocation")
    if await way.send_channel(b"there") is None:
        raise NotOffered("ChannelData does not come to the peer")
    of_other = ((Attr.REQUESTED_ADDRESS_FAMILY, other), (Attr.LIFETIME, u32(0)))
    response = await allocation.refresh(*of_other)
    _need_one(probe, response)
    expect_success(response, to="deleting one family of two")
    await way.expect_sent_on_channel(b"still there")
    if not await way.passes():
        raise Violated("the other family's permission is gone: its peer's data does not come")
    response = await allocation.refresh((Attr.REQUESTED_ADDRESS_FAMILY, other))
    expect_error(response, 443, to="Refresh of the family that was deleted")


@row(
    "TURN-REFR-06",
    "If no REQUESTED-ADDRESS-FAMILY attribute is included, then the request should be treated as "
    "applying to all current allocations.",
    Feature.TURN,
    Feature.IPV6_RELAY,
)
async def both_families_are_deleted_at_once(probe: Probe) -> Outcome | None:
    allocation = await _dual(probe)
    response = await allocation.delete()
    _need_one(probe, response)
    expect_success(response, to="Refresh with LIFETIME 0")
    if await is_closed(probe, allocation.client):
        return CLOSED
    for family, name in ((IPV4, "IPv4"), (IPV6, "IPv6")):
        response = await allocation.refresh((Attr.REQUESTED_ADDRESS_FAMILY, family))
        expect_error(response, 437, to=f"Refresh of {name} after both were deleted")
    return None


@row(
    "TURN-REFR-09",
    'A retransmitted Refresh request with a zero "desired lifetime" will cause a 437 (Allocation '
    "Mismatch) response if the allocation has already been deleted, but the client will treat "
    "this as equivalent to a success response.",
    Feature.TURN,
)
async def a_deletion_may_be_repeated(probe: Probe) -> Outcome | None:
    allocation = await probe.allocate()
    client = allocation.client
    # Whether the nonce is still good is found out first: the request is sent as it is.
    expect_success(await allocation.refresh(), to="Refresh")
    request = client.sign(client.message(Method.REFRESH, (Attr.LIFETIME, u32(0)))).build()
    response = await client.demand(request)
    if response.error_code == 438:
        raise NotOffered("each request is given a new nonce")
    _need_one(probe, response)
    expect_success(response, to="Refresh with LIFETIME 0")
    if await is_closed(probe, client):
        return CLOSED
    again = await client.demand(request)
    if again.message_class is Class.SUCCESS or again.error_code == 437:
        return None
    if again.error_code not in (401, 438):
        expect_error(again, 437, to="the same Refresh with LIFETIME 0 once more")
    # Who is asked for anew comes first (section 5); then it has to be 437.
    fresh = await allocation.delete()
    expect_error(fresh, 437, to="deleting once more, with a fresh nonce")
    return seen(f"{again.error_code} first, and 437 to what answers it")


async def is_closed(probe: Probe, client: Client) -> bool:
    """Whether the server closes a connection with its allocation, as it may."""
    if client.link.can_end:
        while await client.link.receive(probe.target.silence) is not None:
            pass  # data that came before
    return client.link.has_ended


def _need_one(probe: Probe, response: ReceivedMessage) -> None:
    """That a refusal is not that of a deletion which was carried out, and answered in vain.

    Raises:
        NotOffered: it may be.
    """
    if response.message_class is Class.ERROR and probe.was_repeated(response):
        raise NotOffered(f"packets are lost: a deletion, sent twice, has {describe(response)}")


async def _dual(probe: Probe) -> Allocation:
    """An allocation with an address of each family."""
    allocation = await probe.allocate((Attr.ADDITIONAL_ADDRESS_FAMILY, IPV6))
    if len(allocation.response.get_all(Attr.XOR_RELAYED_ADDRESS)) < 2:
        raise NotOffered("Allocate with ADDITIONAL-ADDRESS-FAMILY brings one address alone")
    return allocation


async def _dual_pair(probe: Probe) -> Pair:
    """One of them, with the address that is of the peer's family."""
    allocation, peer = await _dual(probe), await probe.peer()
    response = allocation.response
    try:
        addresses = [
            read_xor_address(value, response.transaction_id)
            for value in response.get_all(Attr.XOR_RELAYED_ADDRESS)
        ]
    except DecodeError as error:
        raise NotOffered(f"XOR-RELAYED-ADDRESS cannot be read: {error}") from error
    mine = [each for each in addresses if each.is_ipv6 == peer.local.is_ipv6]
    if len(mine) != 1:
        raise NotOffered("the two relayed addresses are not of two families")
    allocation.relayed = mine[0]
    return Pair(probe, allocation, peer)
