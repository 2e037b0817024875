"""TURN-TCP: connections of peers, and bytes between them and the client (RFC 6062 sections
5.3 to 5.5)."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

from conformance.building import u32
from conformance.client import Client
from conformance.codes import Attr, Class, Method
from conformance.expect import expect_attribute, expect_error, expect_success, expect_value
from conformance.link import StreamPort
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen, skipped
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.row import Feature, row
from conformance.target import Credential

from .stuns_tcp import stream_client
from .tcp_needs import (
    CONNECTION_ID_BYTES,
    allocate_tcp,
    arrive,
    attempt_of,
    bind,
    bound,
    expect_no_nat,
    joined,
    pending,
    permit_peers,
)

BIND_SECONDS: Final = 30.0
"""That a connection waits to be bound (sections 5.2 and 5.3)."""

EARLY: Final = 1.0
LATE: Final = 5.0
"""Seconds before and behind that which are tolerated of a server's timer."""

PAYLOAD_BYTES: Final = 100_000
FLOOD_BYTES: Final = 64 << 20
"""More than the kernels of both sides have room for: at most some 20 MiB."""

FLOOD_CHUNK: Final = 1 << 16
FLOOD_SECONDS: Final = 30.0
STALLED_AFTER: Final = 3.0
"""Seconds in which a connection takes nothing that show that it is stopped."""

Read = Callable[[float], Awaitable[bytes | None]]


@row(
    "TURN-TCP-13",
    "If no ConnectionBind request associated with this peer data connection is received after "
    "30 seconds, the peer data connection MUST be closed.",
    Feature.TCP_RELAY,
    Feature.PEER,
    slow=True,
)
async def what_is_not_bound_is_closed(probe: Probe) -> None:
    allocation = await allocate_tcp(probe)
    await permit_peers(probe, allocation)
    _, outgoing = await pending(probe, allocation)
    incoming = await arrive(probe, allocation)
    if await attempt_of(allocation.client, probe.target.patience) is None:
        raise NotOffered("no ConnectionAttempt comes")
    begun = probe.wire.now()
    peers = (("the client has opened", outgoing), ("the peer has opened", incoming))
    for name, peer in peers:
        until = begun + BIND_SECONDS - EARLY
        if await peer.receive(max(0.0, until - probe.wire.now())) is not None:
            seconds = probe.wire.now() - begun
            raise Violated(f"a connection that {name} is closed after {seconds:.0f} s already")
    for name, peer in peers:
        until = begun + BIND_SECONDS + LATE
        if await peer.receive(max(0.1, until - probe.wire.now())) != b"":
            seconds = probe.wire.now() - begun
            raise Violated(
                f"a connection that {name}, and not bound, is open after {seconds:.0f} s"
            )
    if (await allocation.refresh()).message_class is not Class.SUCCESS:
        raise NotOffered("the allocation is gone meanwhile")


@row(
    "TURN-TCP-14",
    "If no permission for this peer has been installed, the server MUST close the connection "
    "immediately after it has been accepted. Otherwise, it sends a ConnectionAttempt indication "
    "over the control connection, which MUST include XOR-PEER-ADDRESS and CONNECTION-ID.",
    Feature.TCP_RELAY,
    Feature.PEER,
)
async def connections_of_peers_are_announced(probe: Probe) -> None:
    await expect_no_nat(probe)
    allocation = await allocate_tcp(probe)
    client, patience = allocation.client, probe.target.patience
    stranger = await arrive(probe, allocation)
    if await stranger.receive(patience) != b"":
        raise Violated("the connection of a peer without a permission is not closed")
    if (message := await client.next_message(probe.target.silence)) is not None:
        detail = "the client is told of a peer without a permission"
        raise Violated(detail, Mark(message, 0, len(message)))
    await permit_peers(probe, allocation)
    peer = await arrive(probe, allocation)
    attempt = await attempt_of(client, patience)
    if attempt is None:
        raise Violated("no ConnectionAttempt comes for a peer with a permission")
    expect_attribute(attempt, Attr.XOR_PEER_ADDRESS)
    source = attempt.xor_address(Attr.XOR_PEER_ADDRESS)
    expect_value(attempt, Attr.XOR_PEER_ADDRESS, peer.local, source)
    value = expect_attribute(attempt, Attr.CONNECTION_ID)
    expect_value(attempt, Attr.CONNECTION_ID, CONNECTION_ID_BYTES, len(value))
    # Ids of connections that clients have opened are the business of other rows.
    other, _ = await pending(probe, allocation)
    await bound(probe, allocation, other)
    data = await stream_client(probe)
    response = await bind(data, allocation, value)
    expect_success(response, to="ConnectionBind with the id of a ConnectionAttempt")
    await peer.send(b"from the peer")
    await _expect_bytes(data.link.receive_bytes, b"from the peer", patience, why="what it sends")


