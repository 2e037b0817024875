"""TURN-REFR: refreshing and deleting allocations (RFC 8656 sections 6 and 8)."""

from __future__ import annotations

from typing import Final

from conformance.allocation import UDP, Allocation
from conformance.building import one_byte, u32
from conformance.checks import mark_attribute
from conformance.client import Client, describe
from conformance.codes import Attr, Class, Method
from conformance.expect import expect_attribute, expect_error, expect_success
from conformance.outcome import Mark, NotOffered, Outcome, Unanswered, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage, read_xor_address
from conformance.relaying import Pair, pair, permitted_pair, stay
from conformance.row import Feature, row
from transport import DecodeError

DEFAULT: Final = 600
"""Seconds of an allocation whose client does not say (RFC 8656 section 6)."""

LATE: Final = 15.0
"""Seconds that an allocation may outlive its lifetime: timers of servers are coarse."""

MAX_LIFETIME: Final = 1800
"""An allocation that is granted more is not waited for."""

CLOSED: Final = seen("the connection is closed with its allocation")
IPV4, IPV6, UNASSIGNED = one_byte(1), one_byte(2), one_byte(3)


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
    _expect_lifetime(response, 0, 0)
    if await _is_closed(probe, client):
        return CLOSED
    response = await allocation.refresh()
    expect_error(response, 437, to="Refresh of a deleted allocation")
    await way.peer.send(b"late", allocation.relayed)
    await way.silence_at_client(why="the allocation is deleted")
    response = await client.authenticated(Method.ALLOCATE, UDP)
    await client.delete_allocation(response)
    expect_success(response, to="Allocate on the 5-tuple of a deleted allocation")
    return None


@row(
    "TURN-REFR-02",
    "The server computes the minimum of the client's requested lifetime and the server's maximum "
    "allowed lifetime. If this computed value is greater than the default lifetime, then the "
    '"desired lifetime" is the computed value. Otherwise, it is the default lifetime.',
    Feature.TURN,
)
async def lifetimes_are_at_least_the_default(probe: Probe) -> Outcome | None:
    allocation = await probe.allocate()
    response = await allocation.refresh()
    expect_success(response, to="Refresh without LIFETIME")
    default = int.from_bytes(expect_attribute(response, Attr.LIFETIME), "big")
    for asked, least, most in ((60, default, default), (3600, default, max(3600, default))):
        response = await allocation.refresh((Attr.LIFETIME, u32(asked)))
        expect_success(response, to=f"Refresh with LIFETIME {asked}")
        _expect_lifetime(response, least, most)
    if default != DEFAULT:
        return seen(f"the default lifetime is {default} s, not {DEFAULT}")
    return None


@row(
    "TURN-REFR-03",
    "If the request succeeds, then the server sends a success response containing a LIFETIME "
    "attribute with the current value of the time-to-expiry timer.",
    Feature.TURN,
)
async def a_refresh_is_answered_with_a_lifetime(probe: Probe) -> None:
    allocation = await probe.allocate()
    response = await allocation.refresh()
    expect_success(response, to="Refresh")
    expect_attribute(response, Attr.LIFETIME)
    key = allocation.client.key()
    if not response.has_integrity(key) and not response.has_integrity_sha256(key):
        raise Violated("the success is not signed", Mark(response.data, 0, 20))


@row(
    "TURN-REFR-04",
    "If the REQUESTED-ADDRESS-FAMILY value does not match the address family of the allocation, "
    "the server MUST reply with a 443 (Peer Address Family Mismatch) Refresh error response.",
    Feature.FAMILIES,
    Feature.TURN,
)
async def another_family_is_a_mismatch(probe: Probe) -> None:
    allocation = await probe.allocate()
    mine, other = (IPV6, IPV4) if allocation.relayed.is_ipv6 else (IPV4, IPV6)
    response = await allocation.refresh((Attr.REQUESTED_ADDRESS_FAMILY, other))
    expect_error(response, 443, to="Refresh of a family that the allocation has not")
    # That is no family of anything; which error is said of it is left open.
    unassigned = (Attr.REQUESTED_ADDRESS_FAMILY, UNASSIGNED)
    wrong = await allocation.client.try_authenticated(Method.REFRESH, unassigned)
    if wrong is not None and wrong.message_class is Class.SUCCESS:
        detail = "Refresh of the family 3, which is not assigned, is met with success"
        raise Violated(detail, Mark(wrong.data, 0, 2))
    response = await allocation.refresh((Attr.REQUESTED_ADDRESS_FAMILY, mine))
    expect_success(response, to="Refresh of the family that the allocation has")


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
    if await _is_closed(probe, allocation.client):
        return CLOSED
    for family, name in ((IPV4, "IPv4"), (IPV6, "IPv6")):
        response = await allocation.refresh((Attr.REQUESTED_ADDRESS_FAMILY, family))
        expect_error(response, 437, to=f"Refresh of {name} after both were deleted")
    return None


