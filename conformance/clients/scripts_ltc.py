"""STUNC-LTC: a client with a long-term credential (RFC 8489 section 9.2)."""

from __future__ import annotations

from typing import Final

from conformance.building import userhash
from conformance.checks import mark_attribute
from conformance.codes import COOKIE_PREFIX, Attr, Method, attribute_name
from conformance.outcome import NotOffered, Violated

from .heard import Heard
from .right import MD5_ALGORITHM, SHA256_ALGORITHM, alternate, message_of
from .script import Action, Over, script
from .stage import Stage, is_request, whole

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

WITH_ALGORITHMS: Final = f"{COOKIE_PREFIX}gAAA".encode()
"""A nonce cookie with the bit "Password algorithms"."""

WITH_ANONYMITY: Final = f"{COOKIE_PREFIX}QAAA".encode()
"""One with the bit "Username anonymity"."""

UNKNOWN_ALGORITHM: Final = bytes.fromhex("77770000")
MAX_STALE: Final = 20
"""Times that a 438 is answered: more is without end."""


async def first_unsigned(stage: Stage) -> Heard:
    """A first request that a challenge makes sense for."""
    request = await stage.first()
    if request.is_signed:
        raise NotOffered("the client begins with credentials: it knows the server")
    return request


async def returns(stage: Stage, request: Heard, seconds: float = 6.0) -> Heard | None:
    """The request with credentials that comes after a challenge, or None."""
    until = stage.now + seconds
    while (heard := await stage.hear(until - stage.now)) is not None:
        if heard.is_signed and heard.transaction_id != request.transaction_id:
            return heard
    return None


async def _ends_here(stage: Stage, request: Heard, *, why: str) -> None:
    """That no request with credentials comes."""
    if request.method == Method.BINDING:
        raise NotOffered("a Binding client need not have credentials")
    again = await returns(stage, request)
    if again is not None:
        raise Violated(f"{why}: the client sends its credentials", whole(again))


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
    stage.right.nonce = LONG_NONCE
    stage.challenge(request)
    again = await returns(stage, request, stage.settings.pause)
    if again is None:
        if request.method == Method.BINDING:
            raise NotOffered("the client has no credentials for Binding")
        raise Violated("a 401 is not answered with credentials", whole(request))
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
    if not stage.right.is_authentic(again):
        raise Violated("the integrity is wrong", mark_attribute(message, Attr.MESSAGE_INTEGRITY))


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
    stage.challenge(again)
    third = await returns(stage, again)
    if third is not None and third.method == request.method:
        raise Violated("401 to the same credentials is answered with them", whole(third))


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
        stage.right.renew_nonce()
        stage.challenge(request, code=438)
        again = await returns(stage, request)
        if again is None:
            raise Violated("a 438 is not answered with another request", whole(request))
        expect_new_nonce(stage, again)
        request = again


def expect_new_nonce(stage: Stage, again: Heard) -> None:
    """That a request has the server's newest nonce, and the rest of what a retry needs."""
    message = message_of(again)
    if message.get(Attr.NONCE) != stage.right.nonce:
        mark = mark_attribute(message, Attr.NONCE) or whole(again)
        raise Violated("the request after a 438 has not the new nonce", mark)
    for kinds in ((Attr.USERNAME, Attr.USERHASH), (Attr.REALM,)):
        if not any(kind in message.types for kind in kinds):
            raise Violated(f"{attribute_name(kinds[0])} is missing after a 438", whole(again))
    if not stage.right.is_authentic(again):
        raise Violated("the integrity is wrong after a 438", whole(again))


@script(
    "STUNC-LTC-05",
    "A server that always says 438 does not keep a client busy for ever.",
    Action.ALLOCATE,
)
async def stale_nonces_come_to_an_end(stage: Stage) -> None:
    request = await stage.begin()
    tries = 0
    while request is not None:
        tries += 1
        if tries > MAX_STALE:
            raise Violated(f"438 is answered {tries} times and more", whole(request))
        stage.right.renew_nonce()
        stage.challenge(request, code=438)
        again = await returns(stage, request)
        if again is None or again.method != request.method:
            return
        request = again


@script(
    "STUNC-LTC-06",
    'If the "nonce cookie" has the STUN Security Feature "Password algorithms" bit set to 1 but '
    "no PASSWORD-ALGORITHMS attribute is present, then the client MUST NOT retry the request with "
    "a new transaction.",
    Action.ALLOCATE,
)
async def a_bid_down_is_noticed(stage: Stage) -> None:
    request = await first_unsigned(stage)
    stage.right.nonce = WITH_ALGORITHMS + b"abcdef"
    stage.challenge(request)
    await _ends_here(stage, request, why="PASSWORD-ALGORITHMS was taken out of the 401")


@script(
    "STUNC-LTC-07",
    "If the response contains a PASSWORD-ALGORITHMS attribute, the request MUST contain the "
    "PASSWORD-ALGORITHMS attribute with the same content, and a PASSWORD-ALGORITHM attribute "
    "with the first algorithm supported on the list.",
    Action.ALLOCATE,
)
async def the_first_algorithm_is_taken(stage: Stage) -> None:
    await challenged_with(stage, SHA256_ALGORITHM + MD5_ALGORITHM)


