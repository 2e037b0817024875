"""TURN-CHAN: binding channels (RFC 8656 sections 12, 12.1 and 12.2)."""

from __future__ import annotations

from typing import Final

from conformance.building import channel_number
from conformance.client import xor
from conformance.codes import Attr, Class, Method
from conformance.expect import expect_error, expect_success
from conformance.outcome import NotOffered, Violated
from conformance.probe import Probe
from conformance.relayed import FORBIDDEN, FORBIDDEN6, SINK, SINK6, at_port, expect_relayed
from conformance.relaying import CHANNEL, Pair, bound_pair, pair
from conformance.row import Feature, row

from .needs import need_data

OTHER: Final = 0x4002
FIRST: Final = 0x4000
LAST: Final = 0x4FFF
OUTSIDE: Final = (0x0000, 0x3FFF, 0x5000, 0x7FFE, 0x7FFF, 0xFFFF)


@row(
    "TURN-CHAN-01",
    "The request contains both a CHANNEL-NUMBER and an XOR-PEER-ADDRESS attribute. If any of "
    "these tests fail, the server replies with a 400 (Bad Request) error.",
    Feature.TURN,
    Feature.PEER,
)
async def number_and_peer_are_both_needed(probe: Probe) -> None:
    way = await pair(probe)
    number = (Attr.CHANNEL_NUMBER, channel_number(CHANNEL))
    peer = xor(Attr.XOR_PEER_ADDRESS, way.peer.local)
    for what, attribute in (("XOR-PEER-ADDRESS", number), ("CHANNEL-NUMBER", peer)):
        response = await way.allocation.client.authenticated(Method.CHANNEL_BIND, attribute)
        expect_error(response, 400, to=f"ChannelBind without {what}")
    await way.bind()


@row(
    "TURN-CHAN-02",
    "The channel number is in the range 0x4000 through 0x4FFF (inclusive). If any of these tests "
    "fail, the server replies with a 400 (Bad Request) error.",
    Feature.TURN,
    Feature.PEER,
)
async def channel_numbers_have_a_range(probe: Probe) -> None:
    way = await pair(probe)
    for number in OUTSIDE:
        response = await way.allocation.bind(number, way.peer.local)
        expect_error(response, 400, to=f"ChannelBind of {number:#06x}")
    control = await bound_pair(probe)
    if await control.send_channel(b"between them") is None:
        raise NotOffered("ChannelData does not come to the peer")
    for number, each in ((FIRST, way), (LAST, await way.with_peer())):
        response = await each.allocation.bind(number, each.peer.local)
        expect_success(response, to=f"ChannelBind of {number:#06x}")
        await each.expect_sent_on_channel(b"at an end", number)


@row(
    "TURN-CHAN-03",
    "The channel number is not currently bound to a different transport address (same transport "
    "address is OK). If any of these tests fail, the server replies with a 400 (Bad Request) "
    "error.",
    Feature.TURN,
    Feature.PEER,
)
async def a_number_has_one_peer(probe: Probe) -> None:
    way = await bound_pair(probe)
    other = await way.with_peer()
    response = await way.allocation.bind(CHANNEL, other.peer.local)
    expect_error(response, 400, to="binding the number to another peer")
    await way.expect_sent_on_channel(b"still of the first")
    expect_relayed(await way.back(b"first"), b"first", channel=CHANNEL)


@row(
    "TURN-CHAN-04",
    "The transport address is not currently bound to a different channel number. If any of these "
    "tests fail, the server replies with a 400 (Bad Request) error.",
    Feature.TURN,
    Feature.PEER,
)
async def a_peer_has_one_number(probe: Probe) -> None:
    way = await bound_pair(probe)
    response = await way.allocation.bind(OTHER, way.peer.local)
    expect_error(response, 400, to="binding the peer to another number")
    expect_relayed(await way.back(b"first"), b"first", channel=CHANNEL)


