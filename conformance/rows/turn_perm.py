"""TURN-PERM: permissions (RFC 8656 sections 9 and 10)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from conformance.allocation import Allocation
from conformance.building import any_port, xor_address
from conformance.client import Attribute, describe, xor
from conformance.codes import Attr, Class, Method
from conformance.expect import expect_error, expect_success
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.relayed import FORBIDDEN, FORBIDDEN6, SINK, SINK6, expect_relayed
from conformance.relaying import Pair, pair, permitted_pair
from conformance.row import Feature, row
from transport import TransportAddress

from .needs import need_data, need_well_formed

MAX_PERMISSIONS: Final = 500
"""Asked for where a server's capacity is looked for."""

AT_ONCE: Final = 25
"""Of them in one request, so that it fits into one datagram everywhere."""

SINK_NETWORKS: Final = ("192.31.196.0/24", "192.175.48.0/24")
"""Where nobody is: see ``SINK``."""


@row(
    "TURN-PERM-01",
    "The CreatePermission request MUST contain at least one XOR-PEER-ADDRESS attribute. If no "
    "such attribute exists, then a 400 (Bad Request) error is returned.",
    Feature.TURN,
)
async def a_permission_is_for_somebody(probe: Probe) -> None:
    allocation = await probe.allocate()
    await need_well_formed(allocation, any_port(probe.peer_ip))
    response = await allocation.permit()
    expect_error(response, 400, to="CreatePermission without XOR-PEER-ADDRESS")


@row(
    "TURN-PERM-02",
    "If any of these attributes are invalid, then a 400 (Bad Request) error is returned.",
    Feature.TURN,
    Feature.PEER,
)
async def an_invalid_peer_is_refused(probe: Probe) -> Outcome | None:
    way = await pair(probe)
    peer = way.peer.local
    good = xor(Attr.XOR_PEER_ADDRESS, peer)
    for what, bad, codes in _invalid(peer):
        for attributes in ((good, bad), (bad, good)):
            response = await way.allocation.client.authenticated(
                Method.CREATE_PERMISSION, *attributes
            )
            expect_error(response, *codes, to=f"XOR-PEER-ADDRESS with {what}")
    await way.peer.send(b"half", way.allocation.relayed)
    is_half_done = await way.next_relayed(probe.target.silence) is not None
    await way.permit()
    if is_half_done:
        return seen("400, but the valid address beside the invalid one has its permission")
    return None


@row(
    "TURN-PERM-03",
    "If an XOR-PEER-ADDRESS attribute contains an address of an address family that is not the "
    "same as that of a relayed transport address for the allocation, the server MUST generate an "
    "error response with the 443 (Peer Address Family Mismatch) response code.",
    Feature.FAMILIES,
    Feature.TURN,
)
async def a_peer_of_another_family_is_a_mismatch(probe: Probe) -> None:
    allocation = await probe.allocate()
    other = SINK if allocation.relayed.is_ipv6 else SINK6
    response = await allocation.permit(other)
    expect_error(response, 443, to=f"a permission for {other.ip}")


@row(
    "TURN-PERM-04",
    "The server MAY impose restrictions on the IP address allowed in the XOR-PEER-ADDRESS "
    "attribute; if a value is not allowed, the server rejects the request with a 403 (Forbidden) "
    "error.",
    Feature.TURN,
)
async def a_forbidden_peer_is_refused(probe: Probe) -> Outcome | None:
    allocation = await probe.allocate()
    forbidden = FORBIDDEN6 if allocation.relayed.is_ipv6 else FORBIDDEN
    refused = 0
    for peer in forbidden:
        response = await allocation.permit(peer)
        if response.message_class is not Class.SUCCESS:
            expect_error(response, 403, to=f"a permission for {peer.ip}")
            refused += 1
    if refused:
        return None
    return seen("permitted: " + ", ".join(str(peer.ip) for peer in forbidden))


@row(
    "TURN-PERM-05",
    "The server installs or refreshes a permission for the IP address contained in each "
    "XOR-PEER-ADDRESS attribute. The port portion of each attribute is ignored and may be any "
    "arbitrary value.",
    Feature.TURN,
    Feature.PEER,
)
async def each_address_gets_its_permission(probe: Probe) -> None:
    await need_data(probe)
    peer, others = any_port(probe.peer_ip), _sinks(2, like=any_port(probe.peer_ip))
    first = await probe.allocate()
    response = await first.permit(*others)
    if response.message_class is not Class.SUCCESS:
        others = []  # then it is the ports alone that can be looked at
    for at in range(len(others) + 1):
        way = await pair(probe)
        peers = [*others[:at], peer, *others[at:]]
        response = await way.allocation.permit(*peers)
        expect_success(response, to=f"CreatePermission for {len(peers)} peers")
        for each in (way, await way.with_peer()):
            if not await each.passes():
                place = f"number {at + 1} of {len(peers)}"
                raise Violated(f"the permission of the peer that was {place} is not installed")


