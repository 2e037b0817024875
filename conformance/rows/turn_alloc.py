"""TURN-ALLOC: what an Allocate request says, and its answer (RFC 8656 section 7.2)."""

from __future__ import annotations

from conformance.allocation import UDP, delete_granted
from conformance.building import channel_data, one_byte, u32
from conformance.checks import mark_attribute
from conformance.client import Attribute, describe
from conformance.codes import Attr, Class, Method
from conformance.expect import (
    expect_attribute,
    expect_error,
    expect_value,
)
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.relaying import Pair, pair
from conformance.row import Feature, row
from conformance.target import Credential

from .needs import expect_granted, expect_kept, expect_refusal, expect_turn, is_offered

CHANNEL = 0x4002
DEFAULT_LIFETIME = 600
RECOMMENDED_MAX_LIFETIME = 3600
ROUNDING = 1
"""Seconds: what is left of a lifetime when the answer is made may be a fraction less."""

MALFORMED_TRANSPORTS = (b"", b"\x11", bytes([17, 0, 0, 0, 0, 0, 0, 0]))
UNSUPPORTED_PROTOCOLS = (132, 1, 255, 0)
TCP = 6


@row(
    "TURN-ALLOC-01",
    "The TURN server MAY allow an unauthenticated request in order to accept Allocation requests "
    "from new and/or guest users. Otherwise, the server MUST require that the request be "
    "authenticated.",
)
async def an_allocate_has_to_be_authenticated(probe: Probe) -> Outcome | None:
    expect_turn(probe)
    client = await probe.client()
    response = await client.request(Method.ALLOCATE, UDP)
    if response.message_class is Class.SUCCESS:
        return seen("an open server: it asks for no credentials")
    expect_error(response, 401, to="Allocate without credentials")
    return None


@row(
    "TURN-ALLOC-02",
    "The server checks if the 5-tuple is currently in use by an existing allocation. If yes, the "
    "server rejects the request with a 437 (Allocation Mismatch) error.",
    Feature.TURN,
)
async def a_5_tuple_in_use_is_refused(probe: Probe) -> None:
    allocation = await probe.allocate()
    response = await allocation.client.authenticated(Method.ALLOCATE, UDP)
    expect_error(response, 437, to="a second Allocate on one 5-tuple")
    await expect_kept(probe, allocation, when="of the first allocation")
    await _expect_free_after_a_refusal(probe)


async def _expect_free_after_a_refusal(probe: Probe) -> None:
    """Who has been refused for another user's name has no allocation."""
    client = await probe.client()
    nobody = Credential(f"nobody-{probe.wire.random_bytes(4).hex()}", "password")
    refusal = await client.authenticated(Method.ALLOCATE, UDP, credential=nobody)
    if refusal.error_code != 401:
        return
    response, _ = await probe.try_to_allocate(UDP, client=client)
    if response.error_code == 437:
        mark = mark_attribute(response, Attr.ERROR_CODE)
        raise Violated(
            "this 5-tuple has no allocation: its one request, of an unknown user, was refused with "
            "a 401. So success was due, and Allocate is met with 437",
            mark,
        )


@row(
    "TURN-ALLOC-03",
    "If the REQUESTED-TRANSPORT attribute is not included or is malformed, the server rejects "
    "the request with a 400 (Bad Request) error.",
    Feature.TURN,
)
async def a_bad_requested_transport_is_refused(probe: Probe) -> None:
    response, _ = await probe.try_to_allocate()
    await expect_refusal(probe, response, 400, to="Allocate without REQUESTED-TRANSPORT")
    for value in MALFORMED_TRANSPORTS:
        response, _ = await probe.try_to_allocate((Attr.REQUESTED_TRANSPORT, value))
        name = f"a REQUESTED-TRANSPORT of {len(value)} bytes"
        await expect_refusal(probe, response, 400, to=name)


@row(
    "TURN-ALLOC-04",
    "If the attribute is included but specifies a protocol that is not supported by the server, "
    "the server rejects the request with a 442 (Unsupported Transport Protocol) error.",
    Feature.TURN,
)
async def protocols_that_are_not_supported_are_refused(probe: Probe) -> None:
    for protocol in UNSUPPORTED_PROTOCOLS:
        transport = (Attr.REQUESTED_TRANSPORT, one_byte(protocol))
        response, _ = await probe.try_to_allocate(transport)
        await expect_refusal(probe, response, 442, to=f"the protocol {protocol}")
    if Feature.TCP_RELAY in probe.survey.missing or not probe.target.transport.is_reliable:
        # Over UDP 400 is the answer of a server with TCP allocations (RFC 6062 section 5.1).
        response, _ = await probe.try_to_allocate((Attr.REQUESTED_TRANSPORT, one_byte(TCP)))
        await expect_refusal(probe, response, 442, 400, to="the protocol 6 (TCP)")