@row(
    "TURN-CHAN-05",
    "Refreshing the binding (by the server receiving a ChannelBind request rebinding the channel "
    "to the same peer) resets the time-to-expiry timer back to 10 minutes.",
    Feature.TURN,
    Feature.PEER,
)
async def a_channel_is_bound_again(probe: Probe) -> None:
    way = await bound_pair(probe)
    response = await way.allocation.bind(CHANNEL, way.peer.local)
    expect_success(response, to="binding the number to the same peer again")
    await way.expect_sent_on_channel(b"again")


@row(
    "TURN-CHAN-06",
    "If the XOR-PEER-ADDRESS attribute contains an address of another address family, the server "
    "MUST generate an error response with the 443 code. The server MAY impose restrictions; if a "
    "value is not allowed, the server rejects the request with a 403 (Forbidden) error.",
    Feature.FAMILIES,
    Feature.TURN,
)
async def peers_that_cannot_be_bound(probe: Probe) -> None:
    allocation = await probe.allocate()
    other = SINK if allocation.relayed.is_ipv6 else SINK6
    response = await allocation.bind(CHANNEL, at_port(other))
    expect_error(response, 443, to=f"ChannelBind to {other.ip}")
    forbidden = FORBIDDEN6 if allocation.relayed.is_ipv6 else FORBIDDEN
    for number, peer in enumerate(forbidden, OTHER):
        response = await allocation.bind(number, at_port(peer))
        if response.message_class is not Class.SUCCESS:
            expect_error(response, 403, to=f"ChannelBind to {peer.ip}")


@row(
    "TURN-CHAN-07",
    "The server also installs or refreshes a permission for the IP address in the "
    "XOR-PEER-ADDRESS attribute.",
    Feature.TURN,
    Feature.PEER,
)
async def a_channel_brings_a_permission(probe: Probe) -> None:
    way = await bound_pair(probe)
    other = await way.with_peer()
    try:
        expect_relayed(await other.back(b"another port"), b"another port", peer=other.peer.local)
        await other.expect_sent(b"to another port")
    except Violated:
        await need_data(probe)  # with CreatePermission, or else it is not for want of a permission
        raise


@row(
    "TURN-CHAN-10",
    "Channel bindings are specific to an allocation so that the use of a channel number or peer "
    "transport address in a channel binding in one allocation has no impact on their use in a "
    "different allocation.",
    Feature.TURN,
    Feature.PEER,
)
async def channels_are_of_one_allocation(probe: Probe) -> None:
    mine, other = await bound_pair(probe), await pair(probe)
    response = await other.allocation.bind(CHANNEL, other.peer.local)
    expect_success(response, to="binding a number that another allocation has bound")
    shared = Pair(probe, other.allocation, mine.peer)
    response = await shared.allocation.bind(OTHER, mine.peer.local)
    expect_success(response, to="binding a peer that another allocation has bound")
    for way, number in ((mine, CHANNEL), (other, CHANNEL), (shared, OTHER)):
        found = await way.send_channel(b"one of two", number)
        if found is None or found[1] != way.allocation.relayed:
            raise Violated(f"of {number:#06x}, bound twice, one does not lead to its peer")
        expect_relayed(await way.back(b"back"), b"back", channel=number)


@row(
    "TURN-CHAN-12",
    "Within the context of an allocation, a channel binding is uniquely identified either by the "
    "channel number or by the peer's transport address: another port is another one.",
    Feature.TURN,
    Feature.PEER,
)
async def each_port_has_a_channel(probe: Probe) -> None:
    way = await bound_pair(probe)
    other = await way.with_peer()
    response = await way.allocation.bind(OTHER, other.peer.local)
    expect_success(response, to="binding another port of the peer")
    for each, number, silent in ((way, CHANNEL, other), (other, OTHER, way)):
        await each.expect_sent_on_channel(b"to one of two", number)
        await silent.silence_at_peer(why="the channel is of another port")
        expect_relayed(await each.back(b"back"), b"back", channel=number)