@row(
    "TURN-TCP-15",
    "If the client connection transport is not TCP or TLS, or the request does not contain the "
    "CONNECTION-ID attribute, or if this attribute does not refer to an existing pending "
    "connection, the server MUST return a 400 (Bad Request) error.",
    Feature.TCP_RELAY,
)
async def a_bind_names_a_pending_connection(probe: Probe) -> None:
    allocation = await allocate_tcp(probe)
    connection_id, _ = await pending(probe, allocation)
    await bound(probe, allocation, connection_id)  # the way it is done right
    response = await bind(await stream_client(probe), allocation, connection_id)
    expect_error(response, 400, to="ConnectionBind to a connection that is bound already")
    connection_id, _ = await pending(probe, allocation)
    if not probe.target.transport.is_reliable:
        response = await bind(await probe.client(), allocation, connection_id)
        expect_error(
            response, 400, to=f"ConnectionBind over {probe.target.transport.value.upper()}"
        )
    unknown = bytes(each ^ 0x5A for each in connection_id)
    response = await bind(await stream_client(probe), allocation, unknown)
    expect_error(response, 400, to="ConnectionBind with an unknown CONNECTION-ID")
    response = await bind(await stream_client(probe), allocation, None)
    expect_error(response, 400, to="ConnectionBind without CONNECTION-ID")
    if Feature.SECOND_USER not in probe.survey.missing:
        client = await stream_client(probe, user=1)
        response = await bind(client, allocation, connection_id)
        expect_error(response, 400, 441, to="ConnectionBind of another user")


@row(
    "TURN-TCP-16",
    "Data received on the client connection MUST be sent as-is to the associated peer data "
    "connection, and the other way round; this includes data that was received before the "
    "ConnectionBind request was received.",
    Feature.TCP_RELAY,
)
async def bytes_are_passed_on_as_they_are(probe: Probe) -> None:
    allocation = await allocate_tcp(probe)
    connection_id, peer = await pending(probe, allocation)
    # It looks like messages, and is none.
    early = allocation.client.message(Method.BINDING).build() + b"\x40\x00\x00\x02hi"
    await peer.send(early)
    await probe.wire.sleep(probe.target.silence)
    data = await bound(probe, allocation, connection_id)
    patience, read = probe.target.patience, data.link.receive_bytes
    await _expect_bytes(read, early, patience, why="what a peer sends before the bind")
    request = data.message(Method.BINDING).build()
    await data.send(request)
    await _expect_bytes(peer.receive, request, patience, why="a client's STUN request as data")
    payload = probe.wire.random_bytes(PAYLOAD_BYTES)
    await data.send(payload)
    await _expect_bytes(peer.receive, payload, patience, why=f"{PAYLOAD_BYTES} bytes of a client")
    await peer.send(payload)
    await _expect_bytes(read, payload, patience, why=f"{PAYLOAD_BYTES} bytes of a peer")


async def _expect_bytes(read: Read, wanted: bytes, patience: float, *, why: str) -> None:
    """That these bytes come next, and no others."""
    received = b""
    while len(received) < len(wanted):
        chunk = await read(patience)
        if not chunk:
            state = "the connection ends" if chunk == b"" else "nothing more comes"
            raise Violated(f"{why}: {state} after {len(received)} of {len(wanted)} bytes")
        received += chunk
    if received != wanted:
        both = zip(received, wanted, strict=False)
        at = next((n for n, (a, b) in enumerate(both) if a != b), len(wanted))
        mark = Mark(received, at, min(at + 16, len(received)))
        raise Violated(f"{why}: comes as other bytes from number {at} on", mark)


