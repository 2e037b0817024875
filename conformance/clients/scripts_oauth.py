"""TURNC-OAUTH: a client with an access token (RFC 7635)."""

from __future__ import annotations

from typing import Final

from conformance.checks import mark_attribute
from conformance.codes import Attr, Method
from conformance.outcome import NotOffered, Violated

from .heard import Heard, message_of, whole
from .script import Action, Over, script
from .showing import discards, expect_answer_taken, waits
from .stage import Stage

SERVER_NAME: Final = b"turn.hairpin.test"
WITH_TOKEN: Final = (Method.ALLOCATE, Method.REFRESH)


async def _offered(stage: Stage) -> Heard:
    """A request with credentials, after a 401 that offers third-party authorization."""
    request = await stage.first(Method.ALLOCATE)
    if request.is_signed:
        raise NotOffered("the client begins with credentials: it knows the server")
    stage.challenge(request, (Attr.THIRD_PARTY_AUTHORIZATION, SERVER_NAME))
    return await stage.await_retry(request)


async def _with_token(stage: Stage) -> Heard:
    request = await _offered(stage)
    if Attr.ACCESS_TOKEN not in message_of(request).types:
        raise NotOffered("the client uses no access token")
    return request


@script(
    "TURNC-OAUTH-01",
    "If the client is able to comprehend THIRD-PARTY-AUTHORIZATION, it MUST ensure that "
    "third-party authorization takes precedence over first-party authentication.",
    Action.TOKEN,
)
async def a_token_comes_before_a_password(stage: Stage) -> None:
    request = await _with_token(stage)
    message, grant = message_of(request), stage.settings.grant
    if message.get(Attr.ACCESS_TOKEN) != grant.token:
        mark = mark_attribute(message, Attr.ACCESS_TOKEN)
        raise Violated("ACCESS-TOKEN is not the token that was granted", mark)
    if message.text(Attr.USERNAME) != grant.kid:
        mark = mark_attribute(message, Attr.USERNAME) or whole(request)
        raise Violated("beside ACCESS-TOKEN, USERNAME is not the kid", mark)


@script(
    "TURNC-OAUTH-02",
    "The ACCESS-TOKEN attribute stands in Allocate and Refresh requests alone; the key of "
    "MESSAGE-INTEGRITY is the mac_key.",
    Action.TOKEN,
)
async def the_mac_key_signs(stage: Stage) -> None:
    request = await _with_token(stage)
    stage.answer(request)
    signed = [each for each in (request, *await stage.play(4.0)) if each.is_signed]
    for each in signed:
        mark = mark_attribute(message_of(each), Attr.ACCESS_TOKEN)
        if mark is not None and each.method not in WITH_TOKEN:
            raise Violated("ACCESS-TOKEN is in a request that is no Allocate and no Refresh", mark)
        if not stage.right.integrity.is_authentic(each):
            raise Violated("the integrity is not that of the mac_key", whole(each))
    if all(each.method in WITH_TOKEN for each in signed):
        raise NotOffered("the client sends no request that has to do without its token")


@script(
    "TURNC-OAUTH-03",
    "If the response does not contain the MESSAGE-INTEGRITY attribute, or its value is wrong, the "
    "client MUST discard it.",
    Action.TOKEN,
    over=Over.DATAGRAMS,
)
async def a_forged_response_is_discarded(stage: Stage) -> None:
    request = await _with_token(stage)
    waiting = await waits(stage, request)
    unsigned = stage.right.unsigned_success(request).build()
    waiting = await discards(stage, waiting, unsigned, why="a success without integrity")
    forged = stage.right.integrity.sign_wrongly(
        stage.right.unsigned_success(request), request
    ).build()
    waiting = await discards(stage, waiting, forged, why="a success with wrong integrity")
    await expect_answer_taken(stage, waiting)
