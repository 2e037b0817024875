"""TURN-SEND: Send indications (RFC 8656 sections 11.1 and 11.2)."""

from __future__ import annotations

import contextlib
import functools
from typing import Final

from conformance.allocation import UDP, delete_granted
from conformance.building import MessageBuilder, xor_address
from conformance.client import Attribute, Value, describe, xor
from conformance.codes import Attr, Class, Method
from conformance.outcome import NotOffered, Outcome, Unanswered, Violated, seen
from conformance.probe import Probe
from conformance.relayed import SHORT, SINK, SINK6, expect_arrival, pattern
from conformance.relaying import Pair, bound_pair, pair, permitted_pair
from conformance.row import Feature, row
from transport import TransportAddress

UNKNOWN: Final = 0x7FFF
"""A comprehension-required attribute that nobody has assigned."""


@row(
    "TURN-SEND-01",
    "The Send indication MUST contain both an XOR-PEER-ADDRESS attribute and a DATA attribute. If "
    "one of these attributes is missing or invalid, then the message is discarded.",
    Feature.TURN,
    Feature.PEER,
)
async def peer_and_data_are_both_needed(probe: Probe) -> None:
    way = await permitted_pair(probe)
    peer = way.peer.local
    data: Attribute = (Attr.DATA, b"incomplete")
    family_3: Value = functools.partial(xor_address, peer, family=3)
    for what, attributes in (
        ("a Send indication without DATA", [xor(Attr.XOR_PEER_ADDRESS, peer)]),
        ("a Send indication without XOR-PEER-ADDRESS", [data]),
        ("a Send indication to family 3", [(Attr.XOR_PEER_ADDRESS, family_3), data]),
        ("a Send indication to 4 bytes", [(Attr.XOR_PEER_ADDRESS, b"\0\1\0\0"), data]),
    ):
        await way.expect_drop(_indication(way, *attributes).build(), why=what)
    await _need_send(way)


@row(
    "TURN-SEND-02",
    "Note that the DATA attribute is allowed to contain zero bytes of data.",
    Feature.TURN,
    Feature.PEER,
)
async def no_bytes_are_sent_too(probe: Probe) -> None:
    way = await permitted_pair(probe)
    await _need_send(way)
    await way.expect_sent(b"")


@row(
    "TURN-SEND-03",
    "The server also checks that there is a permission installed for the IP address contained in "
    "the XOR-PEER-ADDRESS attribute. If no such permission exists, the message is discarded.",
    Feature.TURN,
    Feature.PEER,
)
async def without_permission_nothing_is_sent(probe: Probe) -> None:
    way = await pair(probe)
    indication = way.allocation.indication(way.peer.local, b"unpermitted").build()
    await way.expect_drop(indication, why="a Send indication without a permission")
    with contextlib.suppress(Unanswered):
        await way.allocation.permit(SINK6 if way.peer.local.is_ipv6 else SINK)
    indication = way.allocation.indication(way.peer.local, b"unpermitted").build()
    await way.expect_drop(indication, why="a Send indication with another's permission")
    await way.permit()
    await _need_send(way)


@row(
    "TURN-SEND-04",
    "The source transport address is the relayed transport address of the allocation; the "
    "destination transport address is taken from the XOR-PEER-ADDRESS attribute.",
    Feature.TURN,
    Feature.PEER,
)
async def data_goes_from_the_relayed_address_to_the_peer(probe: Probe) -> None:
    way = await permitted_pair(probe)
    other = await way.with_peer()
    for each, silent in ((way, other), (other, way)):
        found = await each.send(b"to one of two")
        await silent.silence_at_peer(why="the data is for another port")
        expect_arrival(found, b"to one of two", of="a Send indication")
        expect_source(found, way.allocation.relayed)


@row(
    "TURN-SEND-05",
    "The data following the UDP header is the contents of the value field of the DATA attribute.",
    Feature.TURN,
    Feature.PEER,
)
async def data_comes_out_as_it_went_in(probe: Probe) -> Outcome | None:
    way = await permitted_pair(probe)
    for size in SHORT:
        await way.expect_sent(pattern(size))
    lost = []
    for size in way.long_sizes:
        found = await way.send(pattern(size))
        if found is None:
            lost.append(size)
        else:
            expect_arrival(found, pattern(size), of="a Send indication")
    await probe.is_alive()
    return None if not lost else seen(_of_lost(lost))


@row(
    "TURN-SEND-06",
    "If the server is unable to set the DF bit on outgoing UDP datagrams when the DONT-FRAGMENT "
    "attribute is present, then the server acts as if it is an unknown comprehension-required "
    "attribute (and thus the Send indication is discarded).",
    Feature.TURN,
    Feature.PEER,
)
async def dont_fragment_is_obeyed_or_unknown(probe: Probe) -> Outcome | None:
    way = await permitted_pair(probe)
    await _need_send(way)
    client = await probe.client()
    offer = await client.authenticated(Method.ALLOCATE, UDP, (Attr.DONT_FRAGMENT, b""))
    await delete_granted(client, offer)
    if offer.message_class is not Class.SUCCESS and offer.error_code != 420:
        raise NotOffered(f"Allocate with DONT-FRAGMENT is met with {describe(offer)}")
    whole: Attribute = (Attr.DONT_FRAGMENT, b"")
    if offer.error_code == 420:
        indication = way.allocation.indication(way.peer.local, b"whole", whole).build()
        await way.expect_drop(indication, why="DONT-FRAGMENT is unknown in Allocate")
        await _need_send(way)
        return None
    if await way.carry(way.allocation.indication(way.peer.local, b"whole", whole).build()) is None:
        raise Violated("Allocate knows DONT-FRAGMENT, and a Send indication with it is dropped")
    return seen("it is relayed; the DF bit cannot be seen at a socket")


@row(
    "TURN-SEND-08",
    "If an indication contains one or more unknown comprehension-required attributes, the "
    "indication is discarded (RFC 8489 section 6.3.2).",
    Feature.TURN,
    Feature.PEER,
)
async def unknown_attributes_discard_an_indication(probe: Probe) -> None:
    way = await permitted_pair(probe)
    indication = way.allocation.indication(way.peer.local, b"unknown", (UNKNOWN, b"")).build()
    await way.expect_drop(indication, why=f"a Send indication with 0x{UNKNOWN:04X}")
    await _need_send(way)


@row(
    "TURN-SEND-09",
    "A client may use a Send indication even if a channel is bound to that peer.",
    Feature.TURN,
    Feature.PEER,
)
async def indications_go_beside_channels(probe: Probe) -> None:
    way = await bound_pair(probe)
    if await way.send_channel(b"channel") is None:
        raise NotOffered("ChannelData does not come to the peer")
    await way.expect_sent(b"indication")


def expect_source(found: tuple[bytes, TransportAddress] | None, relayed: TransportAddress) -> None:
    """Raises:
    Violated: a datagram came to the peer from elsewhere.
    """
    if found is not None and found[1] != relayed:
        raise Violated(f"the peer receives it from {found[1]}, not {relayed}")


def _indication(way: Pair, *attributes: Attribute) -> MessageBuilder:
    return way.allocation.client.begin(Method.SEND, Class.INDICATION, *attributes)


async def _need_send(way: Pair) -> None:
    """That a Send indication that is right does pass."""
    if await way.send(b"right") is None:
        raise NotOffered("a Send indication that is right does not come to the peer")


def _of_lost(sizes: list[int]) -> str:
    return "never come out: datagrams with " + ", ".join(map(str, sizes)) + " bytes"
