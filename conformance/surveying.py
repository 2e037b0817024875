"""Finding out what the server offers, with as few messages as that takes."""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

from transport import DecodeError

from .allocation import UDP
from .client import Client
from .codes import Method
from .looks import LOOKS, NO_TURN, OF_TURN
from .outcome import NotOffered, TargetUnusable, Violated
from .probe import Probe
from .room import SETTLE, tell_of_no_room
from .row import Feature
from .survey import Survey
from .target import Target
from .wire import Wire


async def survey(target: Target, wire: Wire) -> Survey:
    """What there is.

    Raises:
        TargetUnusable: nothing at this address speaks STUN, or it refuses the credentials.
    """
    found: dict[Feature, str] = {}
    async with _probing(target, wire) as probe:
        await _expect_stun(probe)
    for feature, look in LOOKS.items():
        reason: str | None = NO_TURN
        if _is_worth_it(feature, found):
            reason = await _look_for_room(look, target, wire)
        if reason is not None:
            hint = target.hints.get(feature)
            found[feature] = reason if hint is None else f"{reason} ({hint})"
        elif feature is Feature.LONG_TERM:
            async with _probing(target, wire) as probe:
                await _expect_good_credentials(probe)
    return Survey(found)


@contextlib.asynccontextmanager
async def _probing(target: Target, wire: Wire) -> AsyncIterator[Probe]:
    """Hands for one look, which leave nothing behind: a server may have few ports, a user few
    allocations, and what they run out of would seem not to be offered."""
    probe = Probe(target, wire, Survey())
    try:
        yield probe
    finally:
        await probe.close()


async def _look_for_room(
    look: Callable[[Probe], Awaitable[str | None]], target: Target, wire: Wire
) -> str | None:
    """What a look finds; where there is no room for it, what another one does a while later.

    What the looks before it have deleted may count until then.
    """
    async with _probing(target, wire) as probe:
        reason = await _look(look, probe)
    if reason is None or not tell_of_no_room(probe.record.frames):
        return reason
    await wire.sleep(SETTLE)
    async with _probing(target, wire) as probe:
        return await _look(look, probe)


async def _look(look: Callable[[Probe], Awaitable[str | None]], probe: Probe) -> str | None:
    try:
        return await look(probe)
    except (NotOffered, Violated, DecodeError) as error:
        return str(error)


def _is_worth_it(feature: Feature, missing: Mapping[Feature, str]) -> bool:
    """Not where TURN is missing: each look would wait for an answer that never comes."""
    return Feature.TURN not in missing or feature not in OF_TURN


async def _expect_stun(probe: Probe) -> None:
    try:
        client = await probe.client()
        answer = await client.ask(client.message(Method.BINDING).build())
        if answer is not None:
            await _expect_haste(client, probe)
    except NotOffered as error:
        raise TargetUnusable(error.detail) from error
    except OSError as error:
        raise TargetUnusable(f"{probe.target.address}: {error}") from error
    if answer is not None:
        return
    if client.inbox:
        data = client.inbox[0]
        raise TargetUnusable(f"{len(data)} bytes come back that are no STUN: {data[:16].hex(' ')}")
    if client.link.has_ended:
        raise TargetUnusable("the server closes the connection at once")
    why = "nothing is there, or it is slow"
    if client.link.is_stream:
        why = "what takes connections there speaks no STUN, or it is slow"
    patience = probe.target.patience
    raise TargetUnusable(f"no answer to a Binding request in {patience:g} s: {why}")


HASTE_TRIES: Final = 4
"""Requests that are to be answered soon: a path may lose one, a busy machine delay another."""


async def _expect_haste(client: Client, probe: Probe) -> None:
    """Silence is told from an answer by waiting, so that answers have to come sooner.

    The first answer may have waited for what is done once, so that another one is asked for.
    """
    silence, quickest = probe.target.silence, math.inf
    for _ in range(HASTE_TRIES):
        begun = probe.wire.now()
        if await client.ask(client.message(Method.BINDING).build()) is None:
            raise TargetUnusable("a second Binding request is not answered: packets are lost")
        quickest = min(quickest, probe.wire.now() - begun)
        if quickest <= silence / 2:
            return
    raise TargetUnusable(
        f"too slow: an answer takes {quickest:.1f} s, and {silence:g} s without one count as "
        "silence"
    )


async def _expect_good_credentials(probe: Probe) -> None:
    """With wrong ones nothing that matters would be tested, and little would fail."""
    for user, credential in enumerate(probe.target.credentials):
        for is_bound_to_md5 in (False, True):  # a server may be wrong about SHA-256 alone
            client = await probe.client(user=user)
            client.is_bound_to_md5 = is_bound_to_md5
            try:
                response, _ = await probe.try_to_allocate(UDP, client=client)
            except (NotOffered, Violated, DecodeError):
                return  # for the rows to judge
            if response.error_code != 401:
                break
        else:
            name = credential.username
            raise TargetUnusable(f"the server does not let {name} in (401): a wrong password?")
