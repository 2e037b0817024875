"""TURNC-TCP: a client with a TCP allocation (RFC 6062)."""

from __future__ import annotations

from typing import Final

from conformance.client import xor
from conformance.codes import Attr, Class, Method, attribute_name
from conformance.outcome import NotOffered, Violated

from .heard import Heard, is_request, message_of, whole
from .script import Action, Over, script
from .stage import Stage

TCP: Final = b"\x06\0\0\0"
NOT_FOR_TCP: Final = (Attr.DONT_FRAGMENT, Attr.EVEN_PORT, Attr.RESERVATION_TOKEN)
RETRY_PAUSE: Final = 10.0
ON_ITS_WAY: Final = 0.1
RETRY_PATIENCE: Final = 40.0
SHORT_LIFETIME: Final = 60
ATTEMPT: Final = b"\x12\x34\x56\x78"


async def tcp_allocation(stage: Stage) -> Heard:
    """An Allocate request for TCP, with credentials, unanswered.

    Raises:
        NotOffered: there is none.
    """
    request = await stage.begin(Method.ALLOCATE)
    if message_of(request).get(Attr.REQUESTED_TRANSPORT) != TCP:
        raise NotOffered("the client makes no TCP allocation (REQUESTED-TRANSPORT 6)")
    return request


async def connecting(stage: Stage) -> Heard:
    """A Connect request, unanswered.

    Raises:
        NotOffered: there is none.
    """
    stage.answer(await tcp_allocation(stage))
    return await stage.await_next(Method.CONNECT)


async def _binds(stage: Stage, control: Heard, connection_id: bytes) -> Heard | None:
    """The ConnectionBind request that belongs to an id; it is judged.

    Raises:
        Violated: it is not what it should be.
    """
    bind = await stage.seek(is_request(Method.CONNECTION_BIND, signed=False), stage.settings.pause)
    if bind is None:
        return None
    if bind.path == control.path:
        raise Violated("ConnectionBind comes over the control connection", whole(bind))
    if not bind.is_signed and Attr.REALM not in message_of(bind).types:
        stage.challenge(bind)
        bind = await stage.await_retry(bind)
    found = message_of(bind).get(Attr.CONNECTION_ID)
    if found != connection_id:
        said = "none" if found is None else found.hex()
        raise Violated(f"CONNECTION-ID is {said}, not {connection_id.hex()}", whole(bind))
    return bind


@script(
    "TURNC-TCP-01",
    "The client MUST request a TCP allocation over a TCP or TLS connection, with a "
    "REQUESTED-TRANSPORT of 6, and MUST NOT include DONT-FRAGMENT, EVEN-PORT or "
    "RESERVATION-TOKEN.",
    Action.CONNECT,
    over=Over.STREAM,
)
async def a_tcp_allocation_is_asked_for_rightly(stage: Stage) -> None:
    request = await tcp_allocation(stage)
    for kind in NOT_FOR_TCP:
        if kind in message_of(request).types:
            raise Violated(f"{attribute_name(kind)} is there", whole(request))


@script(
    "TURNC-TCP-02",
    "The client MUST initiate a new TCP connection to the server, utilizing the same destination "
    "transport address, from a different local one, and MUST send a ConnectionBind request over "
    "it with the CONNECTION-ID, echoed from the Connect success response.",
    Action.CONNECT,
    over=Over.STREAM,
)
async def a_connection_is_bound(stage: Stage) -> None:
    connect = await connecting(stage)
    if not connect.peers:
        raise Violated("Connect has no XOR-PEER-ADDRESS", whole(connect))
    reply = stage.right.bare(connect, Class.SUCCESS).add(Attr.CONNECTION_ID, ATTEMPT)
    stage.send(stage.right.integrity.sign(reply, connect).build(), connect.path)
    if await _binds(stage, connect, ATTEMPT) is None:
        if stage.ended is not None:
            raise NotOffered("the client ends before it could bind its connection")
        raise Violated("a Connect success is not followed by ConnectionBind")


@script(
    "TURNC-TCP-03",
    "447: The client MAY retry with the same XOR-PEER-ADDRESS attribute, but MUST wait at least "
    "10 seconds. Connect requests with the same XOR-PEER-ADDRESS parameter MUST NOT be sent "
    "simultaneously.",
    Action.CONNECT,
    over=Over.STREAM,
)
async def a_failed_connection_is_not_retried_at_once(stage: Stage) -> None:
    connect = await connecting(stage)
    others = [
        each
        for each in await stage.collect(1.0)
        if each.method == Method.CONNECT
        and each.peers == connect.peers
        and each.transaction_id != connect.transaction_id
    ]
    if others:
        raise Violated("two Connect requests for one peer are under way", whole(others[0]))
    refused = stage.now
    stage.refuse(connect, 447)
    again = await stage.seek(
        lambda heard: heard.method == Method.CONNECT and heard.peers == connect.peers,
        RETRY_PATIENCE,
    )
    if again is None:
        raise NotOffered("the client does not try that peer again")
    if again.at - refused < RETRY_PAUSE - ON_ITS_WAY:
        text = f"the client tries the peer again {again.at - refused:.1f} s after a 447"
        raise Violated(text, whole(again))


@script(
    "TURNC-TCP-04",
    "If the client wishes to accept this connection, it MUST initiate a new TCP connection to the "
    "server, from a different local transport address, and MUST send a ConnectionBind request "
    "over it with the CONNECTION-ID, echoed from the ConnectionAttempt indication.",
    Action.ACCEPT,
    over=Over.STREAM,
)
async def an_attempt_is_accepted(stage: Stage) -> None:
    stage.answer(await tcp_allocation(stage))
    permit = await stage.await_next(Method.CREATE_PERMISSION)
    stage.answer(permit)
    await stage.play(0.5)
    attempt = stage.right.indication(
        Method.CONNECTION_ATTEMPT,
        (Attr.CONNECTION_ID, ATTEMPT),
        xor(Attr.XOR_PEER_ADDRESS, stage.settings.peer),
    )
    stage.send(attempt.build(), permit.path)
    if await _binds(stage, permit, ATTEMPT) is None:
        raise NotOffered("the client does not accept a connection")


@script(
    "TURNC-TCP-05",
    "The client refreshes the allocation as long as it wants its data connections to live.",
    Action.CONNECT,
    over=Over.STREAM,
)
async def an_allocation_with_connections_is_kept(stage: Stage) -> None:
    stage.right.lifetime = SHORT_LIFETIME
    connect = await connecting(stage)
    begun = stage.now
    reply = stage.right.bare(connect, Class.SUCCESS).add(Attr.CONNECTION_ID, ATTEMPT)
    stage.send(stage.right.integrity.sign(reply, connect).build(), connect.path)
    bind = await _binds(stage, connect, ATTEMPT)
    if bind is None:
        raise NotOffered("the client does not bind its connection")
    stage.answer(bind)
    left = SHORT_LIFETIME - (stage.now - begun)
    refresh = await stage.seek(is_request(Method.REFRESH), left)
    if refresh is not None:
        return
    if stage.ended is not None and stage.ended.at < begun + SHORT_LIFETIME - 1:
        raise NotOffered("the client ends before the allocation does")
    raise Violated(f"{SHORT_LIFETIME} s of lifetime pass without a Refresh")
