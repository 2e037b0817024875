"""TURN-GEN: what holds for all TURN messages (RFC 8656 section 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.allocation import UDP, Allocation
from conformance.building import channel_data, u32
from conformance.client import Attribute, Client, Value, describe, xor
from conformance.codes import Attr, Class, Method, method_name
from conformance.expect import (
    expect_error,
    expect_success,
    expect_text,
    expect_value,
    need_success,
)
from conformance.identity import Challenge
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.row import Feature, row
from transport import TransportAddress

from .needs import (
    expect_granted,
    expect_ipv4,
    expect_kept,
    expect_turn,
    is_offered,
    offered,
    permitted,
    requests_to,
    somewhere,
)
from .turn_alloc_quota import fill, quota_credential

CHANNEL = 0x4001


@row(
    "TURN-GEN-01",
    "A TURN server MUST support the use of UDP transport between the client and the server, and "
    "it SHOULD support the use of TCP, TLS-over-TCP, and DTLS-over-UDP transports.",
    Feature.LONG_TERM,
)
async def allocations_over_udp_and_tcp(probe: Probe) -> Outcome | None:
    probe.needs_udp()
    response, _ = await probe.try_to_allocate(UDP)
    expect_ipv4(response)
    expect_granted(response, to="Allocate over UDP")
    if Feature.STREAM in probe.survey.missing:
        return seen(f"UDP alone at this address; {probe.survey.missing[Feature.STREAM]}")
    client = await probe.client(transport=probe.target.stream)
    response, _ = await probe.try_to_allocate(UDP, client=client)
    expect_granted(response, to="Allocate over TCP")
    return None


@row(
    "TURN-GEN-02",
    "TURN servers and clients MUST implement the long-term credential mechanism.",
)
async def long_term_credentials_open_the_door(probe: Probe) -> Outcome | None:
    expect_turn(probe)
    client = await probe.client()
    response = await client.request(Method.ALLOCATE, UDP)
    if response.message_class is Class.SUCCESS:
        return seen("an open server: it asks for no credentials")
    expect_error(response, 401, to="Allocate without credentials")
    client.challenge = Challenge.of(response)
    if client.challenge is None:
        raise Violated("401 without REALM and NONCE", Mark(response.data, 0, 20))
    response, _ = await probe.try_to_allocate(UDP, client=client)
    if response.error_code == 401:
        raise NotOffered("the credential that was given is refused")
    expect_ipv4(response)
    expect_granted(response, to="Allocate with a credential")
    return None


@row(
    "TURN-GEN-03",
    "For all TURN messages EXCEPT an Allocate request, if the 5-tuple does not identify an "
    "existing allocation, then the message MUST be rejected with a 437 Allocation Mismatch error "
    "(if it is a request).",
    Feature.TURN,
)
async def requests_without_an_allocation_are_rejected(probe: Probe) -> None:
    client = await probe.client()
    for method, attributes in offered(probe, _requests(somewhere(probe))).items():
        response = await client.authenticated(method, *attributes)
        expect_error(response, 437, to=f"{method_name(method)} without an allocation")
    if Feature.TCP_RELAY in probe.survey.missing or Feature.STREAM in probe.survey.missing:
        return
    client = await probe.client(transport=probe.target.stream)
    response = await client.authenticated(
        Method.CONNECT, xor(Attr.XOR_PEER_ADDRESS, somewhere(probe))
    )
    expect_error(response, 437, to="Connect without an allocation")


@row(
    "TURN-GEN-04",
    "If the 5-tuple does not identify an existing allocation, then the message MUST be silently "
    "ignored (if it is an indication or a ChannelData message).",
    Feature.TURN,
    Feature.PEER,
)
async def data_without_an_allocation_is_ignored(probe: Probe) -> None:
    peer, client = await probe.peer(), await probe.client()
    indication = _indication(client, peer.local, b"from nobody")
    for data, name in (
        (indication, "a Send indication without an allocation"),
        (channel_data(CHANNEL, b"from nobody!"), "ChannelData without an allocation"),
    ):
        await client.expect_silence(data, why=name)
        await probe.hears_nothing(peer, why=name)
    allocation = await permitted(probe, peer.local)
    await allocation.send(peer.local, b"from somebody")
    if await peer.receive(probe.target.patience) is None:
        raise NotOffered("the peer hears nothing of an allocation either")


@row(
    "TURN-GEN-05",
    "If a non-Allocate request passes authentication, the 5-tuple identifies an existing "
    "allocation, but the request does not use the same username as used to create the "
    "allocation, then the request MUST be rejected with a 441 (Wrong Credentials) error.",
    Feature.TURN,
    Feature.SECOND_USER,
)
async def another_user_is_rejected(probe: Probe) -> None:
    if len(probe.target.credentials) < 2:
        raise NotOffered("one credential was given: name a second --user")
    stranger = probe.target.credentials[1]
    allocation = await probe.allocate()
    client = allocation.client
    for method, attributes in offered(probe, requests_to(somewhere(probe))).items():
        response = await client.authenticated(method, *attributes, credential=stranger)
        expect_error(response, 441, to=f"{method_name(method)} of another user")
    await expect_kept(probe, allocation, when="of its own user afterwards")


@row(
    "TURN-GEN-06",
    "The server may receive two (or more) requests with the same 5-tuple and same transaction "
    "id. STUN requires that the server recognize this case and treat the request as idempotent.",
    Feature.TURN,
)
async def a_retransmitted_allocate_makes_no_second_allocation(probe: Probe) -> Outcome | None:
    probe.needs_datagrams()
    client = await probe.client()
    await client.learn_challenge()
    request = client.sign(client.message(Method.ALLOCATE, UDP)).build()
    first = await client.demand(request)
    relayed = first.xor_address(Attr.XOR_RELAYED_ADDRESS)
    if first.message_class is not Class.SUCCESS or relayed is None:
        raise NotOffered(f"Allocate is met with {describe(first)}")
    probe.keep(Allocation(client, first, relayed))
    for _ in range(2):
        again = await client.demand(request)
        expect_success(again, to="the same Allocate once more")
        found = again.xor_address(Attr.XOR_RELAYED_ADDRESS)
        expect_value(again, Attr.XOR_RELAYED_ADDRESS, relayed, found)
    if not is_offered(probe, Method.REFRESH):
        return None
    await need_success(client.authenticated(Method.REFRESH), "Refresh")
    late = await client.demand(request)
    if late.message_class is Class.SUCCESS:
        found = late.xor_address(Attr.XOR_RELAYED_ADDRESS)
        expect_value(late, Attr.XOR_RELAYED_ADDRESS, relayed, found)
        return None
    # The client has had its answer by then, and heeds no other (RFC 8489 section 6.3.1).
    return seen(f"the same Allocate behind a Refresh is met with {describe(late)}")


@row(
    "TURN-GEN-07",
    "The server SHOULD include the SOFTWARE attribute in all Allocate and Refresh responses "
    "(either success or failure).",
    Feature.TURN,
    about_answers=True,
)
async def whether_software_is_named(probe: Probe) -> Outcome:
    allocation = await probe.allocate()
    answers = {"Allocate": allocation.response, "Refresh": await allocation.refresh()}
    names = {name: expect_text(answer, Attr.SOFTWARE) for name, answer in answers.items()}
    told = [f"{name}: {text!r}" for name, text in names.items() if text is not None]
    return seen(f"SOFTWARE of {', '.join(told)}" if told else "SOFTWARE is not sent")


@row(
    "TURN-GEN-08",
    "The 5-tuple: client's IP address, client's port, server IP address, server port, and "
    "transport protocol.",
    Feature.TURN,
    Feature.STREAM,
)
async def udp_and_tcp_from_one_port_are_two_5_tuples(probe: Probe) -> None:
    probe.needs_datagrams()
    over_udp = await probe.allocate()
    local, kinds = over_udp.client.local, (probe.target.stream, probe.target.transport)
    client = await probe.client(transport=probe.target.stream, local=local)
    response, over_tcp = await probe.try_to_allocate(UDP, client=client)
    tcp, udp = (kind.value.upper() for kind in kinds)
    expect_granted(response, to=f"Allocate over {tcp} from the port of an allocation over {udp}")
    if over_tcp is not None and over_tcp.relayed == over_udp.relayed:
        raise Violated("both have the same relayed transport address", Mark(response.data, 0, 20))
    if is_offered(probe, Method.REFRESH):
        response = await client.authenticated(Method.REFRESH, (Attr.LIFETIME, u32(0)))
        expect_success(response, to="its deletion")
        await expect_kept(probe, over_udp, when="of the other afterwards")


@row(
    "TURN-GEN-09",
    "It is RECOMMENDED that the server impose limits on both the number of allocations active at "
    "one time for a given username and on the amount of bandwidth those allocations can use.",
    Feature.TURN,
    alone=True,
)
async def how_many_allocations_a_user_has(probe: Probe) -> Outcome:
    filled = await fill(probe, credential=quota_credential(probe, 0))
    if filled.refusal is None:
        return seen(f"no limit within {len(filled.allocations)} allocations")
    if not filled.allocations:
        raise NotOffered(f"the first Allocate is met with {describe(filled.refusal)}")
    return seen(f"{describe(filled.refusal)} after {len(filled.allocations)} allocations")


def _requests(peer: TransportAddress) -> Mapping[Method, Sequence[Attribute]]:
    """Of an allocation's owner, none of which ends it."""
    return {**requests_to(peer), Method.REFRESH: ()}


def _indication(client: Client, peer: TransportAddress, data: bytes) -> bytes:
    payload: Sequence[tuple[int, Value]] = (xor(Attr.XOR_PEER_ADDRESS, peer), (Attr.DATA, data))
    return client.begin(Method.SEND, Class.INDICATION, *payload).build()
