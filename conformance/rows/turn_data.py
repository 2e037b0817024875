"""TURN-DATA: what peers send to the relayed transport address (RFC 8656 sections 11.3, 12.7)."""

from __future__ import annotations

from typing import Final

from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.relayed import SHORT, expect_relayed, pattern
from conformance.relaying import CHANNEL, Pair, bound_pair, pair, permitted_pair
from conformance.row import Feature, row

MANY: Final = 20
"""Datagrams that are counted."""

OVERHEAD: Final = 128
"""Bytes of a Data indication beside the data: a header, an IPv6 address, padding, FINGERPRINT
and a short SOFTWARE."""


@row(
    "TURN-DATA-01",
    "The Data indication MUST contain both an XOR-PEER-ADDRESS and a DATA attribute. DATA is set "
    'to the value of the "data octets" field from the datagram, and XOR-PEER-ADDRESS to the '
    "source transport address of the received UDP datagram.",
    Feature.TURN,
    Feature.PEER,
)
async def data_comes_in_indications(probe: Probe) -> Outcome | None:
    way = await permitted_pair(probe)
    other = await way.with_peer()
    for each in (way, other):
        for size in SHORT:
            found = await each.back(pattern(size))
            expect_relayed(found, pattern(size), peer=each.peer.local)
    return await _expect_long(way)


@row(
    "TURN-DATA-02",
    "If a channel is bound, then processing proceeds as described in Section 12.7: the server "
    "sends a ChannelData message. If no channel is bound to the peer, then the server forms and "
    "sends a Data indication.",
    Feature.TURN,
    Feature.PEER,
)
async def a_channel_is_of_one_port(probe: Probe) -> None:
    way = await bound_pair(probe)
    other = await way.with_peer()
    expect_relayed(await way.back(b"bound"), b"bound", channel=CHANNEL)
    expect_relayed(await other.back(b"not bound"), b"not bound", peer=other.peer.local)


@row(
    "TURN-DATA-03",
    'The DATA attribute is set to the value of the "data octets" field from the datagram, which '
    "may have none.",
    Feature.TURN,
    Feature.PEER,
)
async def no_bytes_come_too(probe: Probe) -> None:
    way = await permitted_pair(probe)
    await way.need_both_ways(when="with a permission")
    expect_relayed(await way.back(b""), b"", peer=way.peer.local)


@row(
    "TURN-DATA-04",
    "The Data indication is then sent on the 5-tuple associated with the allocation.",
    Feature.TURN,
    Feature.PEER,
)
async def data_comes_on_the_5_tuple(probe: Probe) -> None:
    way, other = await permitted_pair(probe), await permitted_pair(probe)
    await way.peer.send(b"mine", way.allocation.relayed)
    found = await way.next_relayed(probe.target.patience)
    strangers = way.allocation.client.link.strangers
    if found is None and strangers:
        data, source = strangers[0]
        wanted = probe.target.address
        raise Violated(f"data comes from {source}, not {wanted}", Mark(data, 0, len(data)))
    await other.silence_at_client(why="the data is of another allocation")
    expect_relayed(found or await way.back(b"mine"), b"mine", peer=way.peer.local)


@row(
    "TURN-DATA-05",
    "No amplification: what comes to the client is no more than what peers send, and a header for "
    "each datagram; without a permission it is nothing.",
    Feature.TURN,
    Feature.PEER,
)
async def a_relay_does_not_amplify(probe: Probe) -> None:
    way = await pair(probe)
    sizes = [1 + 60 * each for each in range(MANY)]
    messages, size = await _counted(way, sizes)
    if messages:
        raise Violated(f"without a permission {messages} messages with {size} bytes come")
    await way.permit()
    await way.need_both_ways(when="with a permission")
    messages, size = await _counted(way, sizes)
    if messages > len(sizes):
        raise Violated(f"{messages} messages for {len(sizes)} datagrams")
    if size > sum(sizes) + messages * OVERHEAD:
        raise Violated(f"{size} bytes in {messages} messages for {sum(sizes)} bytes of peers")
    if not messages:
        raise NotOffered(f"of {len(sizes)} datagrams none comes to the client")


async def _expect_long(way: Pair) -> Outcome | None:
    """That long datagrams come whole if they come."""
    lost = []
    for size in way.long_sizes:
        found = await way.back(pattern(size))
        if found is None:
            lost.append(str(size))
        else:
            expect_relayed(found, pattern(size), peer=way.peer.local)
    await way.probe.is_alive()
    return None if not lost else seen(f"never come: datagrams with {', '.join(lost)} bytes")


async def _counted(way: Pair, sizes: list[int]) -> tuple[int, int]:
    """How many messages and bytes the client receives of datagrams with so many bytes."""
    for size in sizes:
        await way.peer.send(pattern(size), way.allocation.relayed)
    messages = size = 0
    while (found := await way.next_relayed(way.probe.target.silence)) is not None:
        messages, size = messages + 1, size + len(found.message)
        if messages > 10 * len(sizes):
            break
    return messages, size
