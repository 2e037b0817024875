"""TURN-ALLOC: ports, and pairs of them that are reserved (RFC 8656 section 7.2)."""

from __future__ import annotations

import collections
import itertools
from typing import Final

from conformance.allocation import UDP, Allocation
from conformance.building import one_byte
from conformance.checks import mark_attribute
from conformance.client import Attribute, describe
from conformance.codes import Attr, Class
from conformance.expect import expect_attribute, expect_success
from conformance.outcome import NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.row import Feature, row

from .needs import INSUFFICIENT_CAPACITY, expect_known, expect_refusal, expect_room_for_any
from .turn_alloc_quota import fill

EVEN: Final[Attribute] = (Attr.EVEN_PORT, b"\x00")
EVEN_PAIR: Final[Attribute] = (Attr.EVEN_PORT, b"\x80")

HELD: Final = 29.0
"""Seconds, just below the 30 that a reservation has to be held."""

EVEN_ALLOCATIONS: Final = 20
WELL_KNOWN: Final = 1023
DYNAMIC: Final = 49152

ROUNDS, ALLOCATIONS_A_ROUND = 3, 40
SIMULTANEOUS: Final = 150

MIN_SAMPLE: Final = 30
SUSPICIOUS: Final = 2 / 3
"""Of the steps from one port to the next: equal ones in so many of 29 or more are no chance.

Of n ports drawn at random from n or more, k given steps are all d with a probability below
1/k! (the worst case is a range of n ports that is used up). There are C(29, 20) choices of 20
steps of 29, and fewer than 60 values of d in a range that small: 60 * 10015005 / 20! < 1e-9.
In a range of thousands it is less by far, and so it is with more ports.
"""


@row(
    "TURN-ALLOC-06",
    "If the request contains a RESERVATION-TOKEN and also an EVEN-PORT or "
    "REQUESTED-ADDRESS-FAMILY or ADDITIONAL-ADDRESS-FAMILY attribute, the server rejects the "
    "request with a 400 (Bad Request) error.",
    Feature.TURN,
)
async def a_token_stands_alone(probe: Probe) -> None:
    token = (Attr.RESERVATION_TOKEN, probe.wire.random_bytes(8))
    for kind, value in (
        (Attr.EVEN_PORT, b"\x00"),
        (Attr.REQUESTED_ADDRESS_FAMILY, one_byte(1)),
        (Attr.ADDITIONAL_ADDRESS_FAMILY, one_byte(2)),
    ):
        response, _ = await probe.try_to_allocate(UDP, token, (kind, value))
        name = f"RESERVATION-TOKEN with {kind.name.replace('_', '-')}"
        expect_known(response, Attr.RESERVATION_TOKEN, Attr.EVEN_PORT)
        if kind is Attr.REQUESTED_ADDRESS_FAMILY:
            expect_known(response, kind)
        await expect_refusal(probe, response, 400, to=name)


@row(
    "TURN-ALLOC-07",
    "If the token is not valid for some reason, the server rejects the request with a 508 "
    "(Insufficient Capacity) error.",
    Feature.TURN,
)
async def a_token_that_is_not_valid_is_refused(probe: Probe) -> None:
    unknown = (Attr.RESERVATION_TOKEN, probe.wire.random_bytes(8))
    response, _ = await probe.try_to_allocate(UDP, unknown)
    expect_known(response, Attr.RESERVATION_TOKEN)
    await expect_refusal(probe, response, INSUFFICIENT_CAPACITY, to="a token that was never given")
    if Feature.EVEN_PORT in probe.survey.missing:
        await probe.allocate()  # where there is no room, everybody is told 508
        return
    _, token = await _reserve(probe)
    response, _ = await probe.try_to_allocate(UDP, (Attr.RESERVATION_TOKEN, token))
    if response.message_class is not Class.SUCCESS:
        return  # whether a token is good for an allocation is asked by TURN-ALLOC-19
    response, _ = await probe.try_to_allocate(UDP, (Attr.RESERVATION_TOKEN, token))
    await expect_refusal(probe, response, INSUFFICIENT_CAPACITY, to="a token that is in use")


@row(
    "TURN-ALLOC-18",
    "If the request contains an EVEN-PORT attribute with the R bit set to 0, then the server "
    "allocates a relayed transport address with an even port number.",
    Feature.TURN,
    Feature.EVEN_PORT,
)
async def an_even_port_is_even(probe: Probe) -> None:
    for _ in range(EVEN_ALLOCATIONS):
        response, allocation = await probe.try_to_allocate(UDP, EVEN)
        if allocation is None:
            raise NotOffered(f"EVEN-PORT is met with {describe(response)}")
        _expect_even(allocation)
        await probe.give_back(allocation)


@row(
    "TURN-ALLOC-19",
    "Port N is used in the current allocation, while the relayed transport address with port N+1 "
    "is assigned a token and reserved for a future allocation. The server MUST hold this "
    "reservation for at least 30 seconds.",
    Feature.TURN,
    Feature.EVEN_PORT,
)
async def the_next_port_is_held_for_30_seconds(probe: Probe) -> None:
    begun = probe.wire.now()
    response, first = await probe.try_to_allocate(UDP, EVEN_PAIR)
    if first is None:
        raise NotOffered(f"EVEN-PORT with R=1 is met with {describe(response)}")
    _expect_even(first)
    token = expect_attribute(first.response, Attr.RESERVATION_TOKEN)
    client = await probe.client()
    await client.learn_challenge()
    await probe.wire.sleep(HELD - (probe.wire.now() - begun))
    response, second = await probe.try_to_allocate(
        UDP, (Attr.RESERVATION_TOKEN, token), client=client
    )
    await expect_room_for_any(probe, response)
    expect_success(response, to=f"the RESERVATION-TOKEN after {HELD:g} s")
    _expect_next(first, second)


