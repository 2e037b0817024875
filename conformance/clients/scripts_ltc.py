"""STUNC-LTC: a client with a long-term credential (RFC 8489 section 9.2)."""

from __future__ import annotations

from typing import Final

from conformance.checks import mark_attribute
from conformance.codes import COOKIE_PREFIX, Attr, Method, attribute_name
from conformance.outcome import NotOffered, Violated

from .heard import Heard, message_of, whole
from .right import NONCE_PREFIX, alternate
from .script import Action, Over, script
from .showing import (
    CROSSING,
    Waiting,
    after_the_end,
    discards,
    expect_answer_taken,
    expect_deaf,
    takes,
    waits,
)
from .stage import Stage

CREDENTIALS: Final = (
    Attr.USERNAME,
    Attr.USERHASH,
    Attr.MESSAGE_INTEGRITY,
    Attr.MESSAGE_INTEGRITY_SHA256,
    Attr.REALM,
    Attr.NONCE,
    Attr.PASSWORD_ALGORITHM,
    Attr.PASSWORD_ALGORITHMS,
)
LONG_NONCE: Final = b"/+=~ %" + b"n" * 121
"""127 characters, the most that there may be; some of them are escaped elsewhere."""

LATER: Final = (Method.CREATE_PERMISSION, Method.CHANNEL_BIND, Method.REFRESH)
MAX_STALE: Final = 20
"""Times that a 438 is answered: more is without end."""


async def first_unsigned(stage: Stage) -> Heard:
    """A first request that a challenge makes sense for."""
    request = await stage.first(Method.ALLOCATE)
    if request.is_signed:
        raise NotOffered("the client begins with credentials: it knows the server")
    return request


async def returns(stage: Stage, request: Heard, seconds: float = 6.0) -> Heard | None:
    """The request with credentials that comes after a challenge, or None.

    What comes on another 5-tuple is another story.
    """
    until = stage.now + seconds
    while (heard := await stage.hear(until - stage.now)) is not None:
        is_other = heard.transaction_id != request.transaction_id
        if is_other and heard.is_signed and heard.path == request.path:
            return heard
    return None


@script(
    "STUNC-LTC-01",
    "The first request from the client to the server MUST NOT include the USERNAME, USERHASH, "
    "MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256, REALM, NONCE, PASSWORD-ALGORITHMS, and "
    "PASSWORD-ALGORITHM attributes.",
    Action.ALLOCATE,
)
async def the_first_request_has_no_credentials(stage: Stage) -> None:
    request = await stage.first()
    if request.is_signed and Attr.REALM not in message_of(request).types:
        raise NotOffered("the client uses short-term credentials")
    nonce = message_of(request).get(Attr.NONCE) or b""
    if nonce.startswith((NONCE_PREFIX, COOKIE_PREFIX.encode())):
        raise NotOffered("the client begins with credentials: it knows the server")
    for kind in CREDENTIALS:
        mark = mark_attribute(message_of(request), kind)
        if mark is not None:
            raise Violated(f"the first request has {attribute_name(kind)}", mark)


@script(
    "STUNC-LTC-02",
    "401: the client SHOULD retry the request with a new transaction. This request MUST contain "
    "a USERNAME or a USERHASH, the REALM and the NONCE, copied from the error response.",
    Action.ALLOCATE,
)
async def a_challenge_is_answered(stage: Stage) -> None:
    request = await first_unsigned(stage)
    waiting = await waits(stage, request)
    stage.right.nonce = LONG_NONCE
    stage.challenge(request)
    again = await returns(stage, request, stage.settings.pause)
    if again is None:
        raise await _why_not(stage, waiting)
    message = message_of(again)
    if message.get(Attr.NONCE) != LONG_NONCE:
        mark = mark_attribute(message, Attr.NONCE) or whole(again)
        raise Violated("NONCE is not a copy of the one of 127 characters", mark)
    if message.get(Attr.REALM) != stage.right.realm.encode():
        mark = mark_attribute(message, Attr.REALM) or whole(again)
        raise Violated("REALM is not a copy", mark)
    if message.text(Attr.USERNAME) != stage.settings.user.username:
        mark = mark_attribute(message, Attr.USERNAME) or whole(again)
        raise Violated("USERNAME is not the user's name", mark)
    if not stage.right.integrity.is_authentic(again):
        raise Violated("the integrity is wrong", mark_attribute(message, Attr.MESSAGE_INTEGRITY))


async def _why_not(stage: Stage, waiting: Waiting) -> Violated | NotOffered:
    """What is said of a client that does not come back with credentials."""
    request = waiting.request
    if waiting.gap is not None and stage.heard[-1].at > waiting.request.at + CROSSING:
        stage.right.renew_nonce()
        if not await takes(stage, request):
            return NotOffered("the client takes no response")
        return Violated("a 401 with a nonce of 127 characters is overlooked")
    return Violated("a 401 is not answered with credentials")


@script(
    "STUNC-LTC-03",
    "The client MUST NOT perform this retry if it is not changing the USERNAME, USERHASH, REALM, "
    "or its associated password from the previous attempt.",
    Action.ALLOCATE,
)
async def a_second_401_is_the_end(stage: Stage) -> None:
    request = await first_unsigned(stage)
    stage.challenge(request)
    again = await stage.await_retry(request)
    waiting = await waits(stage, again)
    stage.challenge(again)

    def judge(heard: Heard) -> None:
        is_same = heard.method == request.method and heard.path == again.path
        if heard.is_signed and is_same:
            text = "after a 401 to its credentials the client sends the same ones again"
            raise Violated(text, whole(heard))

    await after_the_end(stage, waiting, judge)


