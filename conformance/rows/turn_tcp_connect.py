"""TURN-TCP: connecting to peers (RFC 6062 section 5.2)."""

from __future__ import annotations

import ipaddress
from typing import Final

from conformance.allocation import Allocation
from conformance.checks import mark_attribute
from conformance.client import describe, xor
from conformance.codes import FORBIDDEN, Attr, Method
from conformance.expect import expect_attribute, expect_error, expect_success, expect_value
from conformance.outcome import NotOffered, Outcome, Unanswered, Violated, seen, skipped
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.row import Feature, row
from transport import TransportAddress

from .needs import somewhere
from .stuns_tcp import stream_client
from .tcp_needs import (
    CONNECTION_ID_BYTES,
    allocate_tcp,
    bound,
    connect,
    connected,
    pending,
)

CONNECT_SECONDS: Final = 30.0
"""At least, for a peer to be reached (section 5.2)."""

TOLERANCE: Final = 1.0
"""Of a server's timer, in seconds."""

GIVE_UP: Final = 150.0
"""Seconds without an answer: a kernel gives up to connect after 127."""

ALREADY_EXISTS: Final = 446
FAILED: Final = 447

NO_PEERS: Final = {
    4: ("127.0.0.1", "0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255"),
    6: ("::1", "::", "fe80::1", "ff02::1"),
}
"""What a relay hardly ever connects to."""


@row(
    "TURN-TCP-06",
    "If the Connect request is received on a TCP connection for which no allocation exists, the "
    "server MUST return a 437 (Allocation Mismatch) error.",
    Feature.TCP_RELAY,
)
async def connecting_wants_an_allocation(probe: Probe) -> None:
    client = await stream_client(probe)
    peer = xor(Attr.XOR_PEER_ADDRESS, somewhere(probe))
    response = await client.authenticated(Method.CONNECT, peer)
    expect_error(response, 437, to="Connect without an allocation")


@row(
    "TURN-TCP-07",
    "If the Connect request does not contain an XOR-PEER-ADDRESS attribute, or if such attribute "
    "is invalid, the server MUST return a 400 (Bad Request) error.",
    Feature.TCP_RELAY,
)
async def connecting_wants_a_peer(probe: Probe) -> None:
    allocation = await allocate_tcp(probe)
    # What refuses everybody shows nothing.
    await connected(allocation, await probe.listening_peer())
    client = allocation.client
    response = await client.authenticated(Method.CONNECT)
    expect_error(response, 400, to="Connect without XOR-PEER-ADDRESS")
    for value, name in ((bytes(4), "4 bytes"), (b"\x00\x03" + bytes(6), "family 3")):
        response = await client.authenticated(Method.CONNECT, (Attr.XOR_PEER_ADDRESS, value))
        expect_error(response, 400, to=f"Connect with an XOR-PEER-ADDRESS of {name}")


@row(
    "TURN-TCP-08",
    "If the server is currently processing a Connect request for this allocation with the same "
    "XOR-PEER-ADDRESS, or has processed one and the connections are pending or active, it MUST "
    "return a 446 (Connection Already Exists) error.",
    Feature.TCP_RELAY,
)
async def a_peer_is_connected_to_once(probe: Probe) -> None:
    allocation, peer = await allocate_tcp(probe), await probe.listening_peer()
    connection_id, _ = await pending(probe, allocation, peer)
    response = await connect(allocation, peer.local)
    expect_error(response, ALREADY_EXISTS, to="Connect while a connection is pending")
    await bound(probe, allocation, connection_id)
    response = await connect(allocation, peer.local)
    expect_error(response, ALREADY_EXISTS, to="Connect while a connection is active")
    other = await connect(allocation, (await probe.listening_peer()).local)
    if other.error_code == ALREADY_EXISTS:
        mark = mark_attribute(other, Attr.ERROR_CODE)
        raise Violated("another port of that peer is taken for the same peer", mark)
    await _expect_one_at_a_time(probe, allocation)


async def _expect_one_at_a_time(probe: Probe, allocation: Allocation) -> None:
    client, peer = allocation.client, await probe.listening_peer(is_deaf=True)
    attribute = xor(Attr.XOR_PEER_ADDRESS, peer.local)
    first = client.sign(client.message(Method.CONNECT, attribute)).build()
    client.unawaited.add(first[8:20])
    await client.send(first)
    early = await client.answer(first, probe.target.silence)
    if early is not None:
        raise NotOffered(f"Connect to a peer that does not answer is met with {describe(early)}")
    response = await connect(allocation, peer.local)
    expect_error(response, ALREADY_EXISTS, to="Connect while another one is processed")


