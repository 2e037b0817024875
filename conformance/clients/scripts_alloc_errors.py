"""TURNC-ALLOC, continued: Allocate error responses (RFC 8656 section 7.4)."""

from __future__ import annotations

from typing import Final

from conformance.codes import Attr, Method
from conformance.outcome import NotOffered, Outcome, Violated, seen

from .heard import Heard, message_of, whole
from .right import alternate
from .script import Action, Over, script
from .scripts_alt import arrival
from .scripts_ltc import expect_heard, returns
from .showing import after_the_end, waits
from .stage import Stage

MISMATCH_TRIES: Final = 3


@script(
    "TURNC-ALLOC-07",
    "437: The client SHOULD pick another client transport address and retry the Allocate request. "
    "It SHOULD try three different client transport addresses before giving up on this server. "
    "Once it gives up, it SHOULD NOT try to create another allocation for 2 minutes.",
    Action.ALLOCATE,
    over=Over.DATAGRAMS,
)
async def other_ports_are_tried_after_a_mismatch(stage: Stage) -> Outcome | None:
    request = await stage.begin(Method.ALLOCATE)
    stage.refuse(request, 437)
    allocations = len({each.path for each in stage.heard})
    until = stage.now + 45.0
    while (heard := await stage.hear(until - stage.now)) is not None:
        if not heard.is_request:
            continue
        if heard.is_signed:
            stage.refuse(heard, 437)
        else:
            stage.challenge(heard)
    asked = _wish(request)  # the other one of two families has ports of its own
    tried = [
        each for each in stage.heard if each.method == Method.ALLOCATE and _wish(each) == asked
    ]
    ports = {each.path.remote for each in tried}
    if len(ports) > MISMATCH_TRIES * allocations:
        raise Violated(f"{len(ports)} local addresses are tried in 45 s", whole(tried[-1]))
    if len(ports) == 1:
        return seen("no other local address is tried")
    return None


@script(
    "TURNC-ALLOC-08",
    "440: If the client receives an Allocate error response with the 440 (Address Family not "
    "Supported) error code, the client MUST NOT retry the request.",
    Action.ALLOCATE,
)
async def an_unsupported_family_is_the_end(stage: Stage) -> None:
    request = await stage.begin(Method.ALLOCATE)
    waiting = await waits(stage, request)
    stage.refuse(request, 440)
    asked = _wish(request)
    beside = {each.path for each in stage.heard} - {request.path}

    def judge(heard: Heard) -> None:
        is_same = heard.method == Method.ALLOCATE and _wish(heard) == asked
        if is_same and heard.path not in beside:
            text = "the same request is made again after a 440 (Address Family not Supported)"
            raise Violated(text, whole(heard))

    await after_the_end(stage, waiting, judge, 10.0)


def _wish(heard: Heard) -> tuple[bytes | None, bytes | None]:
    message = message_of(heard)
    additional = message.get(Attr.ADDITIONAL_ADDRESS_FAMILY)
    return message.get(Attr.REQUESTED_ADDRESS_FAMILY), additional


@script(
    "TURNC-ALLOC-09",
    "420 with DONT-FRAGMENT in UNKNOWN-ATTRIBUTES: the client MAY choose to retry the Allocate "
    "request without the DONT-FRAGMENT attribute.",
    Action.SEND_WHOLE,
    over=Over.DATAGRAMS,
)
async def whether_it_does_without_dont_fragment(stage: Stage) -> Outcome:
    request = await stage.begin(Method.ALLOCATE)
    if Attr.DONT_FRAGMENT not in message_of(request).types:
        raise NotOffered("the client does not ask for DONT-FRAGMENT")
    listed = int(Attr.DONT_FRAGMENT).to_bytes(2, "big")
    stage.refuse(request, 420, (Attr.UNKNOWN_ATTRIBUTES, listed))
    again = await returns(stage, request)
    if again is None:
        return seen("the client gives up")
    if Attr.DONT_FRAGMENT in message_of(again).types:
        raise Violated("the request is made again with DONT-FRAGMENT", whole(again))
    return seen("the client asks again without DONT-FRAGMENT")


@script(
    "TURNC-ALLOC-11",
    "300: the client SHOULD try the Allocate request with the alternate server before trying any "
    "other servers.",
    Action.ALLOCATE,
)
async def the_alternate_server_comes_first(stage: Stage) -> None:
    request = await stage.begin(Method.ALLOCATE)
    waiting = await waits(stage, request)
    stage.refuse(request, 300, alternate(stage.elsewhere))
    found = await arrival(stage, stage.elsewhere)
    if found is None:
        await expect_heard(stage, waiting, why="a 300")
        raise Violated("the alternate server is not tried")
    if found.method != Method.ALLOCATE:
        raise Violated("what comes to the alternate server is no Allocate request", whole(found))
