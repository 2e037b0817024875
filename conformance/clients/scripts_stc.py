"""STUNC-STC: a client with a short-term credential (RFC 8489 section 9.1)."""

from __future__ import annotations

from conformance.checks import mark_attribute
from conformance.codes import Attr, Method
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen

from .heard import Heard, is_request, message_of, whole
from .script import Action, Over, script
from .showing import discards, expect_answer_taken, waits
from .stage import Stage

AT_ONCE = 3.0
"""Seconds in which a transaction has ended immediately."""

ALGORITHMS = {
    Attr.MESSAGE_INTEGRITY: "MESSAGE-INTEGRITY",
    Attr.MESSAGE_INTEGRITY_SHA256: "MESSAGE-INTEGRITY-SHA256",
}


def algorithms_of(heard: Heard) -> set[Attr]:
    return {each for each in ALGORITHMS if each in message_of(heard).types}


async def _first_signed(stage: Stage) -> Heard:
    request = await stage.first(Method.BINDING)
    if not request.is_signed:
        raise NotOffered("the client does not use short-term credentials")
    return request


async def _second(stage: Stage, *, sha256: bool) -> Heard:
    """The request after one that was answered with an algorithm."""
    request = await _first_signed(stage)
    if len(algorithms_of(request)) < 2:
        raise NotOffered("the client knows the algorithm beforehand")
    stage.right.integrity.short_term_sha256 = sha256
    await waits(stage, request)
    before = set(stage.transactions())  # what is sent beside the first is no subsequent request
    stage.answer(request)
    wanted = is_request(Method.BINDING)
    second = await stage.seek(
        lambda heard: wanted(heard) and heard.transaction_id not in before,
        stage.settings.pause,
    )
    if second is None:
        raise NotOffered("the client sends no second request")
    return second


@script(
    "STUNC-STC-01",
    "The agent MUST include the USERNAME, MESSAGE-INTEGRITY-SHA256, and MESSAGE-INTEGRITY "
    "attributes in the message unless the agent knows from an external mechanism which message "
    "integrity algorithm is supported by both agents. The password is never included.",
    Action.SHORT_TERM,
)
async def a_request_proves_who_sends_it(stage: Stage) -> Outcome | None:
    request = await _first_signed(stage)
    message, user = message_of(request), stage.settings.user
    if user.password.encode() in request.data:
        at = request.data.index(user.password.encode())
        raise Violated("the password is there", Mark(request.data, at, at + len(user.password)))
    if message.text(Attr.USERNAME) != user.username:
        said = message.text(Attr.USERNAME)
        mark = mark_attribute(message, Attr.USERNAME) or whole(request)
        raise Violated(f"USERNAME is {said!r}, not {user.username!r}", mark)
    if not stage.right.integrity.is_authentic(request):
        raise Violated("the integrity is wrong", mark_attribute(message, Attr.MESSAGE_INTEGRITY))
    found = algorithms_of(request)
    if len(found) == 1:
        return seen(f"the request has {ALGORITHMS[found.pop()]} alone, as where that is agreed on")
    return None


@script(
    "STUNC-STC-02",
    "If the client only sent one of the MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 attributes "
    "in the request, the algorithm in the response has to match; otherwise, the response MUST be "
    "discarded.",
    Action.SHORT_TERM,
    over=Over.DATAGRAMS,
)
async def the_algorithm_of_the_response_matches(stage: Stage) -> None:
    request = await _first_signed(stage)
    if len(algorithms_of(request)) != 1:
        stage.right.integrity.short_term_sha256 = False
        stage.answer(request)
        request = await stage.await_next(Method.BINDING)
    if len(algorithms_of(request)) != 1:
        raise NotOffered("the client always sends both algorithms")
    waiting = await waits(stage, request)
    key, reply = stage.settings.user.password.encode(), stage.right.unsigned_success(request)
    if algorithms_of(request) == {Attr.MESSAGE_INTEGRITY}:
        reply.add_integrity_sha256(key)
    else:
        reply.add_integrity(key)
    why = "a response with the algorithm that was not sent"
    waiting = await discards(stage, waiting, reply.build(), why=why)
    await expect_answer_taken(stage, waiting)


@script(
    "STUNC-STC-03",
    "If the value does not match and the request was sent over an unreliable transport, the "
    "response MUST be discarded, as if it had never been received. This means that retransmits, "
    "if applicable, will continue.",
    Action.SHORT_TERM,
    over=Over.DATAGRAMS,
)
async def a_forged_response_is_as_none(stage: Stage) -> None:
    request = await _first_signed(stage)
    waiting = await waits(stage, request)
    reply = stage.right.unsigned_success(request).build()
    waiting = await discards(stage, waiting, reply, why="a response without integrity")
    forged = stage.right.integrity.sign_wrongly(
        stage.right.unsigned_success(request), request
    ).build()
    waiting = await discards(stage, waiting, forged, why="a response with wrong integrity")
    await expect_answer_taken(stage, waiting)


@script(
    "STUNC-STC-04",
    "If the request was sent over a reliable transport, the response MUST be discarded, and the "
    "layer MUST immediately end the transaction and signal that the integrity protection was "
    "violated.",
    Action.SHORT_TERM,
    over=Over.STREAM,
)
async def a_forged_response_ends_it_over_tcp(stage: Stage) -> None:
    request = await _first_signed(stage)
    await waits(stage, request)
    forged = stage.right.integrity.sign_wrongly(stage.right.unsigned_success(request), request)
    at = stage.now
    stage.send(forged.build(), request.path)
    second = await stage.seek(is_request(Method.BINDING), 45.0)
    if second is not None:
        _expect_at_once(second.at - at)
        _expect_not_believed(request, second)
        return
    ended = await stage.told_end(0.0)
    if ended.succeeded:
        raise Violated("a response with wrong integrity satisfies the client")
    _expect_at_once(ended.at - at)


def _expect_at_once(waited: float) -> None:
    if waited > AT_ONCE:
        raise Violated(f"the transaction ends {waited:.1f} s after the forged response")


def _expect_not_believed(first: Heard, second: Heard) -> None:
    """That the request after a forged response does not take its algorithm for agreed on.

    Raises:
        NotOffered: the client had no choice.
    """
    if len(algorithms_of(first)) < 2:
        raise NotOffered("whether the forged response was believed is not told")
    if len(algorithms_of(second)) < 2:
        raise Violated("the algorithm of a forged response is taken for agreed on", whole(second))


@script(
    "STUNC-STC-05",
    "A client sending subsequent requests to the same server MUST send only the "
    "MESSAGE-INTEGRITY-SHA256 or the MESSAGE-INTEGRITY attribute that matches the attribute that "
    "was received in the response to the initial request.",
    Action.SHORT_TERM,
)
async def later_requests_have_one_algorithm(stage: Stage) -> None:
    second = await _second(stage, sha256=True)
    found = algorithms_of(second)
    if found != {Attr.MESSAGE_INTEGRITY_SHA256}:
        names = " and ".join(ALGORITHMS[each] for each in ALGORITHMS if each in found)
        raise Violated(f"the second request has {names or 'no integrity'}", whole(second))