@row(
    "TURN-TCP-17",
    "When a client data connection is closed, the server MUST close the corresponding peer data "
    "connection, and the other way round. If the allocation expires, the data connection MUST be "
    "closed.",
    Feature.TCP_RELAY,
)
async def one_end_closes_the_other(probe: Probe) -> None:
    allocation, patience = await allocate_tcp(probe), probe.target.patience
    by_client, by_peer, by_expiry = [await joined(probe, allocation) for _ in range(3)]
    by_client.data.link.close()
    await _expect_end(by_client.peer.receive, patience, why="the client has closed, and the peer")
    by_peer.peer.close()
    read = by_peer.data.link.receive_bytes
    await _expect_end(read, patience, why="the peer has closed, and the client")
    deletion = await allocation.refresh((Attr.LIFETIME, u32(0)))
    if deletion.message_class is not Class.SUCCESS:
        raise NotOffered("the allocation cannot be deleted")
    read = by_expiry.data.link.receive_bytes
    await _expect_end(read, patience, why="the allocation is gone, and the client")
    await _expect_end(by_expiry.peer.receive, patience, why="the allocation is gone, and the peer")


async def _expect_end(read: Read, patience: float, *, why: str) -> None:
    received = await read(patience)
    if received is None:
        raise Violated(f"{why} is still connected after {patience:g} s")
    if received:
        raise Violated(f"{why} receives more", Mark(received, 0, len(received)))


@row(
    "TURN-TCP-18",
    "Authentication of the client by the server MUST use the same method and credentials as for "
    "the control connection.",
    Feature.TCP_RELAY,
    Feature.LONG_TERM,
)
async def a_bind_wants_the_credentials_of_the_allocation(probe: Probe) -> None:
    allocation = await allocate_tcp(probe)
    # Each goes to a connection of its own: a server may close what was bound the wrong way.
    right, without, *others = [(await pending(probe, allocation))[0] for _ in range(4)]
    await bound(probe, allocation, right)
    client = await stream_client(probe)
    request = client.message(Method.CONNECTION_BIND, (Attr.CONNECTION_ID, without)).build()
    _expect_unbound(await client.ask(request), "ConnectionBind without credentials")
    mine, *more = probe.target.credentials
    wrong = (Credential(mine.username, "another password"), *more[:1])
    names = ("a wrong password", "credentials of another user")
    for credential, name, connection_id in zip(wrong, names, others, strict=False):
        client = await stream_client(probe)
        client.credential = credential
        try:
            response = await bind(client, allocation, connection_id)
        except Violated:  # silence is no success either
            continue
        _expect_unbound(response, f"ConnectionBind with {name}")
    await probe.is_alive()


def _expect_unbound(response: ReceivedMessage | None, what: str) -> None:
    if response is not None and response.message_class is Class.SUCCESS:
        raise Violated(f"{what} is met with success", Mark(response.data, 0, 20))


@row(
    "TURN-TCP-19",
    "If the relay process is no longer able to write data to the destination of the relayed data, "
    "the relay process stops reading data from the source (RFC 6062 section 3).",
    Feature.TCP_RELAY,
    alone=True,
)
async def a_client_that_does_not_read_stops_its_peer(probe: Probe) -> Outcome | None:
    pair = await joined(probe, await allocate_tcp(probe))
    flood = _Flood(pair.peer)
    begun = probe.wire.now()
    while await flood.goes_on():
        if flood.sent >= FLOOD_BYTES:
            raise Violated(f"{flood.sent >> 20} MiB are taken while the client reads nothing")
        if probe.wire.now() - begun > FLOOD_SECONDS:
            return skipped(f"{flood.sent >> 20} MiB in {FLOOD_SECONDS:g} s: too slow to tell")
    return await _drained(pair.data, flood, probe.target.patience)


class _Flood:
    """Bytes of a peer, as many as are taken; all are different, so that order shows."""

    def __init__(self, peer: StreamPort) -> None:
        self._peer = peer
        self.sent = 0
        self.digest = hashlib.sha256()

    async def goes_on(self) -> bool:
        """Send one chunk; whether the next would be taken soon."""
        chunk = (self.sent.to_bytes(8, "big") * (FLOOD_CHUNK // 8))[:FLOOD_CHUNK]
        self.sent += len(chunk)
        self.digest.update(chunk)
        return await self._peer.offer(chunk, STALLED_AFTER)


async def _drained(client: Client, flood: _Flood, patience: float) -> Outcome | None:
    """Once the client reads, all comes that was held back."""
    digest, received = hashlib.sha256(), 0
    while received < flood.sent:
        chunk = await client.link.receive_bytes(patience)
        if not chunk:
            return seen(f"the peer is stopped; then {received} of {flood.sent} bytes come")
        digest.update(chunk)
        received += len(chunk)
    if digest.digest() != flood.digest.digest():
        raise Violated(f"the peer is stopped; then {received} bytes come, which are others")
    return None