@row(
    "TURN-ALLOC-05",
    "If the server does not support sending UDP datagrams with the DF bit set to 1, then it "
    "treats the DONT-FRAGMENT attribute in the Allocate request as an unknown "
    "comprehension-required attribute.",
    Feature.TURN,
)
async def dont_fragment_is_supported_or_unknown(probe: Probe) -> Outcome | None:
    response, allocation = await probe.try_to_allocate(UDP, (Attr.DONT_FRAGMENT, b""))
    if allocation is None:
        await expect_refusal(probe, response, 420, to="Allocate with DONT-FRAGMENT")
        listed = expect_attribute(response, Attr.UNKNOWN_ATTRIBUTES)
        wanted = Attr.DONT_FRAGMENT.to_bytes(2, "big")
        if wanted not in [listed[at : at + 2] for at in range(0, len(listed), 2)]:
            mark = mark_attribute(response, Attr.UNKNOWN_ATTRIBUTES)
            raise Violated("UNKNOWN-ATTRIBUTES does not list DONT-FRAGMENT", mark)
        return None
    if Feature.PEER in probe.survey.missing:
        return None
    way, seems = Pair(probe, allocation, await probe.peer()), "Allocate with it is met with success"
    try:
        await way.permit()
    except NotOffered as error:
        await probe.is_alive()
        return seen(f"{seems}; {error.detail}")
    if await way.send(b"without DF") is None:
        await probe.is_alive()
        return seen(f"{seems}; no peer can be reached")
    whole = way.allocation.indication(way.peer.local, b"with DF", (Attr.DONT_FRAGMENT, b""))
    if await way.carry(whole.build()) is None:
        raise Violated("DONT-FRAGMENT is supported by Allocate, and not by Send")
    return None


@row(
    "TURN-ALLOC-23",
    "If the request contains a LIFETIME attribute, then the server computes the minimum of the "
    "client's proposed lifetime and the server's maximum allowed lifetime. If this is greater "
    "than the default lifetime, then the server uses it; otherwise, the default lifetime.",
    Feature.TURN,
)
async def the_lifetime_is_between_default_and_maximum(probe: Probe) -> Outcome | None:
    default = await _lifetime(probe, None)
    for wish in (10, 0):
        await _expect_lifetime(probe, wish, default)
    longest = await _lifetime(probe, 0xFFFFFFFF)
    await _expect_no_longer(probe, longest)
    await _expect_lifetime(probe, 1800, max(default, min(1800, longest)))
    if longest < default - ROUNDING:
        raise Violated(f"a long LIFETIME brings {longest} s, and none {default} s")
    told = []
    if abs(default - DEFAULT_LIFETIME) > ROUNDING:
        told.append(f"the default lifetime is {default} s, not {DEFAULT_LIFETIME}")
    if longest > RECOMMENDED_MAX_LIFETIME:
        told.append(f"the greatest LIFETIME is {longest} s; no more than 3600 is RECOMMENDED")
    return seen("; ".join(told)) if told else None


async def _expect_no_longer(probe: Probe, longest: int) -> None:
    """Refresh has the same maximum, and computes in the same way (section 8.1)."""
    if not is_offered(probe, Method.REFRESH):
        return
    allocation = await probe.allocate()
    response = await allocation.refresh((Attr.LIFETIME, u32(0xFFFFFFFF)))
    refreshed = response.number(Attr.LIFETIME) or 0
    if response.message_class is Class.SUCCESS and refreshed > longest + ROUNDING:
        detail = f"Allocate grants at most {longest} s, and Refresh {refreshed} s"
        raise Violated(detail, mark_attribute(response, Attr.LIFETIME))


async def _expect_lifetime(probe: Probe, wish: int, wanted: int) -> None:
    """That this is what LIFETIME is granted to a wish."""
    response = await _granted(probe, wish)
    granted = response.number(Attr.LIFETIME) or 0
    if abs(granted - wanted) > ROUNDING:
        mark = mark_attribute(response, Attr.LIFETIME)
        detail = f"Allocate with LIFETIME {wish} is granted {granted} s, not {wanted} s"
        raise Violated(detail, mark)