@row(
    "TURN-REFR-07",
    "Allocations can only be refreshed using the Refresh request; sending data to a peer does "
    "not refresh an allocation.",
    Feature.TURN,
    Feature.PEER,
    slow=True,
)
async def data_keeps_no_allocation_alive(probe: Probe) -> Outcome | None:
    now = probe.wire.now
    idle, way = await probe.allocate(), await permitted_pair(probe)
    end = now() + _granted(way.allocation)
    while now() < end - 20:
        await way.permit()
        await way.need_both_ways(when="with a permission")
        await stay(probe, min(now() + 20, end - 20), way.allocation, idle, refresh=False)
    await way.permit()
    await way.need_both_ways(when="just before the end")
    await stay(probe, end + LATE)
    silent = await _late_refresh(probe, idle)
    if silent is not None and silent.message_class is Class.SUCCESS:
        raise NotOffered("allocations without data last too long as well: see TURN-REFR-08")
    response = await _late_refresh(probe, way.allocation)
    if response is None:
        return CLOSED
    expect_error(
        response,
        437,
        to=f"Refresh {LATE:g} s after the end of an allocation that carried data all the time",
    )
    return None


@row(
    "TURN-REFR-08",
    "The time-to-expiry is the time in seconds left until the allocation expires; each Allocate "
    "or Refresh transaction sets this timer, which then ticks down towards zero.",
    Feature.TURN,
    Feature.PEER,
    slow=True,
)
async def allocations_expire(probe: Probe) -> Outcome | None:
    way, refreshed = await pair(probe), await probe.allocate()
    seconds = _granted(way.allocation)
    end = probe.wire.now() + seconds
    both = (way.allocation, refreshed)
    await stay(probe, end - seconds / 2, *both, refresh=False)
    response = await refreshed.refresh((Attr.LIFETIME, u32(seconds)))
    expect_success(response, to="Refresh at half of the lifetime")
    is_longer = (response.number(Attr.LIFETIME) or 0) >= seconds / 2 + 2 * LATE
    await stay(probe, end - LATE, *both, refresh=False)
    response = await way.allocation.permit(way.peer.local)
    expect_success(response, to=f"CreatePermission {LATE:g} s before the end")
    await way.need_both_ways(when="just before the end")
    await stay(probe, end + LATE)
    await way.peer.send(b"late", way.allocation.relayed)
    await way.silence_at_client(why="the allocation has expired")
    if is_longer:
        to = f"Refresh {LATE:g} s after an allocation would have ended that was refreshed"
        expect_success(await refreshed.refresh(), to=to)
    late = await _late_refresh(probe, way.allocation)
    if late is None:
        return CLOSED
    expect_error(late, 437, to=f"Refresh {LATE:g} s after the end")
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
    if await _is_closed(probe, client):
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


@row(
    "TURN-REFR-10",
    "If the request does not use the same username as used to create the allocation, then the "
    "request MUST be rejected with a 441 (Wrong Credentials) error.",
    Feature.TURN,
    Feature.SECOND_USER,
)
async def nobody_else_may_delete(probe: Probe) -> None:
    allocation = await probe.allocate()
    stranger = probe.target.credentials[1]
    client, none = allocation.client, (Attr.LIFETIME, u32(0))
    response = await client.authenticated(Method.REFRESH, none, credential=stranger)
    expect_error(response, 441, to="another user's Refresh")
    response = await allocation.refresh()
    expect_success(response, to="the owner's Refresh, after that of another user")


async def _late_refresh(probe: Probe, allocation: Allocation) -> ReceivedMessage | None:
    """The answer to Refresh of an allocation that has ended; None if the connection has, too.

    A server may look at its connections once a minute, and close one at any moment.

    Raises:
        Unanswered: there is no answer.
    """
    client = allocation.client
    if await _is_closed(probe, client):
        return None
    try:
        return await allocation.refresh()
    except Unanswered:
        if client.link.has_ended:
            return None
        raise


async def _is_closed(probe: Probe, client: Client) -> bool:
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


def _expect_lifetime(response: ReceivedMessage, least: int, most: int) -> None:
    """Within a second of what it must be: the timer may have ticked since it was set."""
    found = int.from_bytes(expect_attribute(response, Attr.LIFETIME), "big")
    if not max(0, least - 1) <= found <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        mark = mark_attribute(response, Attr.LIFETIME)
        raise Violated(f"LIFETIME says {found}, not {wanted}", mark)


def _granted(allocation: Allocation) -> int:
    """The seconds that it has.

    Raises:
        NotOffered: they are not said, or too many to wait for.
    """
    seconds = allocation.response.number(Attr.LIFETIME)
    if seconds is None:
        raise NotOffered("the answer to Allocate has no LIFETIME")
    if not LATE * 4 <= seconds <= MAX_LIFETIME:
        raise NotOffered(f"the allocation has {seconds} s: too few or too many to wait for")
    return seconds


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
