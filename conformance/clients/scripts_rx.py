"""STUNC-RX: what a client makes of responses (RFC 8489 sections 6.3.3 and 6.3.4)."""

from __future__ import annotations

from typing import Final

from conformance.codes import Attr, Method
from conformance.outcome import NotOffered, Outcome, Violated

from .script import Action, Over, script
from .stage import Stage, whole

UNKNOWN: Final = 0x7FFE
"""A comprehension-required attribute that nobody knows."""

MAX_TRIES: Final = 5
"""Of a request that is always met with 500: it, and four more."""

BAD_FAMILY: Final = bytes.fromhex("00032112aabbccdd")
JUNK: Final = (
    b"",
    b"\0",
    b"hello",
    bytes(20),
    bytes.fromhex("0101000021 12a442"),
    bytes(range(64)),
    b"\xff" * 100,
)


@script(
    "STUNC-RX-01",
    "If the success response contains unknown comprehension-required attributes, the response "
    "is discarded and the transaction is considered to have failed.",
    Action.PERMIT,
)
async def unknown_attributes_fail_a_success(stage: Stage) -> None:
    request = await stage.first()
    if request.method != Method.BINDING and not request.is_signed:
        stage.challenge(request)
        request = await stage.await_retry(request)
    stage.succeed(request, (UNKNOWN, b"\0\0\0\0"))
    await stage.gives_up(request, why="a success with an unknown required attribute")


@script(
    "STUNC-RX-02",
    "For the Binding method, the client checks that the XOR-MAPPED-ADDRESS attribute is present "
    "in the response.",
    Action.BINDING,
)
async def a_success_needs_an_address(stage: Stage) -> None:
    request = await stage.first(Method.BINDING)
    reply = stage.right.error(request, 400)
    empty = b"\x01\x01" + bytes(2) + reply[4:20]
    stage.send(empty, request.path)
    ended = await stage.told_end(45.0)
    if ended.succeeded:
        raise Violated("a Binding success without an address satisfies the client")


@script(
    "STUNC-RX-03",
    "If it is an unsupported address family, the attribute SHOULD be ignored.",
    Action.BINDING,
)
async def an_unknown_family_is_ignored(stage: Stage) -> Outcome | None:
    request = await stage.first(Method.BINDING)
    reply = stage.right.error(request, 400)
    body = int(Attr.XOR_MAPPED_ADDRESS).to_bytes(2, "big") + b"\0\x08" + BAD_FAMILY
    stage.send(b"\x01\x01\0\x0c" + reply[4:20] + body, request.path)
    ended = await stage.told_end(45.0)
    if ended.succeeded:
        raise Violated("an address of family 3 satisfies the client")
    return None


@script(
    "STUNC-RX-04",
    "If the error response contains unknown comprehension-required attributes, or if it does not "
    "contain an ERROR-CODE attribute, then the transaction is simply considered to have failed.",
    Action.ALLOCATE,
)
async def an_error_with_unknown_attributes_is_the_end(stage: Stage) -> None:
    request = await stage.first()
    if request.is_signed:
        raise NotOffered("the client begins with credentials: it knows the server")
    stage.challenge(request, (UNKNOWN, b"\0\0\0\0"))
    for each in await stage.collect(6.0):
        if each.transaction_id == request.transaction_id and not stage.is_stream:
            raise Violated("the request is sent again after an error response", whole(each))
        if each.is_signed:
            what = "a 401 with an unknown required attribute"
            raise Violated(f"{what} is answered with credentials", whole(each))


@script(
    "STUNC-RX-05",
    "If the error code is 400 through 499, the client declares the transaction failed. Any other "
    "error code causes the client to consider the transaction failed.",
    Action.REQUEST,
)
async def other_errors_are_the_end(stage: Stage) -> None:
    request = await stage.first()
    stage.refuse(request, 600)
    await stage.gives_up(request, why="error 600")


@script(
    "STUNC-RX-06",
    "If the error code is 500 through 599, the client MAY resend the request; clients that do so "
    "MUST limit the number of times they do this (SHOULD be limited to 4).",
    Action.REQUEST,
)
async def server_errors_are_not_retried_for_ever(stage: Stage) -> Outcome | None:
    request = await stage.first()
    tries = {request.transaction_id}
    stage.refuse(request, 500)
    until = stage.now + 45.0
    while (heard := await stage.hear(until - stage.now)) is not None:
        if not heard.is_request or heard.method != request.method:
            continue
        tries.add(heard.transaction_id)
        stage.refuse(heard, 500)
        if len(tries) > MAX_TRIES:
            raise Violated(f"the request is sent {len(tries)} times and more", whole(heard))
    return None


@script(
    "STUNC-RX-08",
    "The client checks that what it receives is a STUN message; if it is not, the message is "
    "silently discarded.",
    Action.REQUEST,
    over=Over.DATAGRAMS,
)
async def junk_does_not_disturb(stage: Stage) -> None:
    request = await stage.first()
    reply = stage.right.answer(request)
    for junk in (*JUNK, reply[:-3], b"\x41" + reply[1:]):
        stage.send(junk, request.path)
    await stage.goes_on_asking(request, why="junk")
    stage.send(reply, request.path)
    retry = request.method != Method.BINDING and not request.is_signed
    for each in await stage.collect(9.0):
        if each.transaction_id == request.transaction_id:
            raise Violated("after junk the right response is not understood", whole(each))
        retry = retry and not each.is_signed
    if retry:
        raise NotOffered("the client does not come back with credentials")