async def _lifetime(probe: Probe, wish: int | None) -> int:
    """What LIFETIME is granted to a wish: not 0."""
    response = await _granted(probe, wish)
    granted = response.number(Attr.LIFETIME) or 0
    if not granted:
        mark = mark_attribute(response, Attr.LIFETIME)
        raise Violated(f"Allocate {_told(wish)} is granted 0 s", mark)
    return granted


async def _granted(probe: Probe, wish: int | None) -> ReceivedMessage:
    """The success of an Allocate with that LIFETIME, which has one; it is given back."""
    asked: tuple[Attribute, ...] = () if wish is None else ((Attr.LIFETIME, u32(wish)),)
    response, allocation = await probe.try_to_allocate(UDP, *asked)
    expect_granted(response, to=f"Allocate {_told(wish)}")
    expect_attribute(response, Attr.LIFETIME)
    if allocation is not None:
        await probe.give_back(allocation)
    return response


def _told(wish: int | None) -> str:
    return "without LIFETIME" if wish is None else f"with LIFETIME {wish}"


@row(
    "TURN-ALLOC-24",
    "The success response contains an XOR-RELAYED-ADDRESS attribute containing the relayed "
    "transport address, a LIFETIME attribute, and an XOR-MAPPED-ADDRESS attribute containing the "
    "client's IP address and port (from the 5-tuple).",
    Feature.TURN,
)
async def a_success_says_all_that_it_must(probe: Probe) -> None:
    client = await probe.client()
    binding = await client.request(Method.BINDING)
    mapped = binding.xor_address(Attr.XOR_MAPPED_ADDRESS) or client.local
    response = await client.authenticated(Method.ALLOCATE, UDP)
    await delete_granted(client, response)
    if response.message_class is not Class.SUCCESS:
        raise NotOffered(f"Allocate is met with {describe(response)}")
    expect_attribute(response, Attr.XOR_RELAYED_ADDRESS)
    expect_attribute(response, Attr.LIFETIME)
    expect_attribute(response, Attr.XOR_MAPPED_ADDRESS)
    found = response.xor_address(Attr.XOR_MAPPED_ADDRESS)
    expect_value(response, Attr.XOR_MAPPED_ADDRESS, mapped, found)
    relayed = response.xor_address(Attr.XOR_RELAYED_ADDRESS)
    if relayed is not None and (relayed.port == 0 or relayed.ip.is_unspecified):
        mark = mark_attribute(response, Attr.XOR_RELAYED_ADDRESS)
        raise Violated(f"{relayed} is no relayed transport address", mark)
    key = client.key()
    if not response.has_integrity(key) and not response.has_integrity_sha256(key):
        raise Violated("it is not signed with the client's key", Mark(response.data, 0, 20))


@row(
    "TURN-ALLOC-26",
    "The response (either success or error) is sent back to the client on the 5-tuple.",
    Feature.TURN,
)
async def the_answer_comes_on_the_5_tuple(probe: Probe) -> None:
    client = await probe.client()
    answer = await client.ask(client.message(Method.ALLOCATE, UDP).build())
    if answer is not None:
        response = await client.authenticated(Method.ALLOCATE, UDP)
        await delete_granted(client, response)
    if client.link.strangers:
        data, source = client.link.strangers[0]
        raise Violated(f"an answer comes from {source}", Mark(data, 0, len(data)))
    if answer is None:
        raise Violated("no answer to Allocate")


@row(
    "TURN-ALLOC-27",
    "The server creates the allocation; the list of permissions and the list of channels are "
    "initially empty.",
    Feature.TURN,
    Feature.PEER,
)
async def an_allocation_begins_without_permissions_and_channels(probe: Probe) -> None:
    way = await pair(probe)
    allocation, peer, client = way.allocation, way.peer, way.allocation.client
    await peer.send(b"without a permission", allocation.relayed)
    await way.silence_at_client(why="a peer without a permission")
    await way.permit()
    if not await way.passes():
        raise NotOffered("nothing comes from a peer with a permission either")
    data = channel_data(CHANNEL, b"unbound!")
    await client.expect_silence(data, why="ChannelData without a binding")
    await probe.hears_nothing(peer, why="ChannelData without a binding")
    await way.bind(CHANNEL)
    await client.send(data)
    if await peer.receive(probe.target.patience) is None:
        raise NotOffered("ChannelData with a binding does not come to the peer either")
