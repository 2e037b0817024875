"""TURN-GEN: the methods of TURN, and their classes (RFC 8656 section 17)."""

from __future__ import annotations

from conformance.building import u32
from conformance.client import Attribute, Value, xor
from conformance.codes import Attr, Class, Method, method_name
from conformance.expect import expect_success
from conformance.outcome import Mark, NotOffered, Violated
from conformance.probe import Probe
from conformance.relaying import CHANNEL, Pair, pair
from conformance.row import Feature, row
from transport import TransportAddress

from .needs import expect_kept, is_offered, permitted, requests_to

_DELETE: Attribute = (Attr.LIFETIME, u32(0))
_DATA_INDICATION = b"\x00\x17"


@row(
    "TURN-GEN-10",
    "Allocate, Refresh, CreatePermission, ChannelBind: only request/response semantics defined. "
    "Send, Data: only indication semantics defined.",
    Feature.TURN,
    Feature.PEER,
)
async def methods_have_their_classes_alone(probe: Probe) -> None:
    peer = await probe.peer()
    allocation = await permitted(probe, peer.local)
    client = allocation.client
    await allocation.send(peer.local, b"control")
    if await peer.receive(probe.target.patience) is None:
        raise NotOffered("a Send indication does not reach the peer")
    payload = _payload(peer.local, b"of a wrong class")
    request = client.sign(client.message(Method.SEND, *payload)).build()
    await client.send(request)
    answer = await client.answer(request, probe.target.silence)
    if answer is not None and answer.message_class is Class.SUCCESS:
        raise Violated("a Send request is met with success", Mark(answer.data, 0, 2))
    await probe.hears_nothing(peer, why="a Send request")
    data = client.begin(Method.DATA, Class.INDICATION, *payload).build()
    await client.expect_silence(data, why="a Data indication from a client")
    await probe.hears_nothing(peer, why="a Data indication from a client")
    if is_offered(probe, Method.REFRESH):
        deletion = client.sign(client.begin(Method.REFRESH, Class.INDICATION, _DELETE)).build()
        await client.expect_silence(deletion, why="a Refresh indication")
        await expect_kept(probe, allocation, when="after an indication that deletes")
    await _expect_no_indication_permits(await pair(probe))


@row(
    "TURN-GEN-11",
    "0x003 Allocate, 0x004 Refresh, 0x006 Send, 0x007 Data, 0x008 CreatePermission, 0x009 "
    "ChannelBind",
    Feature.TURN,
    Feature.PEER,
)
async def the_methods_have_their_numbers(probe: Probe) -> None:
    way = await pair(probe)
    for method, attributes in {**requests_to(way.peer.local), Method.REFRESH: ()}.items():
        if method is not Method.CHANNEL_BIND:
            response = await way.allocation.client.authenticated(method, *attributes)
            expect_success(response, to=f"method 0x{method:03X}, {method_name(method)}")
    await way.expect_sent(b"by Send")
    relayed = await way.back(b"by Data")
    if relayed is None:
        raise Violated("no Data indication comes from a peer that has a permission")
    if relayed.message[:2] != _DATA_INDICATION:
        raise Violated("what comes from a peer is no Data indication", relayed.mark)
    response = await way.allocation.bind(CHANNEL, way.peer.local)
    expect_success(response, to="method 0x009, ChannelBind")


async def _expect_no_indication_permits(way: Pair) -> None:
    """Nor CreatePermission and ChannelBind without an answer."""
    client = way.allocation.client
    requests = requests_to(way.peer.local)
    for method in (Method.CREATE_PERMISSION, Method.CHANNEL_BIND):
        indication = client.begin(method, Class.INDICATION, *requests[method])
        why = f"a {method_name(method)} indication"
        await client.expect_silence(client.sign(indication).build(), why=why)
        await way.peer.send(b"unpermitted", way.allocation.relayed)
        await way.silence_at_client(why=f"there was {why} alone")
    await way.permit()
    await way.need_both_ways(when="with a permission")


def _payload(peer: TransportAddress, data: bytes) -> tuple[tuple[int, Value], ...]:
    return xor(Attr.XOR_PEER_ADDRESS, peer), (Attr.DATA, data)
