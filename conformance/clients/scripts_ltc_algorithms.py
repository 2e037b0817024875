"""STUNC-LTC, continued: what a nonce says, and password algorithms (RFC 8489 section 9.2.5)."""

from __future__ import annotations

from typing import Final

from conformance.building import userhash
from conformance.checks import mark_attribute
from conformance.codes import COOKIE_PREFIX, Attr, Method
from conformance.outcome import NotOffered, Violated

from .heard import Heard
from .right import MD5_ALGORITHM, SHA256_ALGORITHM, message_of
from .script import Action, Over, script
from .scripts_ltc import first_unsigned, returns
from .stage import Stage, whole

WITH_ALGORITHMS: Final = f"{COOKIE_PREFIX}gAAA".encode()
"""A nonce cookie with the bit "Password algorithms"."""

WITH_ANONYMITY: Final = f"{COOKIE_PREFIX}QAAA".encode()
"""One with the bit "Username anonymity"."""

UNKNOWN_ALGORITHM: Final = bytes.fromhex("77770000")


async def _ends_here(stage: Stage, request: Heard, *, why: str) -> None:
    """That no request with credentials comes."""
    if request.method == Method.BINDING:
        raise NotOffered("a Binding client need not have credentials")
    again = await returns(stage, request)
    if again is not None:
        raise Violated(f"{why}: the client sends its credentials", whole(again))


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
