"""TURN-MOB: allocations that outlive a change of the client's address (RFC 8016).

A client that has moved is another socket of this host.
"""

from __future__ import annotations

from typing import Final

from conformance.allocation import UDP, Allocation
from conformance.building import u32
from conformance.checks import MAX_DATAGRAM, mark_attribute
from conformance.client import MAX_STALE, Attribute, Client, describe
from conformance.codes import Attr, Class, Method
from conformance.expect import expect_attribute, expect_error, expect_no_attribute, expect_success
from conformance.identity import Challenge
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.relayed import expect_arrival, expect_relayed
from conformance.relaying import Pair
from conformance.row import Feature, row
from conformance.target import Credential

from .needs import expect_granted, expect_room, expect_turn

MAX_MOVES: Final = 40
ASKED: Final[Attribute] = (Attr.MOBILITY_TICKET, b"")


@row(
    "TURN-MOB-01",
    "If the server can successfully process the request and create an allocation, the server "
    "replies with a success response that includes a STUN MOBILITY-TICKET attribute, of a length "
    "in accordance with the published guidance on STUN UDP fragmentation.",
    Feature.MOBILITY,
)
async def an_allocation_comes_with_a_ticket(probe: Probe) -> None:
    allocation = await probe.allocate(ASKED)
    response, link = allocation.response, allocation.client.link
    if not expect_attribute(response, Attr.MOBILITY_TICKET):
        raise Violated("the ticket is empty", mark_attribute(response, Attr.MOBILITY_TICKET))
    most = MAX_DATAGRAM[allocation.client.local.ip.version]
    if not link.is_stream and len(response.data) > most:
        mark = mark_attribute(response, Attr.MOBILITY_TICKET)
        raise Violated(f"the response has {len(response.data)} bytes, more than {most}", mark)


@row(
    "TURN-MOB-02",
    "If the MOBILITY-TICKET attribute is included, and has a length of zero, but TURN session "
    "mobility is forbidden by local policy, the server will reject the request with 405 "
    "(Mobility Forbidden). If it has a non-zero length, then the server will generate an error "
    "response with 400 (Bad Request). If the server does not understand the attribute, it "
    "ignores it.",
)
async def a_ticket_in_an_allocate_is_empty(probe: Probe) -> None:
    expect_turn(probe)
    response, _ = await probe.try_to_allocate(UDP, ASKED)
    expect_room(response)
    if response.error_code != 405:
        expect_granted(response, to="Allocate with an empty MOBILITY-TICKET")
    is_understood = response.error_code == 405 or Attr.MOBILITY_TICKET in response.types
    response, _ = await probe.try_to_allocate(UDP, (Attr.MOBILITY_TICKET, b"no ticket"))
    expect_room(response)
    if is_understood:
        expect_error(response, 400, to="Allocate with a MOBILITY-TICKET that is not empty")
        return
    expect_granted(response, to="Allocate with a MOBILITY-TICKET, which is not understood")
    expect_no_attribute(response, Attr.MOBILITY_TICKET)


@row(
    "TURN-MOB-03",
    "The server updates its state data with the new client IP address and port; it sends the new "
    "ticket in the MOBILITY-TICKET attribute as part of Refresh success response. The new ticket "
    "MUST be different from the old ticket.",
    Feature.MOBILITY,
    Feature.PEER,
    Feature.REFRESH,
)
async def an_allocation_moves_with_its_client(probe: Probe) -> None:
    pair = await _mobile_pair(probe)
    old = _ticket(pair.allocation.response)
    client, response = await _move(probe, old)
    expect_success(response, to="Refresh with a ticket from another 5-tuple")
    if expect_attribute(response, Attr.MOBILITY_TICKET) == old:
        mark = mark_attribute(response, Attr.MOBILITY_TICKET)
        raise Violated("the new ticket is the old one", mark)
    moved = _moved(pair, client)
    expect_arrival(await moved.send(b"moved"), b"moved", of="a Send indication after a move")
    expect_relayed(await moved.back(b"back"), b"back", peer=pair.peer.local)


@row(
    "TURN-MOB-04",
    "If the source IP address and port of the Refresh request with the STUN MOBILITY-TICKET "
    "attribute is the same as the stored 5-tuple allocation, then the TURN server rejects the "
    "request with a 400 (Bad Request) error.",
    Feature.MOBILITY,
    Feature.REFRESH,
)
async def who_has_not_moved_has_no_use_for_a_ticket(probe: Probe) -> None:
    allocation = await _allocate(probe)
    response = await allocation.refresh((Attr.MOBILITY_TICKET, _ticket(allocation.response)))
    expect_error(response, 400, to="Refresh with a ticket from the same 5-tuple")
    expect_success(await allocation.refresh(), to="Refresh without it afterwards")


