"""STUNC-ALT: a client that is sent to another server (RFC 8489 section 10)."""

from __future__ import annotations

import ipaddress

from conformance.codes import Attr
from conformance.outcome import NotOffered, Violated
from transport import TransportAddress

from .heard import Heard, message_of, whole
from .right import alternate
from .script import Action, script
from .showing import after_the_end, waits
from .stage import Stage

AT_ONCE = 1.0
"""Seconds in which a redirection is followed; later a client may begin anew by itself."""

DOCUMENTATION_IPV6 = TransportAddress(ipaddress.IPv6Address("2001:db8::99"), 3478)


async def redirected(stage: Stage, *servers: TransportAddress) -> Heard:
    """A request with credentials, which was redirected: others must not be (section 14.8)."""
    request = await stage.begin()
    stage.refuse(request, 300, *(alternate(each) for each in servers))
    return request


async def arrival(stage: Stage, at: TransportAddress, seconds: float = 10.0) -> Heard | None:
    """The first message at an address of ours; elsewhere nothing is answered meanwhile."""
    until = stage.now + seconds
    while (heard := await stage.hear(until - stage.now)) is not None:
        if heard.path.local == at:
            return heard
    return None


async def _follows(stage: Stage) -> Heard:
    found = await arrival(stage, stage.elsewhere)
    if found is None:
        raise NotOffered("the client follows no redirection, which is up to it (section 10)")
    return found


@script(
    "STUNC-ALT-01",
    "If one is found, then the client considers the current transaction as failed and reattempts "
    "the request with the server specified in the attribute, using the same transport protocol. "
    "That request, if authenticated, MUST utilize the same credentials.",
    Action.ALLOCATE,
)
async def a_redirection_is_followed(stage: Stage) -> None:
    request = await redirected(stage, stage.elsewhere)
    found = await _follows(stage)
    if found.method != request.method:
        raise Violated("another request comes to the alternate server", whole(found))
    if not found.is_signed:
        stage.challenge(found)
        found = await stage.await_retry(found)
    name = stage.settings.user.username
    if message_of(found).text(Attr.USERNAME) != name:
        raise Violated("the alternate server gets other credentials", whole(found))


@script(
    "STUNC-ALT-03",
    "If the client has been redirected to a server to which it has already sent this request "
    "within the last five minutes, it MUST ignore the redirection and consider the transaction "
    "to have failed.",
    Action.ALLOCATE,
)
async def nobody_is_sent_in_circles(stage: Stage) -> None:
    await redirected(stage, stage.elsewhere)
    found = await _follows(stage)
    if not found.is_signed:
        stage.challenge(found)
        found = await stage.await_retry(found)
    waiting = await waits(stage, found)
    redirected_at, known = stage.now, set(stage.transactions())
    stage.refuse(found, 300, alternate(stage.listening))

    def judge(heard: Heard) -> None:
        is_back = heard.path.local == stage.listening and heard.method == found.method
        is_new = heard.is_request and heard.transaction_id not in known
        if is_back and is_new and heard.at < redirected_at + AT_ONCE:
            text = "the client comes back to the server that it was sent away from"
            raise Violated(text, whole(heard))

    await after_the_end(stage, waiting, judge)


@script(
    "STUNC-ALT-04",
    "The client looks for an ALTERNATE-SERVER attribute (with an IP address of the same address "
    "family as the source IP address of the request: the first one).",
    Action.ALLOCATE,
)
async def the_alternate_of_the_family_is_used(stage: Stage) -> None:
    if stage.listening.is_ipv6:
        raise NotOffered("this is played over IPv4")
    request = await redirected(stage, DOCUMENTATION_IPV6, stage.elsewhere, stage.listening)
    known, begun = set(stage.transactions()), stage.now
    until = begun + stage.settings.pause
    while (heard := await stage.hear(until - stage.now)) is not None:
        if heard.path.local == stage.elsewhere:
            return
        is_other = heard.method == request.method and heard.transaction_id not in known
        if is_other and heard.at < begun + AT_ONCE:
            raise Violated("the last ALTERNATE-SERVER is followed, not the first", whole(heard))
    raise NotOffered("the client follows no redirection, which is up to it (section 10)")
