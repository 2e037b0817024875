"""TURN-CDATA: ChannelData messages (RFC 8656 sections 12.4 to 12.7)."""

from __future__ import annotations

import contextlib
from typing import Final

from conformance.building import channel_data
from conformance.client import Client
from conformance.codes import Method
from conformance.outcome import Mark, NotOffered, Outcome, Unanswered, Violated, seen
from conformance.probe import Probe
from conformance.relayed import SHORT, expect_arrival, expect_relayed, pattern
from conformance.relaying import CHANNEL, TRIES, Pair, bound_pair
from conformance.row import Feature, row

from .turn_send import expect_source

UNBOUND: Final = 0x4ABC
RESERVED: Final = (0x5001, 0x5FFF, 0x6001, 0x7001, 0x7FFF, 0x8001, 0xBFFF, 0xC001, 0xFFFF)
"""Channel numbers out of the range; some are that of the bound channel but for a bit or two."""

BOUND_IF_EVER: Final = (0x5001, 0x7FF0)
"""Out of the range, but in that of RFC 5766."""

WHOLE: Final = 0xFFFF
"""The longest ChannelData: with its header more than 16 bits can count."""


@row(
    "TURN-CDATA-01",
    "The server relays the application data to the peer: the source transport address is the "
    "relayed transport address of the allocation, the destination the transport address to which "
    "the channel is bound, the data the contents of the data field of the ChannelData message.",
    Feature.TURN,
    Feature.PEER,
)
async def channel_data_comes_out_at_the_peer(probe: Probe) -> Outcome | None:
    way = await bound_pair(probe)
    for size in SHORT:
        found = await way.send_channel(pattern(size))
        expect_arrival(found, pattern(size), of="ChannelData")
        expect_source(found, way.allocation.relayed)
    lost = []
    for size in way.long_sizes:
        found = await way.send_channel(pattern(size))
        if found is None:
            lost.append(str(size))
        else:
            expect_arrival(found, pattern(size), of="ChannelData")
    await probe.is_alive()
    return seen(f"never come out: datagrams with {', '.join(lost)} bytes") if lost else None


@row(
    "TURN-CDATA-02",
    "If the Length field in the ChannelData message is 0, then there will be no data in the UDP "
    "datagram, but the UDP datagram is still formed and sent.",
    Feature.TURN,
    Feature.PEER,
)
async def empty_channel_data_is_sent_too(probe: Probe) -> None:
    way = await bound_pair(probe)
    await _need_channel(way)
    await way.expect_sent_on_channel(b"")


@row(
    "TURN-CDATA-03",
    "If the UDP datagram is too short to contain the claimed length of the ChannelData message, "
    "then the message is silently discarded.",
    Feature.TURN,
    Feature.PEER,
)
async def channel_data_that_is_cut_is_dropped(probe: Probe) -> None:
    probe.needs_datagrams()
    way = await bound_pair(probe)
    for length, data in ((100, pattern(10)), (11, pattern(10)), (1, b""), (WHOLE, pattern(10))):
        cut = channel_data(CHANNEL, data, length=length)
        why = f"ChannelData with Length {length} and {len(data)} bytes"
        await _expect_drop(way, cut, why=why)
    await _expect_drop(way, channel_data(CHANNEL, b"")[:3], why="3 bytes of ChannelData")
    await _need_channel(way)


@row(
    "TURN-CDATA-04",
    "The padding is not reflected in the length field of the ChannelData message. Over UDP, the "
    "padding is not required but MAY be included.",
    Feature.TURN,
    Feature.PEER,
)
async def padding_is_allowed_and_not_relayed(probe: Probe) -> None:
    probe.needs_udp()
    way = await bound_pair(probe)
    await _need_channel(way)
    for size in (5, 6, 7):
        padded = channel_data(CHANNEL, pattern(size)) + bytes(-size % 4)
        found = await way.carry(padded)
        expect_arrival(found, pattern(size), of="padded ChannelData")


@row(
    "TURN-CDATA-05",
    "If the ChannelData message is received on a channel that is not bound to any peer, then the "
    "message is silently discarded.",
    Feature.TURN,
    Feature.PEER,
)
async def an_unbound_channel_leads_nowhere(probe: Probe) -> None:
    way = await bound_pair(probe)
    await _expect_drop(way, channel_data(UNBOUND, b"lost"), why=f"unbound {UNBOUND:#06x}")
    await _need_channel(way)


