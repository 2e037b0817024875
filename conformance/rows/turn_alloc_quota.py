"""TURN-ALLOC: quotas and what happens when nothing is left (RFC 8656 sections 5 and 7.2).

How much a server has is found by taking it, up to ``MAX_ALLOCATIONS``.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from conformance.allocation import UDP, Allocation
from conformance.client import Attribute, describe
from conformance.codes import Attr, Class
from conformance.expect import expect_error
from conformance.outcome import NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.row import Feature, row
from conformance.target import Credential

from .needs import INSUFFICIENT_CAPACITY, expect_kept, expect_room

MAX_ALLOCATIONS: Final = 64
"""At one time: more than services grant a user (KVS: 50), and no load for any server."""

GRACE: Final = 5.0
"""Seconds in which what was deleted has to be free again."""

RETRY_AFTER: Final = 0.5
CREDENTIAL_LIFE: Final = 3600
QUOTA_REACHED: Final = 486


@dataclasses.dataclass(frozen=True, slots=True)
class Filled:
    """As many allocations as there are, and with what the next was met.

    None if it was never refused: there were enough, or no more connections to be had.
    """

    allocations: tuple[Allocation, ...]
    refusal: ReceivedMessage | None


async def fill(
    probe: Probe,
    *attributes: Attribute,
    credential: Credential | None = None,
    limit: int = MAX_ALLOCATIONS,
) -> Filled:
    """Allocate until that is refused, each on a 5-tuple of its own.

    Raises:
        NotOffered: not even a first Allocate is answered.
    """
    allocations: list[Allocation] = []
    for _ in range(limit):
        try:
            response, allocation = await _allocate(probe, credential, *attributes)
        except NotOffered:
            if not allocations:
                raise
            if not probe.target.transport.is_reliable:
                await probe.is_alive()  # who asks often may not be answered
            break
        if allocation is None:
            return Filled(tuple(allocations), response)
        allocations.append(allocation)
    return Filled(tuple(allocations), None)


@row(
    "TURN-ALLOC-17",
    "The server MAY choose to reject the request with a 486 (Allocation Quota Reached) error; it "
    "SHOULD define the quota based on the username used to authenticate the request and not on "
    "the client's transport address.",
    Feature.TURN,
    alone=True,
)
async def the_quota_counts_the_allocations_of_a_user(probe: Probe) -> Outcome | None:
    mine, other = quota_credential(probe, 0), quota_credential(probe, 1)
    filled = await fill(probe, credential=mine)
    if filled.refusal is None:
        raise NotOffered(f"no quota within {len(filled.allocations)} allocations")
    if not filled.allocations or filled.refusal.error_code in (300, INSUFFICIENT_CAPACITY):
        raise NotOffered(f"{describe(filled.refusal)} after {len(filled.allocations)} allocations")
    expect_error(filled.refusal, QUOTA_REACHED, to="one allocation more than the quota")
    await expect_kept(probe, filled.allocations[0], when="at the quota")
    refused = None if other is None else (await _allocate(probe, other))[0]
    await probe.give_back(filled.allocations[0])
    response = await _allocate_again(probe, mine)
    if response.message_class is not Class.SUCCESS:
        return seen(f"{GRACE:g} s after a deletion Allocate is met with {describe(response)}")
    if refused is not None and refused.message_class is not Class.SUCCESS:
        return seen(f"with one user at the quota another is met with {describe(refused)}, too")
    return None


@row(
    "TURN-ALLOC-28",
    "508 (Insufficient Capacity): The server is unable to carry out the request due to some "
    "capacity limit being reached.",
    Feature.TURN,
    alone=True,
)
async def a_server_without_free_ports_says_so_and_lives(probe: Probe) -> Outcome | None:
    filled = await fill(probe)
    if filled.refusal is None:
        raise NotOffered(f"the ports are not used up by {len(filled.allocations)} allocations")
    if not filled.allocations:
        raise NotOffered(f"the first Allocate is met with {describe(filled.refusal)}")
    expect_room(filled.refusal)
    expect_error(filled.refusal, INSUFFICIENT_CAPACITY, to="an Allocate with all ports in use")
    await probe.is_alive()
    await expect_kept(probe, filled.allocations[-1], when="with all ports in use")
    await probe.give_back(filled.allocations[0])
    response = await _allocate_again(probe, None)
    if response.message_class is not Class.SUCCESS:
        return seen(f"{GRACE:g} s after a deletion Allocate is met with {describe(response)}")
    return None


@row(
    "TURN-ALLOC-13",
    "The server checks if it can satisfy the request (EVEN-PORT). If the server cannot satisfy "
    "the request, then the server rejects the request with a 508 (Insufficient Capacity) error.",
    Feature.TURN,
    Feature.EVEN_PORT,
    alone=True,
)
async def a_pair_of_ports_that_is_not_there_is_refused(probe: Probe) -> None:
    filled = await fill(probe, (Attr.EVEN_PORT, b"\x80"), limit=MAX_ALLOCATIONS // 2)
    if filled.refusal is None:
        raise NotOffered(f"{len(filled.allocations)} pairs of ports can be had")
    if not filled.allocations:
        raise NotOffered(f"EVEN-PORT with R=1 is met with {describe(filled.refusal)}")
    expect_room(filled.refusal)
    expect_error(filled.refusal, INSUFFICIENT_CAPACITY, to="EVEN-PORT without a pair of ports")


def quota_credential(probe: Probe, user: int) -> Credential | None:
    """That of a user; one that a shared secret makes, where the server has one.

    Servers may count those who have a time-limited credential alone.
    """
    if probe.target.secret is not None:
        expiry = int(probe.wire.unix_time()) + CREDENTIAL_LIFE
        return Credential.time_limited(probe.target.secret, f"conformance-{user}", expiry)
    credentials = probe.target.credentials
    return credentials[user] if user < len(credentials) else None


async def _allocate(
    probe: Probe, credential: Credential | None, *attributes: Attribute
) -> tuple[ReceivedMessage, Allocation | None]:
    client = await probe.client()
    client.credential = credential or client.credential
    try:
        response, allocation = await probe.try_to_allocate(UDP, *attributes, client=client)
    except Violated as error:
        if client.link.has_ended:
            raise NotOffered("the server takes no more connections") from error
        raise
    if allocation is None:
        client.link.close()
    return response, allocation


async def _allocate_again(probe: Probe, credential: Credential | None) -> ReceivedMessage:
    """Until it works, for a while; the last answer."""
    deadline = probe.wire.now() + GRACE
    while True:
        response, allocation = await _allocate(probe, credential)
        if allocation is not None or probe.wire.now() >= deadline:
            return response
        await probe.wire.sleep(RETRY_AFTER)