@row(
    "TURN-MOB-05",
    "If this 5-tuple obtained does not identify an existing allocation, then the server MUST "
    "reject the request with a 437 (Allocation Mismatch) error; if the ticket is invalid, with "
    "400 (Bad Request); if it is not the same user that had previously created the TURN "
    "allocation, with 441 (Wrong Credentials).",
    Feature.MOBILITY,
    Feature.SECOND_USER,
    Feature.REFRESH,
)
async def wrong_tickets_are_refused(probe: Probe) -> None:
    if len(probe.target.credentials) < 2:
        raise NotOffered("one credential was given: name a second --user")
    allocation = await _allocate(probe)
    ticket = _ticket(allocation.response)
    await _expect_no_stranger(probe, ticket)
    _, response = await _move(probe, probe.wire.random_bytes(len(ticket)))
    expect_error(response, 400, to="Refresh with a ticket that the server never gave")
    _, response = await _move(probe, ticket, user=1)
    expect_error(response, 441, to="Refresh with another user's ticket")
    await probe.give_back(allocation)
    _, response = await _move(probe, ticket)
    expect_error(response, 437, to="Refresh with the ticket of a deleted allocation")


async def _expect_no_stranger(probe: Probe, ticket: bytes) -> None:
    """A ticket is no credential (section 5)."""
    stranger = await probe.client()
    request = stranger.message(Method.REFRESH, (Attr.MOBILITY_TICKET, ticket)).build()
    _expect_unmoved(await stranger.ask(request), "without credentials")
    thief = await probe.client()
    thief.credential = Credential(thief.username.decode(), probe.wire.random_bytes(8).hex())
    wrong = await thief.try_authenticated(Method.REFRESH, (Attr.MOBILITY_TICKET, ticket))
    _expect_unmoved(wrong, "with a wrong password")


def _expect_unmoved(response: ReceivedMessage | None, how: str) -> None:
    if response is not None and response.message_class is Class.SUCCESS:
        raise Violated(f"Refresh with a ticket, {how}, is granted", Mark(response.data, 0, 2))


@row(
    "TURN-MOB-06",
    "The TURN server MUST continue receiving and processing data on the old 5-tuple and MUST "
    "continue transmitting data on the old-5 tuple until it receives a Send Indication or "
    "ChannelData message from the client on the new 5-tuple.",
    Feature.MOBILITY,
    Feature.PEER,
    Feature.REFRESH,
)
async def the_old_5_tuple_serves_until_data_comes_on_the_new_one(probe: Probe) -> None:
    pair = await _mobile_pair(probe)
    client, response = await _move(probe, _ticket(pair.allocation.response))
    if response.message_class is not Class.SUCCESS:
        raise NotOffered(f"Refresh with a ticket is met with {describe(response)}")
    moved = _moved(pair, client)
    expect_arrival(await pair.send(b"old"), b"old", of="a Send indication on the old 5-tuple")
    expect_relayed(await pair.back(b"to old"), b"to old", peer=pair.peer.local)
    expect_arrival(await moved.send(b"new"), b"new", of="a Send indication on the new 5-tuple")
    expect_relayed(await moved.back(b"to new"), b"to new", peer=pair.peer.local)
    await pair.silence_at_client(why="after data on the new 5-tuple, at the old one")


@row(
    "TURN-MOB-07",
    "A server must retain the old MOBILITY-TICKET to be able to recognize a retransmission of the "
    "Refresh request. The old ticket can only be used for the purposes of retransmission.",
    Feature.MOBILITY,
    Feature.REFRESH,
)
async def an_old_ticket_serves_for_a_retransmission_alone(probe: Probe) -> None:
    probe.needs_datagrams()
    allocation = await _allocate(probe)
    old = _ticket(allocation.response)
    client = await probe.client()
    await client.learn_challenge()
    request, first = await _first_answer(client, (Attr.MOBILITY_TICKET, old))
    if first.message_class is not Class.SUCCESS:
        raise NotOffered(f"Refresh with a ticket is met with {describe(first)}")
    probe.keep(Allocation(client, first, allocation.relayed))
    again = await client.demand(request)
    expect_success(again, to="the same Refresh once more")
    if again.get(Attr.MOBILITY_TICKET) != first.get(Attr.MOBILITY_TICKET):
        mark = mark_attribute(again, Attr.MOBILITY_TICKET) or Mark(again.data, 0, 20)
        raise Violated("the same Refresh brings another ticket the second time", mark)
    _, response = await _move(probe, old)
    if response.message_class is Class.SUCCESS:
        raise Violated("another Refresh with the old ticket is granted", Mark(response.data, 0, 2))


