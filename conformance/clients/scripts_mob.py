"""TURNC-MOB: a client that takes its allocation to another address (RFC 8016)."""

from __future__ import annotations

from typing import Final

from conformance.checks import mark_attribute
from conformance.codes import Attr, Method
from conformance.outcome import NotOffered, Outcome, Violated, seen

from .heard import Heard, message_of, whole
from .script import Action, Over, script
from .showing import after_the_end, waits
from .stage import Stage

SHORT_LIFETIME: Final = 60
MOVE_PATIENCE: Final = 40.0


def _ticket(heard: Heard) -> bytes | None:
    return None if heard.message is None else heard.message.get(Attr.MOBILITY_TICKET)


async def _mobile(stage: Stage) -> Heard:
    """An Allocate request with credentials that asks for a ticket, unanswered.

    Raises:
        NotOffered: it does not.
    """
    request = await stage.begin(Method.ALLOCATE)
    if _ticket(request) is None:
        raise NotOffered("the client does not ask for mobility (MOBILITY-TICKET)")
    stage.right.is_mobile = True
    return request


async def _moving(stage: Stage, request: Heard) -> Heard:
    """The Refresh with a ticket from another address, unanswered.

    Raises:
        NotOffered: there is none.
    """
    found = await stage.seek(
        lambda heard: heard.method == Method.REFRESH and heard.path != request.path,
        MOVE_PATIENCE,
    )
    if found is None:
        raise NotOffered("the client does not go to another address")
    return found


@script(
    "TURNC-MOB-01",
    "A client that supports mobility includes a MOBILITY-TICKET attribute of length zero in the "
    "Allocate request.",
    Action.MOVE,
)
async def a_ticket_is_asked_for(stage: Stage) -> Outcome:
    request = await stage.first(Method.ALLOCATE)
    if not request.is_signed:
        stage.challenge(request)
        request = await stage.await_retry(request)
    ticket = _ticket(request)
    if ticket is None:
        return seen("the client does not ask for mobility")
    if ticket:
        mark = mark_attribute(message_of(request), Attr.MOBILITY_TICKET)
        raise Violated(f"MOBILITY-TICKET has {len(ticket)} bytes, not 0", mark)
    return seen("the client asks for mobility")


@script(
    "TURNC-MOB-02",
    "If a client wants to refresh an existing allocation and update its time-to-expiry or delete "
    "an existing allocation, it MUST NOT include a MOBILITY-TICKET attribute.",
    Action.MOVE,
    over=Over.DATAGRAMS,
)
async def a_ticket_is_for_moving(stage: Stage) -> None:
    stage.right.lifetime = SHORT_LIFETIME
    request = await _mobile(stage)
    stage.answer(request)
    move = await _moving(stage, request)
    stage.answer(move)
    ids = set(stage.transactions(Method.REFRESH))
    for each in stage.heard:
        if each.method == Method.REFRESH and each.path == request.path and _ticket(each):
            raise Violated("a Refresh from the old address has MOBILITY-TICKET", whole(each))
    later = await stage.seek(
        lambda heard: (
            heard.method == Method.REFRESH
            and heard.path == move.path
            and heard.transaction_id not in ids
        ),
        SHORT_LIFETIME,
    )
    if later is None:
        raise NotOffered("the client does not refresh its allocation after that")
    if _ticket(later) is not None:
        raise Violated("a Refresh that is no move has MOBILITY-TICKET", whole(later))


@script(
    "TURNC-MOB-03",
    "The client uses the newest ticket, and sends no data from its new address before the "
    "Refresh request has succeeded.",
    Action.MOVE,
    over=Over.DATAGRAMS,
)
async def data_wait_for_the_move(stage: Stage) -> None:
    request = await _mobile(stage)
    stage.answer(request)
    move = await _moving(stage, request)
    if _ticket(move) not in stage.right.tickets.values():
        mark = mark_attribute(message_of(move), Attr.MOBILITY_TICKET) or whole(move)
        raise Violated("the Refresh from another address has not the newest ticket", mark)
    for each in await stage.collect(3.0):
        if each.path == move.path and each.transaction_id != move.transaction_id:
            raise Violated("the new address is used before the server knows it", whole(each))
    stage.answer(move)
    is_use = await stage.seek(
        lambda heard: heard.path == move.path and heard.method != Method.REFRESH,
        stage.settings.pause,
    )
    if is_use is None:
        raise NotOffered("the client sends nothing from its new address")


@script(
    "TURNC-MOB-04",
    "405 (Mobility Forbidden): the client SHOULD NOT ask for mobility again.",
    Action.MOVE,
)
async def a_refusal_of_mobility_is_believed(stage: Stage) -> None:
    request = await _mobile(stage)
    waiting = await waits(stage, request)
    stage.refuse(request, 405)
    beside = {each.path for each in stage.heard} - {request.path}

    def judge(heard: Heard) -> None:
        is_again = heard.method == request.method and heard.path not in beside
        if is_again and _ticket(heard) is not None:
            raise Violated("mobility is asked for again after a 405", whole(heard))

    await after_the_end(stage, waiting, judge)
