"""TURN-TCP: connections of peers, and binding connections (RFC 6062 sections 5.3 and 5.4)."""

from __future__ import annotations

from typing import Final

from conformance.client import Client
from conformance.codes import Attr, Class, Method
from conformance.expect import expect_attribute, expect_error, expect_success, expect_value
from conformance.outcome import Mark, NotOffered, Violated
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
    expect_bytes,
    expect_no_nat,
    pending,
    permit_peers,
)

BIND_SECONDS: Final = 30.0
"""That a connection waits to be bound (sections 5.2 and 5.3)."""

EARLY: Final = 1.0
LATE: Final = 5.0
"""Seconds before and behind that which are tolerated of a server's timer."""


@row(
    "TURN-TCP-13",
    "If no ConnectionBind request associated with this peer data connection is received after "
    "30 seconds, the peer data connection MUST be closed.",
    Feature.TCP_RELAY,
    Feature.PEER,
    Feature.REFRESH,
    slow=True,
)
async def what_is_not_bound_is_closed(probe: Probe) -> None:
    allocation = await allocate_tcp(probe)
    await permit_peers(probe, allocation)
    # A server's timer runs from when it has a connection: not before this, not behind begun.
    began_outgoing = probe.wire.now()
    _, outgoing = await pending(probe, allocation)
    began_incoming = probe.wire.now()
    incoming = await arrive(probe, allocation)
    await _need_attempt(allocation.client, probe.target.patience)
    begun = probe.wire.now()
    peers = (
        ("the client has opened", outgoing, began_outgoing),
        ("the peer has opened", incoming, began_incoming),
    )
    for name, peer, began in peers:
        until = began + BIND_SECONDS - EARLY
        if await peer.receive(max(0.0, until - probe.wire.now())) is not None:
            seconds = probe.wire.now() - began
            raise Violated(f"a connection that {name} is closed after {seconds:.0f} s already")
    for name, peer, _ in peers:
        until = begun + BIND_SECONDS + LATE
        if await peer.receive(max(0.1, until - probe.wire.now())) != b"":
            seconds = probe.wire.now() - begun
            raise Violated(
                f"a connection that {name}, and not bound, is open after {seconds:.0f} s"
            )
    if (await allocation.refresh()).message_class is not Class.SUCCESS:
        raise NotOffered("the allocation is gone meanwhile")


async def _need_attempt(client: Client, seconds: float) -> None:
    """Raises:
    NotOffered: no ConnectionAttempt comes; that is the business of TURN-TCP-14.
    """
    try:
        attempt = await attempt_of(client, seconds)
    except Violated as error:
        raise NotOffered(error.detail) from error
    if attempt is None:
        raise NotOffered("no ConnectionAttempt comes")


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
    await expect_bytes(data.link.receive_bytes, b"from the peer", patience, why="what it sends")


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
