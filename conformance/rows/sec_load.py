"""SEC: what a server does with more than it likes: garbage, and allocations without end.

Each row is bounded, and runs alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

from conformance.allocation import UDP, Allocation, clear_up
from conformance.building import channel_data, channel_number, u32
from conformance.client import Client, describe, xor
from conformance.codes import Attr, Class, Method
from conformance.expect import expect_error
from conformance.mutating import Dice, mutations
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.row import Feature, row
from conformance.target import Credential
from transport import TransportAddress

from .needs import INSUFFICIENT_CAPACITY, expect_kept, somewhere
from .turn_alloc_quota import QUOTA_REACHED, fill, quota_credential

BATCHES: Final = 10
BATCH: Final = 250
"""Datagrams between two looks at whether the server lives."""

SEED: Final = "conformance"
"""The same garbage each time, so that a failure can be had again."""

EXTRA: Final = 14
"""Allocations asked for at once beyond the quota."""

MAX_CHANNELS: Final = 256
"""More than ICE needs for the pairs that it checks (RFC 8445 section 6.1.2.5: 100)."""

FIRST_PORT: Final = 20_000
"""Of the peers that channels are bound to: nothing is sent there."""


@row(
    "SEC-15",
    "Thousands of mutated messages leave the server alive: it answers as before.",
    alone=True,
)
async def garbage_does_no_harm(probe: Probe) -> Outcome | None:
    probe.needs_datagrams()
    client, seeds = await _seeds(probe)
    garbage = mutations(seeds, Dice(SEED))
    if client.link.can_end:
        garbage = filter(None, garbage)  # no record is empty
    for batch in range(BATCHES):
        for data in itertools.islice(garbage, BATCH):
            await client.send(data)
        while await client.link.receive(0) is not None:
            pass
        try:
            await probe.is_alive()
        except Violated as error:
            detail = f"after {(batch + 1) * BATCH} mutated datagrams: {error.detail}"
            raise Violated(detail, error.mark) from error
        if client.link.has_ended:  # the rest would not be received
            sent = f"within {(batch + 1) * BATCH} mutated datagrams"
            return seen(f"{sent} the association is closed; others can be made")
    return None


@row(
    "SEC-16",
    "A quota holds also for requests that come at the same time.",
    Feature.TURN,
    alone=True,
)
async def a_quota_holds_in_a_burst(probe: Probe) -> Outcome | None:
    credential = quota_credential(probe, 0)
    filled = await fill(probe, credential=credential)
    if filled.refusal is None:
        raise NotOffered(f"no quota within {len(filled.allocations)} allocations")
    if filled.refusal.error_code != QUOTA_REACHED or not filled.allocations:
        refusal = describe(filled.refusal)
        raise NotOffered(f"{refusal} after {len(filled.allocations)} allocations: no quota")
    quota = len(filled.allocations)
    for allocation in filled.allocations:
        await probe.give_back(allocation)
    answers, allocations = await _burst(probe, quota + EXTRA, credential)
    granted = [each for each in answers if each.message_class is Class.SUCCESS]
    if len(granted) > quota:
        for allocation in allocations:
            await clear_up(allocation.client, allocation.delete())
        # A server may see late that what other rows had is deleted.
        after = len((await fill(probe, credential=credential)).allocations)
        if not quota <= after < len(granted):
            return seen(f"{len(granted)} at once; one after the other {quota}, and {after} later")
        detail = f"{len(granted)} of {len(answers)} Allocate requests at once are granted"
        mark = Mark(granted[-1].data, 0, 2)
        raise Violated(f"{detail}; one after the other it was {quota}", mark)
    if len(granted) < quota:
        return seen(f"{len(granted)} at once, {quota} one after the other")
    return None


@row(
    "SEC-17",
    "The channels of an allocation are bounded: 508 (Insufficient Capacity).",
    Feature.TURN,
    Feature.PEER,
    Feature.CHANNELS,
    alone=True,
)
async def channels_are_bounded(probe: Probe) -> Outcome | None:
    """Permissions cannot be counted like that: the peers are all at one address."""
    allocation = await probe.allocate()
    for count in range(MAX_CHANNELS):
        peer = TransportAddress(probe.peer_ip, FIRST_PORT + count)
        response = await allocation.bind(0x4000 + count, peer)
        if response.message_class is Class.SUCCESS:
            continue
        if count == 0 or response.error_code == 403:
            raise NotOffered(f"ChannelBind to {peer} is met with {describe(response)}")
        to = f"ChannelBind with {count} channels"
        expect_error(response, INSUFFICIENT_CAPACITY, QUOTA_REACHED, to=to)
        await expect_kept(probe, allocation, when="with all channels in use")
        return None
    await probe.is_alive()
    return seen(f"no limit within {MAX_CHANNELS} channels")


async def _seeds(probe: Probe) -> tuple[Client, Sequence[bytes]]:
    """Right messages of all kinds, and the client that may send them."""
    client = await probe.client()
    seeds = [
        client.message(Method.BINDING).build(),
        client.message(Method.BINDING, (Attr.SOFTWARE, b"mutating")).add_fingerprint().build(),
        client.message(Method.ALLOCATE, UDP).build(),
        channel_data(0x4001, b"data of a channel"),
    ]
    if {Feature.TURN, Feature.LONG_TERM} & set(probe.survey.missing) or not probe.target.is_turn:
        return client, seeds
    # Nothing that passes may allocate or delete: an Allocate is refused here, with 437.
    await probe.allocate(client=client)
    peer = xor(Attr.XOR_PEER_ADDRESS, somewhere(probe))
    number = (Attr.CHANNEL_NUMBER, channel_number(0x4001))
    for method, attributes in (
        (Method.ALLOCATE, (UDP, (Attr.LIFETIME, u32(600)))),
        (Method.REFRESH, ((Attr.LIFETIME, u32(600)),)),
        (Method.CREATE_PERMISSION, (peer,)),
        (Method.CHANNEL_BIND, (number, peer)),
    ):
        seeds.append(client.sign(client.message(method, *attributes)).add_fingerprint().build())
    indication = client.begin(Method.SEND, Class.INDICATION, peer, (Attr.DATA, b"data"))
    seeds.append(indication.build())
    return client, seeds


async def _burst(
    probe: Probe, count: int, credential: Credential | None
) -> tuple[Sequence[ReceivedMessage], Sequence[Allocation]]:
    """The answers to so many Allocate requests that are sent before the first is awaited, and
    what they grant."""
    waiting: list[tuple[Client, bytes]] = []
    for _ in range(count):
        client = await probe.client()
        client.credential = credential or client.credential
        await client.learn_challenge()
        waiting.append((client, client.sign(client.message(Method.ALLOCATE, UDP)).build()))
    for client, request in waiting:
        await client.send(request)
    answers, allocations = [], []
    for client, request in waiting:
        answer = await client.answer(request, probe.target.silence) or await client.demand(request)
        relayed = answer.xor_address(Attr.XOR_RELAYED_ADDRESS)
        if answer.message_class is Class.SUCCESS and relayed is not None:
            allocations.append(probe.keep(Allocation(client, answer, relayed)))
        answers.append(answer)
    return answers, allocations
