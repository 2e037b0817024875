"""STUNC-LTC, continued: what a nonce says, and password algorithms (RFC 8489 section 9.2.5)."""

from __future__ import annotations

from typing import Final

from conformance.building import userhash
from conformance.checks import mark_attribute
from conformance.codes import COOKIE_PREFIX, Attr
from conformance.identity import MD5_ALGORITHM, SHA256_ALGORITHM
from conformance.outcome import NotOffered, Violated

from .heard import Heard, message_of, whole
from .script import Action, Over, script
from .scripts_ltc import first_unsigned, returns
from .showing import after_the_end, begins_anew, discards, expect_answer_taken, waits
from .stage import Stage

WITH_ALGORITHMS: Final = f"{COOKIE_PREFIX}gAAA".encode()
"""A nonce cookie with the bit "Password algorithms"."""

WITH_BOTH: Final = f"{COOKIE_PREFIX}wAAA".encode()
"""One with the bit "Username anonymity", too."""

BOTH: Final = SHA256_ALGORITHM + MD5_ALGORITHM
PASSWORD_KINDS: Final = {Attr.PASSWORD_ALGORITHMS, Attr.PASSWORD_ALGORITHM}
AGAIN: Final = 1.0
"""Seconds before a client begins anew by itself."""

UNKNOWN_ALGORITHM: Final = bytes.fromhex("77770000")


async def knows_algorithms(stage: Stage, *, cookie: bytes, algorithms: bytes) -> Heard:
    """The request with credentials, after a challenge with password algorithms.

    Raises:
        NotOffered: the client overlooks these, as one of RFC 5389 may.
    """
    request = await first_unsigned(stage)
    stage.right.nonce = cookie + b"abcdef"
    stage.right.algorithms = algorithms
    stage.challenge(request)
    again = await stage.await_retry(request)
    if not PASSWORD_KINDS & set(message_of(again).types):
        raise NotOffered("the client overlooks PASSWORD-ALGORITHMS: it keeps to RFC 5389")
    return again


@script(
    "STUNC-LTC-06",
    'If the "nonce cookie" has the STUN Security Feature "Password algorithms" bit set to 1 but '
    "no PASSWORD-ALGORITHMS attribute is present, then the client MUST NOT retry the request with "
    "a new transaction.",
    Action.ALLOCATE,
)
async def a_bid_down_is_noticed(stage: Stage) -> None:
    first = await knows_algorithms(stage, cookie=WITH_ALGORITHMS, algorithms=BOTH)
    stage.right.renew_nonce(WITH_ALGORITHMS)
    stage.challenge(first, code=438)
    request = await returns(stage, first)
    if request is None:
        raise NotOffered("the client does not answer a 438 at all")
    waiting = await waits(stage, request)
    stage.right.renew_nonce(WITH_ALGORITHMS)
    stage.right.algorithms = None
    stage.challenge(request, code=438)

    def judge(heard: Heard) -> None:
        if heard.is_signed and heard.path == request.path and heard.method == request.method:
            text = "PASSWORD-ALGORITHMS was taken out of a 438, which is answered all the same"
            raise Violated(text, whole(heard))

    await after_the_end(stage, waiting, judge)


@script(
    "STUNC-LTC-07",
    "If the response contains a PASSWORD-ALGORITHMS attribute, the request MUST contain the "
    "PASSWORD-ALGORITHMS attribute with the same content, and a PASSWORD-ALGORITHM attribute "
    "with the first algorithm supported on the list.",
    Action.ALLOCATE,
)
async def the_first_algorithm_is_taken(stage: Stage) -> None:
    await challenged_with(stage, BOTH)


