"""TURNC-LIFE: how a client keeps an allocation, and gives it back (RFC 8656 section 8)."""

from __future__ import annotations

from typing import Final

from conformance.codes import Attr, Method
from conformance.outcome import NotOffered, Violated

from .heard import Heard, is_request, message_of, whole
from .script import Action, Over, script
from .scripts_ltc import expect_heard, expect_new_nonce, returns
from .showing import CROSSING, Waiting, aftermath, expect_unused, waits
from .stage import Stage

SHORT_LIFETIME: Final = 60
PERMITTING: Final = (Method.CREATE_PERMISSION, Method.CHANNEL_BIND)
LOSS_LIFETIME: Final = 180
"""Long enough for a transaction to time out, and another one to succeed."""

LONGEST_USE: Final = 90.0
"""Seconds after which a client that still sends will not be done soon."""

ON_ITS_WAY: Final = 1.0
"""Seconds in which a client may not have read an answer yet."""

SILENCE: Final = 30.0
"""Seconds without a message after which it is done."""

RTO: Final = 0.5
FIRST_OF_ALL: Final = 1 / 63
"""The first interval between seven requests, of the time from the first to the last."""

TRANSACTION: Final = 79
"""How many times its RTO a transaction takes over UDP (RFC 8489 section 6.2.1)."""

LEFT_FOR_ANOTHER: Final = 35.0
"""Seconds of the lifetime that must be left, or no client could try once more."""


async def refreshed(stage: Stage, lifetime: int = SHORT_LIFETIME) -> Heard:
    """The first Refresh of an allocation, unanswered.

    Raises:
        NotOffered: there is none in its lifetime.
    """
    stage.right.lifetime = lifetime
    stage.answer(await stage.begin(Method.ALLOCATE))
    return await stage.await_next(Method.REFRESH, seconds=lifetime)


async def expect_refresh(stage: Stage, request: Heard, end: float) -> None:
    """That an allocation is refreshed before its end, where its client has heard of it.

    Raises:
        Violated: it is not.
        NotOffered: the client has ended, or not heard of it.
    """
    begun, is_refresh = stage.now, is_request(Method.REFRESH)
    if await stage.seek(
        lambda heard: is_refresh(heard) and heard.path == request.path, end - begun
    ):
        return
    if stage.ended is not None or stage.is_closed(request.path):
        raise NotOffered("the client ends before the allocation does")
    expect_no_copies(stage, request, begun)
    if not stage.settings.is_watched and not stage.since(begun + CROSSING):
        raise NotOffered("nothing more is heard of the client: it may have ended")
    raise Violated(f"{end - begun:.0f} s of lifetime pass without a Refresh")


def expect_no_copies(stage: Stage, request: Heard, answered: float) -> None:
    """That a client does not send a request again that has been answered.

    Raises:
        NotOffered: it takes no notice of the answer.
    """
    for each in stage.since(answered + CROSSING):
        if each.transaction_id == request.transaction_id:
            raise NotOffered("the client does not take the response")


@script(
    "TURNC-LIFE-01",
    "To keep an allocation, the client refreshes it before its time-to-expiry is over.",
    Action.ALLOCATE,
)
async def a_refresh_comes_in_time(stage: Stage) -> None:
    stage.right.lifetime = SHORT_LIFETIME
    request = await stage.begin(Method.ALLOCATE)
    stage.answer(request)
    end = stage.now + SHORT_LIFETIME
    await expect_refresh(stage, request, end)


@script(
    "TURNC-LIFE-02",
    "If the client wishes to immediately remove an existing allocation, it includes a LIFETIME "
    "attribute with a value of zero. Clients SHOULD delete allocations that they no longer need.",
    Action.RELEASE,
)
async def an_allocation_is_given_back(stage: Stage) -> None:
    request = await stage.begin(Method.ALLOCATE)
    stage.answer(request)
    answered, end = stage.now, stage.now + LONGEST_USE
    while (heard := await stage.hear(SILENCE)) is not None:
        if heard.is_deletion:
            return
        stage.answer(heard)
        if stage.now > end:
            raise NotOffered("the client goes on using its allocation")
    expect_no_copies(stage, request, answered)
    if stage.ended is None and not stage.is_closed(request.path):
        raise NotOffered("the client neither uses its allocation nor ends")
    raise Violated("the client ends, and its allocation is not deleted")


@script(
    "TURNC-LIFE-03",
    "437 to a Refresh request: the allocation no longer exists, which the client believes.",
    Action.ALLOCATE,
)
async def a_lost_allocation_is_let_go(stage: Stage) -> None:
    refresh = await refreshed(stage)
    waiting = await waits(stage, refresh)
    stage.right.allocations.clear()
    stage.refuse(refresh, 437)
    await _is_let_go(stage, waiting, "437 to a Refresh", SHORT_LIFETIME)