@row(
    "TURN-ALLOC-20",
    "The 5-tuple for the Allocate request containing the RESERVATION-TOKEN attribute can be any "
    "allowed 5-tuple; it can use a different client IP address and port, a different transport "
    "protocol.",
    Feature.TURN,
    Feature.EVEN_PORT,
    Feature.STREAM,
)
async def a_token_may_be_used_over_tcp(probe: Probe) -> None:
    first, token = await _reserve(probe)
    client = await probe.client(transport=probe.target.stream)
    response, second = await probe.try_to_allocate(
        UDP, (Attr.RESERVATION_TOKEN, token), client=client
    )
    await expect_room_for_any(probe, response)
    expect_success(response, to=f"a RESERVATION-TOKEN over {probe.target.stream.value.upper()}")
    _expect_next(first, second)


@row(
    "TURN-ALLOC-21",
    "The server SHOULD only allocate ports from the range 49152 - 65535, unless it knows that "
    "other applications will not be impacted. In any case, the TURN server SHOULD NOT allocate "
    "ports in the range 0 - 1023 (the Well-Known Port range).",
    Feature.TURN,
    alone=True,
)
async def ports_are_dynamic_ones(probe: Probe) -> Outcome | None:
    ports: set[int] = set()
    for _ in range(ROUNDS):
        for allocation in (await fill(probe, limit=ALLOCATIONS_A_ROUND)).allocations:
            ports.add(allocation.relayed.port)
            if allocation.relayed.port <= WELL_KNOWN:
                mark = mark_attribute(allocation.response, Attr.XOR_RELAYED_ADDRESS)
                raise Violated(f"the port {allocation.relayed.port} is a well-known one", mark)
            await probe.give_back(allocation)
    if not ports:
        raise NotOffered("nothing can be allocated")
    if min(ports) < DYNAMIC:
        return seen(f"ports from {min(ports)} to {max(ports)}, which an operator may have chosen")
    return None


@row(
    "TURN-ALLOC-22",
    "It is RECOMMENDED that a TURN server implement a randomized port assignment algorithm from "
    "[RFC6056].",
    Feature.TURN,
    alone=True,
)
async def ports_do_not_follow_each_other(probe: Probe) -> None:
    allocations = (await fill(probe, limit=ALLOCATIONS_A_ROUND)).allocations
    if len(allocations) < MIN_SAMPLE:
        raise NotOffered(f"{len(allocations)} ports are too few to tell: {MIN_SAMPLE} would do")
    ports = [each.relayed.port for each in allocations]
    steps = [after - before for before, after in itertools.pairwise(ports)]
    step, times = collections.Counter(steps).most_common(1)[0]
    if times >= SUSPICIOUS * len(steps):
        mark = mark_attribute(allocations[-1].response, Attr.XOR_RELAYED_ADDRESS)
        raise Violated(f"{times} of {len(steps)} ports are the one before {step:+d}", mark)


@row(
    "TURN-ALLOC-25",
    "The relayed transport address MUST be unique across all allocations so it can be used to "
    "uniquely identify the allocation.",
    Feature.TURN,
    alone=True,
)
async def relayed_addresses_are_unique(probe: Probe) -> None:
    allocations = (await fill(probe, limit=SIMULTANEOUS)).allocations
    if len(allocations) < 2:
        raise NotOffered("two allocations cannot be had at the same time")
    counted = collections.Counter(each.relayed for each in allocations)
    relayed, times = counted.most_common(1)[0]
    if times > 1:
        last = [each for each in allocations if each.relayed == relayed][-1]
        mark = mark_attribute(last.response, Attr.XOR_RELAYED_ADDRESS)
        raise Violated(f"{relayed} is given to {times} allocations at the same time", mark)


async def _reserve(probe: Probe) -> tuple[Allocation, bytes]:
    """An allocation, and the token of the port behind its own.

    Raises:
        NotOffered: there is none to be had.
    """
    allocation = await probe.allocate(EVEN_PAIR)
    token = allocation.response.get(Attr.RESERVATION_TOKEN)
    if token is None:
        raise NotOffered("EVEN-PORT with R=1 brings no RESERVATION-TOKEN")
    return allocation, token


def _expect_next(first: Allocation, second: Allocation | None) -> None:
    """That the second has the port behind that of the first."""
    if second is not None and (
        second.relayed.ip != first.relayed.ip or second.relayed.port != first.relayed.port + 1
    ):
        mark = mark_attribute(second.response, Attr.XOR_RELAYED_ADDRESS)
        raise Violated(f"the token of {first.relayed} brings {second.relayed}", mark)


def _expect_even(allocation: Allocation) -> None:
    port = allocation.relayed.port
    if port % 2:
        mark = mark_attribute(allocation.response, Attr.XOR_RELAYED_ADDRESS)
        raise Violated(f"the port {port} is odd", mark)