@script(
    "STUNC-LTC-04",
    "438: the client MUST retry the request, using the new NONCE attribute supplied in the "
    "response. This retry MUST also include either the USERNAME or USERHASH, the REALM, and "
    "either the MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 attribute.",
    Action.ALLOCATE,
)
async def a_stale_nonce_is_replaced(stage: Stage) -> None:
    request = await stage.begin()
    for _ in range(2):
        waiting = await waits(stage, request)
        stage.right.renew_nonce()
        stage.challenge(request, code=438)
        again = await returns(stage, request)
        if again is None:
            await expect_heard(stage, waiting, why="a 438")
            raise Violated("a 438 is not answered with another request")
        expect_new_nonce(stage, again)
        request = again


async def expect_heard(stage: Stage, waiting: Waiting, *, why: str) -> None:
    """That a client which does not do what a response asks for has heard it.

    Raises:
        Violated: it has overlooked this one.
        NotOffered: it takes no response at all.
    """
    if waiting.gap is not None and stage.heard[-1].at > waiting.request.at + CROSSING:
        stage.right.nonce = message_of(waiting.request).get(Attr.NONCE) or b""
        await expect_deaf(stage, waiting.request, why=why)


def expect_new_nonce(stage: Stage, again: Heard) -> None:
    """That a request has the server's newest nonce, and the rest of what a retry needs."""
    message = message_of(again)
    if message.get(Attr.NONCE) != stage.right.nonce:
        mark = mark_attribute(message, Attr.NONCE) or whole(again)
        raise Violated("the request after a 438 has not the new nonce", mark)
    for kinds in ((Attr.USERNAME, Attr.USERHASH), (Attr.REALM,)):
        if not any(kind in message.types for kind in kinds):
            raise Violated(f"{attribute_name(kinds[0])} is missing after a 438", whole(again))
    if not stage.right.integrity.is_authentic(again):
        raise Violated("the integrity is wrong after a 438", whole(again))


@script(
    "STUNC-LTC-05",
    "A server that always says 438 does not keep a client busy for ever.",
    Action.ALLOCATE,
)
async def stale_nonces_come_to_an_end(stage: Stage) -> None:
    request = await stage.begin()
    tries = 0
    while True:
        tries += 1
        if tries > MAX_STALE:
            text = f"a 438 (Stale Nonce) to each request is answered with {tries} more, at least"
            raise Violated(text, whole(request))
        stage.right.renew_nonce()
        stage.challenge(request, code=438)
        again = await returns(stage, request)
        if again is None or again.method != request.method:
            break
        request = again
    if tries == 1:
        raise NotOffered("the client does not answer a 438 at all")


@script(
    "STUNC-LTC-11",
    "An error response with an error code of 400 (Bad Request) that does not contain either the "
    "MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 attribute MUST be discarded, as if it were "
    "never received. This means that retransmits, if applicable, will continue.",
    Action.ALLOCATE,
    over=Over.DATAGRAMS,
)
async def an_unsigned_400_is_as_none(stage: Stage) -> None:
    request = await stage.begin()
    waiting = await waits(stage, request)
    refused = stage.right.unsigned_error(request, 400).build()
    waiting = await discards(stage, waiting, refused, why="a 400 without integrity")
    await expect_answer_taken(stage, waiting)


@script(
    "STUNC-LTC-12",
    "If the value does not match, or if both MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 are "
    "absent, the response MUST be discarded, as if it had never been received.",
    Action.PERMIT,
    over=Over.DATAGRAMS,
)
async def a_forged_success_is_as_none(stage: Stage) -> None:
    request = await stage.begin()
    waiting = await waits(stage, request)
    unsigned = stage.right.unsigned_success(request).build()
    waiting = await discards(stage, waiting, unsigned, why="a success without integrity")
    forged = stage.right.integrity.sign_wrongly(
        stage.right.unsigned_success(request), request
    ).build()
    waiting = await discards(stage, waiting, forged, why="a success with wrong integrity")
    await expect_answer_taken(stage, waiting)


@script(
    "STUNC-LTC-14",
    "The client SHOULD cache the username, realm, and nonce for subsequent communications with "
    "the server; a subsequent request includes them.",
    Action.PERMIT,
)
async def later_requests_have_credentials(stage: Stage) -> None:
    request = await stage.begin(Method.ALLOCATE)
    stage.succeed(request)
    found = await stage.seek(
        lambda heard: heard.is_request and heard.method in LATER, stage.settings.pause
    )
    if found is None:
        raise NotOffered("the client sends no further request")
    if not found.is_signed:
        raise Violated("the next request begins without credentials", whole(found))


@script(
    "STUNC-LTC-15",
    "300: receivers MUST validate the MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 of this "
    "response before redirecting themselves to an alternate server.",
    Action.ALLOCATE,
)
async def a_redirection_is_proven(stage: Stage) -> None:
    request = await stage.begin()
    stage.refuse_unsigned(request, 300, alternate(stage.elsewhere))
    until, latest = stage.now + 8.0, request
    while (heard := await stage.hear(until - stage.now)) is not None:
        if heard.path.local == stage.elsewhere:
            raise Violated("a redirection without integrity is followed", whole(heard))
        if heard.is_signed and heard.method == request.method:
            latest = heard
    stage.refuse(latest, 300, alternate(stage.elsewhere))
    while (heard := await stage.hear(until + 8.0 - stage.now)) is not None:
        if heard.path.local == stage.elsewhere:
            return
    raise NotOffered("the client does not follow a redirection with integrity either")
