"""TURNC-LIFE: how a client keeps an allocation, and gives it back (RFC 8656 section 8)."""

from __future__ import annotations

from typing import Final

from conformance.codes import Attr, Method
from conformance.outcome import NotOffered, Violated

from .heard import Heard
from .right import message_of
from .script import Action, Over, script
from .scripts_ltc import expect_new_nonce, returns
from .stage import Stage, expect_unused, is_request, whole

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
    refresh = await stage.seek(is_request(Method.REFRESH), SHORT_LIFETIME)
    if refresh is None:
        if stage.ended is not None and stage.ended.at < end - 1:
            raise NotOffered("the client ends before the allocation does")
        raise Violated(f"{SHORT_LIFETIME} s of lifetime pass without a Refresh")


@script(
    "TURNC-LIFE-02",
    "If the client wishes to immediately remove an existing allocation, it includes a LIFETIME "
    "attribute with a value of zero. Clients SHOULD delete allocations that they no longer need.",
    Action.RELEASE,
)
async def an_allocation_is_given_back(stage: Stage) -> None:
    stage.answer(await stage.begin(Method.ALLOCATE))
    end = stage.now + LONGEST_USE
    while (heard := await stage.hear(SILENCE)) is not None:
        if heard.is_deletion:
            return
        stage.answer(heard)
        if stage.now > end:
            raise NotOffered("the client goes on using its allocation")
    raise Violated("the allocation is not deleted")


@script(
    "TURNC-LIFE-03",
    "437 to a Refresh request: the allocation no longer exists, which the client believes.",
    Action.ALLOCATE,
)
async def a_lost_allocation_is_let_go(stage: Stage) -> None:
    refresh = await refreshed(stage)
    stage.right.allocations.clear()
    stage.refuse(refresh, 437)
    await stage.play(ON_ITS_WAY)
    later = await stage.play(SHORT_LIFETIME)
    new = next((n for n, each in enumerate(later) if each.method == Method.ALLOCATE), len(later))
    expect_unused(later[:new], refresh.path, "437 to a Refresh")


@script(
    "TURNC-LIFE-04",
    "438 to a Refresh request: the client MUST retry it with the new nonce.",
    Action.ALLOCATE,
)
async def a_refresh_survives_a_stale_nonce(stage: Stage) -> None:
    refresh = await refreshed(stage)
    stage.right.renew_nonce()
    stage.challenge(refresh, code=438)
    again = await returns(stage, refresh)
    if again is None:
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
    stage.right.allocations.clear()
    stage.refuse(permit, 437)
    await stage.play(ON_ITS_WAY)
    later = await stage.play(8.0)
    new = next((n for n, each in enumerate(later) if each.method == Method.ALLOCATE), len(later))
    expect_unused(later[:new], permit.path, "437 to a request for a permission")


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
        is_other = each.transaction_id != deletion.transaction_id
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
    begun = stage.heard[0].at
    is_next = is_request(Method.REFRESH)
    left = begun + LOSS_LIFETIME - refresh.at
    while (heard := await stage.hear(begun + LOSS_LIFETIME - stage.now)) is not None:
        if is_next(heard) and heard.transaction_id != refresh.transaction_id:
            return
    if stage.ended is not None:
        if stage.ended.succeeded:
            raise Violated("the client ends as if nothing had happened")
        return
    if left < 39.5 + LEFT_FOR_ANOTHER:
        raise NotOffered(f"the Refresh comes {left:.0f} s before the end: too late for another")
    raise Violated("after a Refresh without an answer there is no other")