async def challenged_with(stage: Stage, algorithms: bytes) -> Heard:
    """That a list with SHA-256 is answered with it, and copied; the request that does so."""
    again = await knows_algorithms(stage, cookie=WITH_ALGORITHMS, algorithms=algorithms)
    message = message_of(again)
    if message.get(Attr.PASSWORD_ALGORITHMS) != algorithms:
        mark = mark_attribute(message, Attr.PASSWORD_ALGORITHMS) or whole(again)
        raise Violated("PASSWORD-ALGORITHMS is not a copy", mark)
    if message.get(Attr.PASSWORD_ALGORITHM) != SHA256_ALGORITHM:
        mark = mark_attribute(message, Attr.PASSWORD_ALGORITHM) or whole(again)
        raise Violated("PASSWORD-ALGORITHM is not SHA-256", mark)
    if not stage.right.integrity.is_authentic(again):
        raise Violated("the integrity is not that of the SHA-256 key", whole(again))
    return again


@script(
    "STUNC-LTC-08",
    "If the response contains a PASSWORD-ALGORITHMS attribute, and this attribute does not "
    "contain any algorithm that is supported by the client, then the client MUST NOT retry the "
    "request with a new transaction.",
    Action.ALLOCATE_AGAIN,
)
async def no_algorithm_in_common_is_the_end(stage: Stage) -> None:
    request = await first_unsigned(stage)
    waiting = await waits(stage, request)
    stage.right.nonce = WITH_ALGORITHMS + b"abcdef"
    stage.right.algorithms = UNKNOWN_ALGORITHM
    stage.challenge(request)

    def judge(heard: Heard) -> None:
        if not heard.is_signed or heard.path != request.path:
            return
        if not PASSWORD_KINDS & set(message_of(heard).types):
            raise NotOffered("the client overlooks PASSWORD-ALGORITHMS: it keeps to RFC 5389")
        raise Violated("no listed algorithm is known, and credentials are sent", whole(heard))

    later = await after_the_end(stage, waiting, judge, AGAIN)
    stage.right.renew_nonce(WITH_ALGORITHMS)
    stage.right.algorithms = BOTH
    again = await begins_anew(stage, later, request)
    if not PASSWORD_KINDS & set(message_of(again).types):
        raise NotOffered("the client overlooks PASSWORD-ALGORITHMS: it keeps to RFC 5389")


@script(
    "STUNC-LTC-09",
    'If the "nonce cookie" is present and has the STUN Security Feature "Username anonymity" bit '
    "set to 1, then the USERHASH attribute MUST be used; else, the USERNAME attribute MUST be "
    "used.",
    Action.ALLOCATE,
)
async def a_name_is_hidden_where_asked(stage: Stage) -> None:
    again = await knows_algorithms(stage, cookie=WITH_BOTH, algorithms=BOTH)
    message = message_of(again)
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
    request = await knows_algorithms(stage, cookie=WITH_ALGORITHMS, algorithms=BOTH)
    waiting = await waits(stage, request)
    bare = stage.right.success(request, (Attr.NONCE, WITH_ALGORITHMS + b"abcdef"))
    why = "PASSWORD-ALGORITHMS was taken out of a success"
    waiting = await discards(stage, waiting, bare, why=why)
    await expect_answer_taken(stage, waiting)


@script(
    "STUNC-LTC-13",
    "If the response contains a PASSWORD-ALGORITHMS attribute, all the subsequent requests MUST "
    "be authenticated using MESSAGE-INTEGRITY-SHA256 only.",
    Action.PERMIT,
)
async def later_requests_have_sha256_alone(stage: Stage) -> None:
    again = await knows_algorithms(stage, cookie=WITH_ALGORITHMS, algorithms=BOTH)
    _expect_sha256(again)
    stage.answer(again)
    later = [each for each in await stage.play(5.0) if each.is_signed]
    for each in later:
        _expect_sha256(each)
    if all(each.transaction_id == again.transaction_id for each in later):
        raise NotOffered("the client sends no further request")


def _expect_sha256(heard: Heard) -> None:
    mark = mark_attribute(message_of(heard), Attr.MESSAGE_INTEGRITY)
    if mark is not None:
        raise Violated("MESSAGE-INTEGRITY is there, where SHA-256 was agreed on", mark)