@row(
    "TURN-MOB-08",
    "The TURN server MUST always ensure that the ticket is authenticated and encrypted; it MUST "
    "be constructed such that it has strong entropy.",
    Feature.MOBILITY,
    Feature.REFRESH,
)
async def tickets_cannot_be_guessed_or_changed(probe: Probe) -> None:
    allocations = [await _allocate(probe) for _ in range(3)]
    tickets = [_ticket(each.response) for each in allocations]
    for allocation, ticket in zip(allocations, tickets, strict=True):
        if tickets.count(ticket) > 1:
            mark = mark_attribute(allocation.response, Attr.MOBILITY_TICKET)
            raise Violated("two allocations have the same ticket", mark)
    ticket = tickets[0]
    for at in sorted({0, len(ticket) // 2, len(ticket) - 1}):
        changed = ticket[:at] + bytes([ticket[at] ^ 1]) + ticket[at + 1 :]
        _, response = await _move(probe, changed)
        if response.message_class is Class.SUCCESS:
            detail = f"a ticket with a changed bit in byte {at} is taken"
            raise Violated(detail, Mark(response.data, 0, 2))
    client, response = await _move(probe, ticket)
    if response.message_class is not Class.SUCCESS:
        raise NotOffered(f"Refresh with the right ticket is met with {describe(response)}, too")
    probe.keep(Allocation(client, response, allocations[0].relayed))


@row(
    "TURN-MOB-09",
    "Moves are counted: a client that moves all the time takes no more than it had.",
    Feature.MOBILITY,
    Feature.REFRESH,
    alone=True,
)
async def a_client_that_moves_all_the_time_keeps_its_allocation(probe: Probe) -> Outcome:
    allocation = await _allocate(probe)
    ticket, moves, refusal = _ticket(allocation.response), 0, ""
    newest = allocation
    while moves < MAX_MOVES:
        client, response = await _move(probe, ticket)
        if response.message_class is not Class.SUCCESS:
            refusal = f", then {describe(response)}"
            break
        moves, ticket = moves + 1, _ticket(response)
        newest = probe.keep(Allocation(client, response, allocation.relayed))
    expect_success(await newest.refresh(), to=f"Refresh after {moves} moves")
    await probe.is_alive()
    return seen(f"{moves} moves at once{refusal}")


async def _first_answer(client: Client, ticket: Attribute) -> tuple[bytes, ReceivedMessage]:
    """A Refresh that is not answered with 438, and its answer."""
    for _ in range(MAX_STALE):
        request = client.sign(client.message(Method.REFRESH, ticket)).build()
        response = await client.demand(request)
        if response.error_code != 438:
            break
        client.challenge = Challenge.of(response) or client.challenge
    return request, response


async def _allocate(probe: Probe) -> Allocation:
    allocation = await probe.allocate(ASKED)
    _ticket(allocation.response)
    return allocation


async def _mobile_pair(probe: Probe) -> Pair:
    """With a permission for the peer, and data that passes."""
    pair = Pair(probe, await _allocate(probe), await probe.peer())
    await pair.permit()
    await pair.need_both_ways(when="with a permission, before a move,")
    return pair


def _moved(pair: Pair, client: Client) -> Pair:
    """The same allocation, from the 5-tuple that it has moved to."""
    old = pair.allocation
    client.inbox.clear()
    moved = pair.probe.keep(Allocation(client, old.response, old.relayed))
    return Pair(pair.probe, moved, pair.peer)


async def _move(probe: Probe, ticket: bytes, *, user: int = 0) -> tuple[Client, ReceivedMessage]:
    """A Refresh with a ticket from a new 5-tuple, and its answer."""
    client = await probe.client(user=user)
    lifetime: Attribute = (Attr.LIFETIME, u32(600))
    attributes = lifetime, (Attr.MOBILITY_TICKET, ticket)
    return client, await client.authenticated(Method.REFRESH, *attributes)


def _ticket(response: ReceivedMessage) -> bytes:
    """Raises:
    NotOffered: there is none.
    """
    ticket = response.get(Attr.MOBILITY_TICKET)
    if not ticket:
        raise NotOffered("a success with no MOBILITY-TICKET")
    return ticket