@row(
    "TURN-PERM-06",
    "Note that only addresses are compared and port numbers are not considered.",
    Feature.TURN,
    Feature.PEER,
)
async def ports_do_not_count(probe: Probe) -> None:
    way = await permitted_pair(probe)
    await way.need_both_ways(when="with a permission")
    other = await way.with_peer()
    found = await other.back(b"another port")
    expect_relayed(found, b"another port", peer=other.peer.local)
    await other.expect_sent(b"to another port")


@row(
    "TURN-PERM-07",
    "If no match is found, relaying is not permitted and the server silently discards the UDP "
    "datagram.",
    Feature.TURN,
    Feature.PEER,
)
async def what_is_not_permitted_is_dropped(probe: Probe) -> None:
    way = await pair(probe)
    await _expect_closed(way, "there is no permission")
    await way.allocation.permit(*_sinks(1, like=way.allocation.relayed))
    await _expect_closed(way, "there is a permission for another address alone")
    await way.permit()
    await way.need_both_ways(when="with a permission")


@row(
    "TURN-PERM-11",
    "The permissions for one allocation are totally unrelated to the permissions for a different "
    "allocation.",
    Feature.TURN,
    Feature.PEER,
)
async def permissions_are_of_one_allocation(probe: Probe) -> None:
    mine, other = await pair(probe), await pair(probe)
    await mine.permit()
    await mine.need_both_ways(when="with a permission")
    await other.allocation.send(other.peer.local, b"unpermitted")
    await other.silence_at_peer(why="another allocation has the permission")
    await _expect_closed(other, "another allocation has the permission")
    await other.permit()
    await other.need_both_ways(when="with a permission of its own")


@row(
    "TURN-PERM-12",
    "If the request is valid, but the server is unable to satisfy the request due to some "
    "capacity limit or similar, then a 508 (Insufficient Capacity) error is returned.",
    Feature.TURN,
    alone=True,
)
async def too_many_permissions_are_refused(probe: Probe) -> Outcome | None:
    allocation = await probe.allocate()
    sinks = _sinks(MAX_PERMISSIONS, like=allocation.relayed)
    for begin in range(0, len(sinks), AT_ONCE):
        response = await allocation.permit(*sinks[begin : begin + AT_ONCE])
        if response.message_class is Class.SUCCESS:
            continue
        is_full = response.error_code == 508 and begin == 0
        if is_full and (await allocation.permit(sinks[0])).message_class is Class.SUCCESS:
            return None  # one has room, though so many at once have not
        if response.error_code == 403 or begin == 0:
            raise NotOffered(f"permissions for {sinks[0].ip} are met with {describe(response)}")
        expect_error(response, 508, to=f"permissions {begin + 1} to {begin + AT_ONCE}")
        return None
    return seen(f"{len(sinks)} permissions are granted to one allocation")


@row(
    "TURN-PERM-13",
    "The server then responds with a CreatePermission success response. There are no mandatory "
    "attributes in the success response.",
    Feature.TURN,
)
async def a_permission_is_confirmed(probe: Probe) -> None:
    allocation = await probe.allocate()
    response = await allocation.permit(any_port(probe.peer_ip))
    if response.error_code == 403:
        raise NotOffered(f"a permission for {probe.peer_ip} is met with 403: --peer-address")
    expect_success(response, to="CreatePermission")
    expect_signed(allocation, response)


def expect_signed(allocation: Allocation, response: ReceivedMessage) -> None:
    """Raises:
    Violated: the answer has no integrity, or not that of the client's key.
    """
    key = allocation.client.key()
    if not response.has_integrity(key) and not response.has_integrity_sha256(key):
        raise Violated("the success is not signed", Mark(response.data, 0, 20))


async def _expect_closed(way: Pair, why: str) -> None:
    await way.peer.send(b"unpermitted", way.allocation.relayed)
    await way.silence_at_client(why=why)


def _invalid(peer: TransportAddress) -> Sequence[tuple[str, Attribute, tuple[int, ...]]]:
    """What is wrong, the attribute, and what it may be met with."""
    kind = Attr.XOR_PEER_ADDRESS
    short, long = (1, 20) if not peer.is_ipv6 else (2, 8)
    return (
        ("4 bytes", (kind, b"\x00\x01\x21\x12"), (400,)),
        ("no bytes", (kind, b""), (400,)),
        (f"family {short} and {long} bytes", (kind, bytes([0, short]) + bytes(long - 2)), (400,)),
        # Family 3 is invalid; it is also not that of the relayed transport address.
        ("family 3", (kind, lambda ids: xor_address(peer, ids, family=3)), (400, 443)),
    )


def _sinks(count: int, *, like: TransportAddress) -> list[TransportAddress]:
    """Peers that nobody sends to, of the same family."""
    if like.is_ipv6:
        return [any_port(SINK6.ip + each) for each in range(count)]
    networks = map(ipaddress.IPv4Network, SINK_NETWORKS)
    hosts = [host for network in networks for host in network.hosts()]
    return [any_port(host) for host in hosts[:count]]