@row(
    "TURN-CDATA-06",
    "If the message uses a value in the reserved range (0x5000 through 0xFFFF), then the message "
    "is silently discarded.",
    Feature.TURN,
    Feature.PEER,
)
async def reserved_numbers_lead_nowhere(probe: Probe) -> None:
    probe.needs_datagrams()
    way = await bound_pair(probe)
    for number in RESERVED:
        await way.allocation.client.send(channel_data(number, b"reserved"))
    await _expect_drop(way, channel_data(RESERVED[0], b"reserved"), why="a reserved number")
    # Who binds such a number (TURN-CHAN-02 asks) has to drop what comes with it all the same.
    other = await way.with_peer()
    for number in BOUND_IF_EVER:
        with contextlib.suppress(Unanswered):
            await other.allocation.bind(number, other.peer.local)
        why = f"ChannelData with the reserved number {number:#06x}"
        await _expect_drop(other, channel_data(number, b"reserved"), why=why)
    await _need_channel(way)


@row(
    "TURN-CDATA-07",
    "The server MUST use the ChannelData message if a channel has been bound to the peer.",
    Feature.TURN,
    Feature.PEER,
)
async def the_server_uses_the_channel(probe: Probe) -> None:
    way = await bound_pair(probe)
    for size in (0, *SHORT):
        expect_relayed(await way.back(pattern(size)), pattern(size), channel=CHANNEL)
    await way.permit()
    expect_relayed(await way.back(b"permitted"), b"permitted", channel=CHANNEL)


@row(
    "TURN-CDATA-08",
    "Over TCP and TLS-over-TCP, the ChannelData message MUST be padded to a multiple of four "
    "bytes in order to ensure the alignment of subsequent messages. The padding is not reflected "
    "in the length field of the ChannelData message.",
    Feature.TURN,
    Feature.PEER,
    Feature.STREAM,
)
async def channel_data_is_padded_in_streams(probe: Probe) -> None:
    way = await _stream_pair(probe)
    for size in (*SHORT, 0):
        expect_relayed(await way.back(pattern(size)), pattern(size), channel=CHANNEL)
        await way.expect_sent_on_channel(pattern(size))
    await _expect_both(way)
    client = way.allocation.client
    if await client.ask(client.message(Method.BINDING).build()) is None:
        raise Violated("after padded ChannelData a Binding request is not answered")


@row(
    "TURN-CDATA-09",
    "A Length of 0xFFFF in a stream neither makes the server lose the boundaries of messages, nor "
    "buffer without bound.",
    Feature.TURN,
    Feature.PEER,
    Feature.STREAM,
)
async def the_longest_channel_data_is_one_message(probe: Probe) -> Outcome | None:
    way = await _stream_pair(probe)
    client = way.allocation.client
    # A server that counts with 16 bits takes the data for messages of their own.
    inner = client.message(Method.BINDING).build()
    data = (inner * (WHOLE // len(inner) + 1))[:WHOLE]
    message = channel_data(CHANNEL, data) + b"\x00"
    half = len(message) // 2
    await client.send(message[:half])
    await _expect_no_answer(client, inner, probe.target.silence)
    await client.send(message[half:])
    await _expect_no_answer(client, inner, probe.target.silence)
    if client.link.has_ended:
        await probe.is_alive()
        return seen("the server closes the connection")
    answer = await client.ask(client.message(Method.BINDING).build())
    if answer is None and not client.link.has_ended:
        raise Violated("behind 65535 bytes of ChannelData a Binding request is not answered")
    await probe.is_alive()
    return seen("the server closes the connection") if answer is None else None


async def _expect_both(way: Pair) -> None:
    """That two in a segment come out at the peer; on the way there UDP may lose some."""
    sizes, patience = (5, 6), way.probe.target.patience
    segment = b"".join(channel_data(CHANNEL, pattern(each)) + bytes(-each % 4) for each in sizes)
    both = [pattern(each) for each in sizes]
    missing = list(both)
    for _ in range(TRIES):
        await way.allocation.client.send(segment)
        while missing and (found := await way.peer.receive(patience / TRIES)) is not None:
            if found[0] in missing:
                missing.remove(found[0])
            elif found[0] not in both:
                expect_arrival(found, missing[0], of="one of two in a segment")
        if not missing:
            return
    expect_arrival(None, missing[0], of="one of two in a segment")


async def _stream_pair(probe: Probe) -> Pair:
    client = await probe.client(transport=probe.target.stream)
    way = Pair(probe, await probe.allocate(client=client), await probe.peer())
    await way.bind()
    return way


async def _expect_drop(way: Pair, message: bytes, *, why: str) -> None:
    """That ChannelData leads nowhere, and is not answered."""
    if way.allocation.client.link.is_stream:
        message += bytes(-len(message) % 4)
    await way.expect_drop(message, why=why)


async def _expect_no_answer(client: Client, request: bytes, seconds: float) -> None:
    """To what stood in data."""
    answer = await client.answer(request, seconds)
    if answer is not None:
        detail = "a message is found in the data of ChannelData with Length 0xFFFF"
        raise Violated(detail, Mark(answer.data, 0, 20))


async def _need_channel(way: Pair) -> None:
    """That ChannelData that is right does pass."""
    if await way.send_channel(b"right") is None:
        raise NotOffered("ChannelData that is right does not come to the peer")
