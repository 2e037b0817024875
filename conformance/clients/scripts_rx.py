"""STUNC-RX: what a client makes of responses (RFC 8489 sections 6.3.3 and 6.3.4)."""

from __future__ import annotations

from typing import Final

from conformance.codes import Attr, Class, Method
from conformance.outcome import NotOffered, Outcome, Violated, seen

from .heard import Heard, whole
from .script import Action, Over, script
from .scripts_ltc import first_unsigned
from .showing import (
    aftermath,
    begins_anew,
    expect_deaf,
    fails,
    goes_on_waiting,
    repeated,
    takes,
    waits,
)
from .stage import Stage

UNKNOWN: Final = 0x7FFE
"""A comprehension-required attribute that nobody knows."""

MAX_TRIES: Final = 5
"""Of a request that is always met with 500: it, and four more."""

WITHOUT_END: Final = 15
"""More than a client sends that gives up, and begins anew a few times."""

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
    Action.ALLOCATE_AGAIN,
)
async def unknown_attributes_fail_a_success(stage: Stage) -> None:
    request = await stage.begin()
    waiting = await waits(stage, request)
    stage.succeed(request, (UNKNOWN, b"\0\0\0\0"))
    await fails(stage, waiting, why="a success with an unknown required attribute")


@script(
    "STUNC-RX-02",
    "For the Binding method, the client checks that the XOR-MAPPED-ADDRESS attribute is present "
    "in the response.",
    Action.BINDING,
)
async def a_success_needs_an_address(stage: Stage) -> None:
    request = await stage.first(Method.BINDING)
    empty = stage.right.bare(request, Class.SUCCESS).build()
    await _does_not_satisfy(stage, request, empty, why="a Binding success without an address")


@script(
    "STUNC-RX-03",
    "If it is an unsupported address family, the attribute SHOULD be ignored.",
    Action.BINDING,
)
async def an_unknown_family_is_ignored(stage: Stage) -> None:
    request = await stage.first(Method.BINDING)
    reply = stage.right.bare(request, Class.SUCCESS).add(Attr.XOR_MAPPED_ADDRESS, BAD_FAMILY)
    await _does_not_satisfy(stage, request, reply.build(), why="an address of family 3")


async def _does_not_satisfy(stage: Stage, request: Heard, reply: bytes, *, why: str) -> None:
    """That a success is none: the client says that it has failed, or waits for a better one.

    Raises:
        Violated: it says that it has succeeded.
        NotOffered: it says nothing.
    """
    waiting = await waits(stage, request)
    stage.send(reply, request.path)
    copy = await repeated(stage, waiting)
    if copy is not None and not await takes(stage, copy):
        raise NotOffered("the client does not take a right response either")
    if copy is not None:
        return
    ended = await stage.told_end(45.0)
    if ended.succeeded:
        raise Violated(f"{why} satisfies the client")


@script(
    "STUNC-RX-04",
    "If the error response contains unknown comprehension-required attributes, or if it does not "
    "contain an ERROR-CODE attribute, then the transaction is simply considered to have failed.",
    Action.ALLOCATE_AGAIN,
)
async def an_error_with_unknown_attributes_is_the_end(stage: Stage) -> None:
    request = await first_unsigned(stage)
    waiting = await waits(stage, request)
    why = "a 401 with an unknown required attribute"
    stage.challenge(request, (UNKNOWN, b"\0\0\0\0"))

    def judge(heard: Heard) -> None:
        if heard.is_signed and heard.path == request.path:
            raise Violated(f"{why} is answered with credentials", whole(heard))

    found = await aftermath(stage, waiting, judge)
    if stage.ended is not None and stage.ended.succeeded:
        raise Violated(f"{why}: the client says that it has succeeded")
    if found.is_repeated:
        await expect_deaf(stage, request, why=why)
    await begins_anew(stage, found.later, request)


@script(
    "STUNC-RX-05",
    "If the error code is 400 through 499, the client declares the transaction failed. Any other "
    "error code causes the client to consider the transaction failed.",
    Action.REQUEST,
)
async def other_errors_are_the_end(stage: Stage) -> None:
    request = await stage.first()
    waiting = await waits(stage, request)
    stage.refuse(request, 600)
    await fails(stage, waiting, why="error 600")


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
        if len(tries) > WITHOUT_END:
            raise Violated(f"the request is sent {len(tries)} times and more", whole(heard))
    if len(tries) == 1:
        raise NotOffered("the client does not send the request again after a 500: it need not")
    if len(tries) > MAX_TRIES:
        return seen(f"the request is sent {len(tries)} times, or made anew")
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
    is_heard = request.method != Method.BINDING and not request.is_signed
    if is_heard:
        stage.challenge(request)
        request = await stage.await_retry(request)
    waiting = await waits(stage, request)
    reply = stage.right.answer(request)
    for junk in (*JUNK, reply[:-3], b"\x41" + reply[1:]):
        stage.send(junk, request.path)
    waiting = await goes_on_waiting(stage, waiting, JUNK[-1], why="junk")
    if waiting.is_over or await takes(stage, waiting.request):
        return
    if is_heard:
        raise Violated("after junk the right response is not understood", whole(request))
    raise NotOffered("the client does not take the right response, which may be for other reasons")
