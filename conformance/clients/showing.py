"""What shows that a client has heard something: that it falls silent shows nothing.

A client that waits for an answer sends its request again (over UDP), or has its connection
open; one that then stops, goes on, or ends has taken the answer. One that does none of
these is not judged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Final

from conformance.codes import Class
from conformance.outcome import Mark, NotOffered, Violated
from transport import Path

from .heard import Heard, whole
from .stage import Stage

FIRST_COPY: Final = 4.0
"""Seconds in which a client that sends its request again does so; RTO is 0.5, or more."""

LEISURE: Final = 1.0
"""Seconds that a client waits at least over a stream: one that ends sooner waits for nothing."""

CROSSING: Final = 0.2
"""Seconds in which a copy and an answer may pass each other."""

AFTERMATH: Final = 6.0

USES = frozenset({0x004, 0x008, 0x009, 0x00A})
"""Refresh, CreatePermission, ChannelBind, Connect: what one does with an allocation."""

Judge = Callable[[Heard], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Waiting:
    """A request whose client waits for the answer. ``gap`` is the time to its second copy; None
    where there is none. With ``is_over`` it was answered, to see that it waits."""

    request: Heard
    gap: float | None
    is_over: bool = False

    @property
    def next_copy(self) -> float:
        """Seconds in which the next copy comes, if one does."""
        return 3.0 if self.gap is None else 2.3 * self.gap + 1.0


@dataclasses.dataclass(frozen=True, slots=True)
class Aftermath:
    """What comes after an answer. ``is_repeated`` where the request is sent again."""

    later: tuple[Heard, ...]
    is_repeated: bool
    is_taken: bool


async def waits(stage: Stage, request: Heard) -> Waiting:
    """That the client waits for an answer.

    Raises:
        NotOffered: it ends before it gets one.
    """
    copy = None
    if stage.is_stream:
        await stage.pause(LEISURE)
    else:
        copy = await _copy(stage, request, FIRST_COPY)
    if _is_gone(stage, request):
        raise NotOffered("the client ends before it is answered")
    return Waiting(copy or request, None if copy is None else copy.at - request.at)


async def _copy(stage: Stage, request: Heard, seconds: float) -> Heard | None:
    """The request once more; what comes before it is heard later."""
    aside: list[Heard] = []
    until = stage.now + seconds
    found = None
    while found is None and (heard := await stage.hear(until - stage.now)) is not None:
        if heard.transaction_id == request.transaction_id:
            found = heard
        else:
            aside.append(heard)
    stage.inbox.extendleft(reversed(aside))
    return found


def _is_gone(stage: Stage, request: Heard) -> bool:
    return stage.ended is not None or stage.is_closed(request.path)


async def aftermath(
    stage: Stage, waiting: Waiting, judge: Judge, seconds: float = AFTERMATH
) -> Aftermath:
    """What comes after the answer that was just sent, unanswered; each is judged."""
    answered, later, repeated = stage.now, [], False
    request = waiting.request
    until = answered + max(seconds, waiting.next_copy)
    while (heard := await stage.hear(until - stage.now)) is not None:
        if heard.transaction_id != request.transaction_id:
            judge(heard)
            later.append(heard)
        elif not stage.is_stream and heard.at > answered + CROSSING:
            repeated = True
            break
    is_known = stage.is_stream or waiting.gap is not None or bool(later)
    is_taken = not repeated and (is_known or _is_gone(stage, request))
    return Aftermath(tuple(later), repeated, is_taken)


async def after_the_end(
    stage: Stage, waiting: Waiting, judge: Judge, seconds: float = AFTERMATH
) -> tuple[Heard, ...]:
    """What comes after an answer that is the end of a transaction, where it was taken for that.

    Raises:
        Violated: of ``judge``.
        NotOffered: it is not seen that the client has heard it.
    """
    found = await aftermath(stage, waiting, judge, seconds)
    if found.is_repeated:
        raise NotOffered("the client takes no notice of the response: the request is sent again")
    if not found.is_taken:
        raise NotOffered("it is not seen whether the client has heard the response")
    return found.later


async def fails(stage: Stage, waiting: Waiting, *, why: str) -> None:
    """That the client takes a transaction for failed, after the answer that was just sent: it
    says so, or begins anew.

    Raises:
        Violated: it sends the request again, or goes on as if it had succeeded.
        NotOffered: neither is seen.
    """
    request = waiting.request
    found = await aftermath(stage, waiting, lambda heard: expect_unused([heard], request.path, why))
    if stage.ended is not None and stage.ended.succeeded:
        raise Violated(f"{why}: the client says that it has succeeded")
    if found.is_repeated:
        await expect_deaf(stage, request, why=why)
    begins_anew = any(
        each.is_deletion or (each.is_request and each.method == request.method)
        for each in found.later
    )
    if begins_anew or (stage.ended is not None and stage.ended.succeeded is False):
        return
    raise NotOffered(
        "the client falls silent: whether that is because the transaction has failed is not told "
        "(--status-tells)"
    )


async def begins_anew(stage: Stage, later: Sequence[Heard], request: Heard) -> Heard:
    """That a client which does not come back with credentials would have done so: the request
    that it makes anew, among ``later``, is challenged rightly. The request with credentials.

    Raises:
        NotOffered: it makes none, or does not answer challenges.
    """
    again = next((each for each in later if _is_anew(each, request)), None)
    if again is None:
        again = await stage.seek(lambda each: _is_anew(each, request), stage.settings.pause)
    if again is None:
        raise NotOffered(
            "the client makes no other request: whether it answers challenges is not seen"
        )
    stage.challenge(again)
    return await stage.await_retry(again)


def _is_anew(heard: Heard, request: Heard) -> bool:
    is_other = heard.transaction_id != request.transaction_id
    return is_other and heard.is_request and heard.method == request.method and not heard.is_signed


async def repeated(stage: Stage, waiting: Waiting) -> Heard | None:
    """The request as it comes again after the answer that was just sent, or None."""
    answered = stage.now
    while (copy := await _copy(stage, waiting.request, waiting.next_copy)) is not None:
        if copy.at > answered + CROSSING:
            return copy
    return None


async def expect_deaf(stage: Stage, request: Heard, *, why: str) -> None:
    """Whether a client that sends its request on takes any response at all.

    Raises:
        Violated: it does, so that it has overlooked the one before.
        NotOffered: it does not.
    """
    if await takes(stage, request):
        raise Violated(f"{why}: the request is sent again", whole(request))
    raise NotOffered("the client takes no response, not even a right one")


async def takes(stage: Stage, request: Heard) -> bool:
    """Whether the client takes the right answer, which this sends: it goes on, ends, or no
    longer sends the request that it has sent again until now."""
    copies = [each.at for each in stage.heard if each.transaction_id == request.transaction_id]
    wait = 3.0 if len(copies) < 2 else 2.3 * (copies[-1] - copies[-2]) + 1.0
    known, answered = set(stage.transactions()), stage.now
    stage.answer(request)
    until = answered + max(wait, stage.settings.pause if len(copies) < 2 else 0.0)
    while (heard := await stage.hear(until - stage.now)) is not None:
        if heard.transaction_id == request.transaction_id:
            if heard.at > answered + CROSSING:
                return False
        elif heard.path == request.path and heard.transaction_id not in known:
            stage.inbox.appendleft(heard)
            return True
    if stage.ended is not None:
        return stage.ended.succeeded is not False
    return len(copies) > 1 or stage.is_closed(request.path)


async def discards(stage: Stage, waiting: Waiting, forged: bytes, *, why: str) -> Waiting:
    """That a response is taken for not received, so that the client still waits for one.

    Raises:
        Violated: the client takes it.
        NotOffered: that cannot be seen.
    """
    if waiting.is_over:
        return waiting
    stage.send(forged, waiting.request.path)
    return await goes_on_waiting(stage, waiting, forged, why=why)


async def goes_on_waiting(stage: Stage, waiting: Waiting, sent: bytes, *, why: str) -> Waiting:
    """As ``discards``, of what was just sent."""
    if waiting.is_over:
        return waiting
    mark = at_message(sent)
    request = waiting.request
    known = set(stage.transactions())
    until = stage.now + waiting.next_copy
    while (heard := await stage.hear(until - stage.now)) is not None:
        if heard.transaction_id == request.transaction_id:
            return Waiting(heard, heard.at - request.at)
        expect_unused([heard], request.path, why)
        is_next = heard.is_request and heard.transaction_id not in known
        if is_next and heard.method == request.method and heard.path == request.path:
            raise Violated(f"{why}: the client goes on to another request", whole(heard))
    if stage.ended is not None and stage.ended.succeeded:
        raise Violated(f"{why} should change nothing: the client says that it has succeeded", mark)
    if stage.ended is not None and waiting.gap is not None:
        raise Violated(f"{why} should change nothing: the client ends", mark)
    if stage.ended is None and await takes_late(stage, request):
        return dataclasses.replace(waiting, is_over=True)
    if waiting.gap is None:
        raise NotOffered("the client does not send its request again, and takes no response")
    raise Violated(f"{why} should change nothing: the request is not sent again", mark)


def at_message(data: bytes) -> Mark:
    """A message that decides, with nothing wrong in it: what the client makes of it is."""
    return Mark(data, 0, 0)


async def takes_late(stage: Stage, request: Heard) -> bool:
    """Whether a client that has fallen silent still waits for the answer, which this sends."""
    known = set(stage.transactions())
    stage.answer(request)
    until = stage.now + stage.settings.pause
    while (heard := await stage.hear(until - stage.now)) is not None:
        if heard.path == request.path and heard.transaction_id not in known:
            stage.inbox.appendleft(heard)
            return True
    return stage.ended is not None and stage.ended.succeeded is not False


async def expect_answer_taken(stage: Stage, waiting: Waiting) -> None:
    """A positive control.

    Raises:
        NotOffered: the right answer is not taken either.
    """
    if not waiting.is_over and not await takes(stage, waiting.request):
        raise NotOffered("the client does not take the right response either")


def expect_unused(later: Sequence[Heard], path: Path, why: str) -> None:
    """That nobody works with an allocation of this 5-tuple, where there is none."""
    for each in later:
        if each.path != path:
            continue
        if each.channel is not None or (
            (each.method in USES and not each.is_deletion)
            or (each.message is not None and each.message.message_class is Class.INDICATION)
        ):
            raise Violated(f"{why}: the client goes on as if it had succeeded", whole(each))