async def challenged_with(stage: Stage, algorithms: bytes) -> Heard:
    """That a list with SHA-256 is answered with it, and copied; the request that does so."""
    request = await first_unsigned(stage)
    stage.right.nonce = WITH_ALGORITHMS + b"abcdef"
    stage.right.algorithms = algorithms
    stage.challenge(request)
    again = await stage.await_retry(request)
    message = message_of(again)
    if message.get(Attr.PASSWORD_ALGORITHMS) != algorithms:
        mark = mark_attribute(message, Attr.PASSWORD_ALGORITHMS) or whole(again)
        raise Violated("PASSWORD-ALGORITHMS is not a copy", mark)
    if message.get(Attr.PASSWORD_ALGORITHM) != SHA256_ALGORITHM:
        mark = mark_attribute(message, Attr.PASSWORD_ALGORITHM) or whole(again)
        raise Violated("PASSWORD-ALGORITHM is not SHA-256", mark)
    if not stage.right.is_authentic(again):
        raise Violated("the integrity is not that of the SHA-256 key", whole(again))
    return again


@script(
    "STUNC-LTC-08",
    "If the response contains a PASSWORD-ALGORITHMS attribute, and this attribute does not "
    "contain any algorithm that is supported by the client, then the client MUST NOT retry the "
    "request with a new transaction.",
    Action.ALLOCATE,
)
async def no_algorithm_in_common_is_the_end(stage: Stage) -> None:
    request = await first_unsigned(stage)
    stage.right.nonce = WITH_ALGORITHMS + b"abcdef"
    stage.right.algorithms = UNKNOWN_ALGORITHM
    stage.challenge(request)
    await _ends_here(stage, request, why="no listed algorithm is known")


@script(
    "STUNC-LTC-09",
    'If the "nonce cookie" is present and has the STUN Security Feature "Username anonymity" bit '
    "set to 1, then the USERHASH attribute MUST be used; else, the USERNAME attribute MUST be "
    "used.",
    Action.ALLOCATE,
)
async def a_name_is_hidden_where_asked(stage: Stage) -> None:
    request = await first_unsigned(stage)
    stage.right.nonce = WITH_ANONYMITY + b"abcdef"
    stage.challenge(request)
    message = message_of(again := await stage.await_retry(request))
    name = mark_attribute(message, Attr.USERNAME)
    if name is not None:
        raise Violated("USERNAME is there, where USERHASH was asked for", name)
    hashed = userhash(stage.settings.user.username, stage.right.realm)
    if message.get(Attr.USERHASH) != hashed:
        mark = mark_attribute(message, Attr.USERHASH) or whole(again)
        raise Violated("USERHASH is not the hash of name and realm", mark)


@script(
    "STUNC-LTC-10",
    'For all other responses, if the NONCE attribute starts with the "nonce cookie" with the STUN '
    'Security Feature "Password algorithms" bit set to 1 but PASSWORD-ALGORITHMS is not present, '
    "the response MUST be ignored.",
    Action.PERMIT,
    over=Over.DATAGRAMS,
)
async def a_bid_down_of_a_success_is_ignored(stage: Stage) -> None:
    request = await stage.begin()
    stage.succeed(request, (Attr.NONCE, WITH_ALGORITHMS + b"abcdef"))
    await stage.goes_on_asking(request, why="PASSWORD-ALGORITHMS was taken out of a success")


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
    stage.refuse_unsigned(request, 400)
    await stage.goes_on_asking(request, why="a 400 without integrity")


@script(
    "STUNC-LTC-12",
    "If the value does not match, or if both MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 are "
    "absent, the response MUST be discarded, as if it had never been received.",
    Action.PERMIT,
    over=Over.DATAGRAMS,
)
async def a_forged_success_is_as_none(stage: Stage) -> None:
    request = await stage.begin()
    stage.send(stage.right.unsigned_success(request).build(), request.path)
    again = await stage.goes_on_asking(request, why="a success without integrity")
    forged = stage.right.sign_wrongly(stage.right.unsigned_success(again), again)
    stage.send(forged.build(), again.path)
    await stage.goes_on_asking(request, why="a success with wrong integrity")


@script(
    "STUNC-LTC-13",
    "If the response contains a PASSWORD-ALGORITHMS attribute, all the subsequent requests MUST "
    "be authenticated using MESSAGE-INTEGRITY-SHA256 only.",
    Action.PERMIT,
)
async def later_requests_have_sha256_alone(stage: Stage) -> None:
    request = await first_unsigned(stage)
    stage.right.nonce = WITH_ALGORITHMS + b"abcdef"
    stage.right.algorithms = SHA256_ALGORITHM + MD5_ALGORITHM
    stage.challenge(request)
    again = await stage.await_retry(request)
    _expect_sha256(again)
    stage.answer(again)
    for each in await stage.play(5.0):
        if each.is_signed:
            _expect_sha256(each)


def _expect_sha256(heard: Heard) -> None:
    mark = mark_attribute(message_of(heard), Attr.MESSAGE_INTEGRITY)
    if mark is not None:
        raise Violated("MESSAGE-INTEGRITY is there, where SHA-256 was agreed on", mark)


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
        is_request(Method.CREATE_PERMISSION, signed=False), stage.settings.pause
    )
    if found is None:
        raise NotOffered("the client sends no CreatePermission request")
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
    for each in await stage.collect(8.0):
        if each.path.local == stage.elsewhere:
            raise Violated("a redirection without integrity is followed", whole(each))