@row(
    "TURN-TCP-09",
    "If the new connection is forbidden by local policy, the server MUST reject the request with "
    "a 403 (Forbidden) error.",
    Feature.TCP_RELAY,
    Feature.PERMISSIONS,
)
async def forbidden_peers_are_not_connected_to(probe: Probe) -> Outcome | None:
    allocation = await allocate_tcp(probe)
    is_any_forbidden = False
    for ip in NO_PEERS[allocation.relayed.ip.version]:
        peer = TransportAddress(ipaddress.ip_address(ip), 9)
        if (await allocation.permit(peer)).error_code != FORBIDDEN:
            continue
        is_any_forbidden = True
        to = f"Connect to {ip}, for which CreatePermission is met with 403,"
        expect_error(await connect(allocation, peer), FORBIDDEN, to=to)
    own = await _connect_to_the_server(probe, allocation)
    if own != f"error {FORBIDDEN}":
        return seen(f"Connect to the server's own {probe.target.address} is met with {own}")
    return None if is_any_forbidden else skipped("no address was found that is forbidden")


async def _connect_to_the_server(probe: Probe, allocation: Allocation) -> str:
    try:
        return describe(await connect(allocation, probe.target.address))
    except Unanswered:
        await probe.is_alive()
        return "silence"


@row(
    "TURN-TCP-10",
    "If the connection attempt fails or times out, the server MUST return a 447 (Connection "
    "Timeout or Failure) error. The timeout value MUST be at least 30 seconds.",
    Feature.TCP_RELAY,
    slow=True,
)
async def a_peer_that_is_not_reached_is_told(probe: Probe) -> Outcome | None:
    allocation, peer = await allocate_tcp(probe), await probe.listening_peer()
    await connected(allocation, peer)  # peers here can be reached
    closed = await probe.listening_peer()
    closed.close()
    refused, _ = await _connect_patiently(probe, allocation, closed.local)
    if refused is None:
        raise Violated(f"Connect to a closed port is not answered in {GIVE_UP:g} s")
    expect_error(refused, FAILED, to="Connect to a closed port")
    deaf = await probe.listening_peer(is_deaf=True)
    response, seconds = await _connect_patiently(probe, allocation, deaf.local)
    if response is None:
        await probe.is_alive()
        return seen(f"Connect to a peer that does not answer waits for more than {GIVE_UP:g} s")
    expect_error(response, FAILED, to="Connect to a peer that does not answer")
    if seconds < CONNECT_SECONDS - TOLERANCE:
        mark = mark_attribute(response, Attr.ERROR_CODE)
        raise Violated(f"a peer that does not answer is given up after {seconds:.1f} s", mark)
    return None


async def _connect_patiently(
    probe: Probe, allocation: Allocation, peer: TransportAddress
) -> tuple[ReceivedMessage | None, float]:
    """The answer to Connect, or None, and how many seconds it took."""
    client, begun = allocation.client, probe.wire.now()
    request = client.sign(client.message(Method.CONNECT, xor(Attr.XOR_PEER_ADDRESS, peer))).build()
    client.unawaited.add(request[8:20])
    await client.send(request)
    response = await client.answer(request, GIVE_UP)
    return response, probe.wire.now() - begun


@row(
    "TURN-TCP-11",
    "The server MUST initiate an outgoing TCP connection. The local endpoint is the relayed "
    "transport address associated with the allocation.",
    Feature.TCP_RELAY,
)
async def connections_come_from_the_relayed_address(probe: Probe) -> None:
    allocation, peer = await allocate_tcp(probe), await probe.listening_peer()
    response = await connect(allocation, peer.local)
    if response.error_code in (FORBIDDEN, FAILED):
        raise NotOffered(f"Connect to a peer that listens is met with {describe(response)}")
    expect_success(response, to="Connect to a peer that listens")
    stream = await peer.accept(probe.target.patience)
    if stream is None:
        raise Violated("Connect is met with success, and no connection comes to the peer")
    if stream.remote != allocation.relayed:
        detail = f"the peer is connected to from {stream.remote}, not from {allocation.relayed}"
        raise Violated(detail, mark_attribute(allocation.response, Attr.XOR_RELAYED_ADDRESS))


@row(
    "TURN-TCP-12",
    "The server MUST include the CONNECTION-ID attribute in the Connect success response. The "
    "attribute's value MUST uniquely identify the peer data connection.",
    Feature.TCP_RELAY,
)
async def connection_ids_are_unique(probe: Probe) -> None:
    first, second = await allocate_tcp(probe), await allocate_tcp(probe)
    found: set[bytes] = set()
    for allocation in (first, first, first, second):
        response = await connected(allocation, await probe.listening_peer())
        value = expect_attribute(response, Attr.CONNECTION_ID)
        expect_value(response, Attr.CONNECTION_ID, CONNECTION_ID_BYTES, len(value))
        if value in found:
            mark = mark_attribute(response, Attr.CONNECTION_ID)
            raise Violated(f"{value.hex()} is the id of another connection as well", mark)
        found.add(value)