async def _is_let_go(stage: Stage, waiting: Waiting, why: str, seconds: float) -> None:
    """That an allocation is no longer used, after an error that was just sent.

    Raises:
        Violated: it is.
        NotOffered: it is not seen that the client has heard that.
    """
    request, refused = waiting.request, stage.now
    begins_anew = False

    def judge(heard: Heard) -> None:
        nonlocal begins_anew
        begins_anew = begins_anew or heard.method == Method.ALLOCATE
        if heard.at > refused + ON_ITS_WAY and not begins_anew:
            expect_unused([heard], request.path, why)
        stage.answer(heard)

    found = await aftermath(stage, waiting, judge, seconds)
    if found.is_repeated:
        raise Violated(f"{why} is overlooked: the request is sent again", whole(request))
    if not found.is_taken:
        raise NotOffered("it is not seen whether the client has heard the response")


@script(
    "TURNC-LIFE-04",
    "438 to a Refresh request: the client MUST retry it with the new nonce.",
    Action.ALLOCATE,
)
async def a_refresh_survives_a_stale_nonce(stage: Stage) -> None:
    refresh = await refreshed(stage)
    waiting = await waits(stage, refresh)
    stage.right.renew_nonce()
    stage.challenge(refresh, code=438)
    again = await returns(stage, refresh)
    if again is None:
        await expect_heard(stage, waiting, why="a 438 to a Refresh")
        raise Violated("a 438 to a Refresh is not answered")
    expect_new_nonce(stage, again)
    if again.method != Method.REFRESH:
        raise Violated("after a 438 to a Refresh comes another request", whole(again))


@script(
    "TURNC-LIFE-05",
    "437 to a request other than Allocate: the client MUST assume that the allocation is gone.",
    Action.PERMIT,
)
async def a_mismatch_is_the_end_of_an_allocation(stage: Stage) -> None:
    stage.answer(await stage.begin(Method.ALLOCATE))
    permit = await stage.seek(
        lambda heard: heard.is_signed and heard.method in PERMITTING, stage.settings.pause
    )
    if permit is None:
        raise NotOffered("the client asks for no permission")
    waiting = await waits(stage, permit)
    stage.right.allocations.clear()
    stage.refuse(permit, 437)
    await _is_let_go(stage, waiting, "437 to a request for a permission", 8.0)


@script(
    "TURNC-LIFE-06",
    "In a Refresh of a dual allocation, REQUESTED-ADDRESS-FAMILY names a family whose address is "
    "still allocated.",
    Action.DUAL,
)
async def a_family_is_refreshed_while_it_is_there(stage: Stage) -> None:
    stage.right.lifetime = SHORT_LIFETIME
    request = await stage.begin(Method.ALLOCATE)
    if Attr.ADDITIONAL_ADDRESS_FAMILY not in message_of(request).types:
        raise NotOffered("the client does not ask for two addresses")
    stage.answer(request)
    deletion = await stage.seek(lambda heard: heard.is_deletion, stage.settings.pause)
    family = None if deletion is None else message_of(deletion).get(Attr.REQUESTED_ADDRESS_FAMILY)
    if deletion is None or family is None:
        raise NotOffered("the client does not give one of the two addresses back")
    stage.answer(deletion)
    for each in await stage.play(2 * SHORT_LIFETIME):
        is_other = each.transaction_id != deletion.transaction_id and each.path == deletion.path
        if each.method != Method.REFRESH or not is_other:
            continue
        if message_of(each).get(Attr.REQUESTED_ADDRESS_FAMILY) == family:
            raise Violated("a family that was given back is refreshed", whole(each))
        return
    raise NotOffered("the client does not refresh the other address")


@script(
    "TURNC-LIFE-07",
    "A Refresh that gets no answer does not end the refreshing: while the allocation lives, "
    "another one follows, or the client says that it has failed.",
    Action.ALLOCATE,
    over=Over.DATAGRAMS,
    slow=True,
)
async def a_lost_refresh_is_made_up_for(stage: Stage) -> None:
    refresh = await refreshed(stage, LOSS_LIFETIME)
    begun, rto = stage.heard[0].at, RTO
    is_next = is_request(Method.REFRESH)
    left = begun + LOSS_LIFETIME - refresh.at
    while (heard := await stage.hear(begun + LOSS_LIFETIME - stage.now)) is not None:
        if heard.path != refresh.path:
            stage.answer(heard)
            continue
        if is_next(heard) and heard.transaction_id != refresh.transaction_id:
            return
        if heard.transaction_id == refresh.transaction_id:
            rto = max(rto, FIRST_OF_ALL * (heard.at - refresh.at))
    if stage.ended is not None:
        if stage.ended.succeeded is None:
            raise NotOffered("it is not told how the client has ended (--status-tells)")
        if stage.ended.succeeded:
            raise Violated("the client ends as if nothing had happened")
        return
    if left < TRANSACTION * rto + LEFT_FOR_ANOTHER:
        raise NotOffered(f"the Refresh comes {left:.0f} s before the end: too late for another")
    raise Violated("after a Refresh without an answer there is no other")
