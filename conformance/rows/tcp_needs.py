"""What rows about TCP allocations need on their way (RFC 6062)."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Final

from conformance.allocation import Allocation
from conformance.building import any_port, one_byte
from conformance.client import Attribute, Client, describe, xor
from conformance.codes import Attr, Class, Method
from conformance.expect import need_success
from conformance.link import ListeningPort, StreamPort
from conformance.outcome import Mark, NotOffered, Violated
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from transport import DecodeError, TransportAddress

from .stuns_tcp import stream_client

TCP: Final[Attribute] = (Attr.REQUESTED_TRANSPORT, one_byte(6))
CONNECTION_ID_BYTES: Final = 4
PING: Final = b"from the client"
PONG: Final = b"from the peer"

Read = Callable[[float], Awaitable[bytes | None]]
"""What comes next on a connection, given the seconds to wait: None is nothing, b"" its end."""


@dataclasses.dataclass(frozen=True, slots=True)
class Joined:
    """A client data connection, and the peer data connection that it is bound to."""

    data: Client
    peer: StreamPort


async def allocate_tcp(probe: Probe) -> Allocation:
    """A TCP allocation.

    Raises:
        NotOffered: there is none to be had.
    """
    client = await stream_client(probe)
    response, allocation = await probe.try_to_allocate(TCP, client=client)
    if allocation is None:
        raise NotOffered(f"Allocate for TCP is met with {describe(response)}")
    return allocation


async def connect(allocation: Allocation, peer: TransportAddress) -> ReceivedMessage:
    """The answer to a Connect request.

    Raises:
        Violated: there is none.
    """
    attribute = xor(Attr.XOR_PEER_ADDRESS, peer)
    return await allocation.client.authenticated(Method.CONNECT, attribute)


async def connected(allocation: Allocation, peer: ListeningPort) -> ReceivedMessage:
    """The success of a Connect request to a peer that listens.

    Raises:
        NotOffered: it cannot be reached, which may be the network's fault.
    """
    try:
        response = await connect(allocation, peer.local)
    except Violated as error:
        raise NotOffered(f"a peer that listens: {error.detail}") from error
    if response.message_class is not Class.SUCCESS:
        raise NotOffered(f"Connect to a peer that listens is met with {describe(response)}")
    return response


async def pending(
    probe: Probe, allocation: Allocation, peer: ListeningPort | None = None
) -> tuple[bytes, StreamPort]:
    """A connection to a peer that waits to be bound: its CONNECTION-ID, and the peer's end.

    Raises:
        NotOffered: there is none to be had.
    """
    listener = peer or await probe.listening_peer()
    response = await connected(allocation, listener)
    connection_id = response.get(Attr.CONNECTION_ID)
    stream = await listener.accept(probe.target.patience)
    if connection_id is None or stream is None:
        missing = "CONNECTION-ID" if connection_id is None else "connection at the peer"
        raise NotOffered(f"Connect is met with success, and there is no {missing}")
    return connection_id, stream


async def bind(
    client: Client, allocation: Allocation, connection_id: bytes | None
) -> ReceivedMessage:
    """The answer to a ConnectionBind request on this client's stream.

    It comes with the nonce of the control connection, as from clients that know it: there are
    servers that close a stream that begins with a request without credentials.

    Raises:
        Violated: there is none.
    """
    client.challenge = allocation.client.challenge
    attributes = () if connection_id is None else ((Attr.CONNECTION_ID, connection_id),)
    return await client.authenticated(Method.CONNECTION_BIND, *attributes)


async def bound(probe: Probe, allocation: Allocation, connection_id: bytes) -> Client:
    """A client data connection.

    Raises:
        NotOffered: the connection cannot be bound.
    """
    client = await stream_client(probe)
    try:
        response = await bind(client, allocation, connection_id)
    except Violated as error:
        raise NotOffered(error.detail) from error
    if response.message_class is not Class.SUCCESS:
        raise NotOffered(f"ConnectionBind is met with {describe(response)}")
    return client


async def joined(probe: Probe, allocation: Allocation) -> Joined:
    """A connection that is bound, and carries bytes both ways.

    Raises:
        NotOffered: there is none to be had.
    """
    connection_id, peer = await pending(probe, allocation)
    data = await bound(probe, allocation, connection_id)
    await data.send(PING)
    await peer.send(PONG)
    patience = probe.target.patience
    if await peer.receive(patience) != PING or await data.link.receive_bytes(patience) != PONG:
        raise NotOffered("a connection that is bound carries no bytes")
    return Joined(data, peer)


async def permit_peers(probe: Probe, allocation: Allocation) -> None:
    """Let peers of this host connect to an allocation.

    Raises:
        NotOffered: they may not.
    """
    await need_success(allocation.permit(any_port(probe.peer_ip)), "CreatePermission")


async def arrive(probe: Probe, allocation: Allocation) -> StreamPort:
    """A peer that has connected to an allocation.

    Raises:
        NotOffered: it cannot; that is the business of TURN-TCP-03.
    """
    try:
        return await probe.connecting_peer(allocation.relayed)
    except Violated as error:
        raise NotOffered(error.detail) from error


async def attempt_of(client: Client, seconds: float) -> ReceivedMessage | None:
    """The ConnectionAttempt indication that comes next, or None.

    Raises:
        Violated: something else comes.
    """
    data = await client.next_message(seconds)
    if data is None:
        return None
    try:
        message = ReceivedMessage.parse(data)
    except DecodeError as error:
        raise Violated(f"what comes on the control connection is no message: {error}") from error
    is_attempt = message.method == Method.CONNECTION_ATTEMPT
    if not is_attempt or message.message_class is not Class.INDICATION:
        raise Violated("what comes on the control connection is no ConnectionAttempt indication")
    return message


async def expect_no_nat(probe: Probe) -> None:
    """What the server sees of this host are its addresses.

    Raises:
        NotOffered: they are not.
    """
    client = await stream_client(probe)
    response = await client.request(Method.BINDING)
    mapped = response.xor_address(Attr.XOR_MAPPED_ADDRESS)
    if response.message_class is Class.ERROR:
        raise NotOffered(f"where the client is cannot be asked: {describe(response)} to Binding")
    if mapped != client.local:
        raise NotOffered(f"a NAT stands between: {client.local} is seen as {mapped}")


async def expect_bytes(read: Read, wanted: bytes, patience: float, *, why: str) -> None:
    """That these bytes come next, and no others.

    Raises:
        Violated: others come, or too few in time.
    """
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
