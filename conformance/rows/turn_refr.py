"""TURN-REFR: refreshing allocations (RFC 8656 sections 8 and 8.1)."""

from __future__ import annotations

from typing import Final

from conformance.building import one_byte, u32
from conformance.checks import mark_attribute
from conformance.codes import Attr, Class, Method
from conformance.expect import expect_attribute, expect_error, expect_success
from conformance.outcome import Mark, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.row import Feature, row

DEFAULT: Final = 600
"""Seconds of an allocation whose client does not say (RFC 8656 section 6)."""

IPV4, IPV6, UNASSIGNED = one_byte(1), one_byte(2), one_byte(3)


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
        expect_lifetime(response, least, most)
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


def expect_lifetime(response: ReceivedMessage, least: int, most: int) -> None:
    """Within a second of what it must be: the timer may have ticked since it was set."""
    found = int.from_bytes(expect_attribute(response, Attr.LIFETIME), "big")
    if not max(0, least - 1) <= found <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        mark = mark_attribute(response, Attr.LIFETIME)
        raise Violated(f"LIFETIME says {found}, not {wanted}", mark)
