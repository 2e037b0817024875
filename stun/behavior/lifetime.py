"""How long a binding lives without traffic (RFC 5780 section 4.6)."""

from __future__ import annotations

import enum
from collections.abc import Generator, Sequence
from typing import Final

from stun.attributes import ResponsePort
from transport import TransportAddress

from .config import BehaviorConfig
from .exchange import Answered, Ask, Misplaced, Outcome, Silent
from .procedure import ClientAddresses, Pause, Procedure, first_missing, obstacle
from .results import BindingLifetime, Inconclusive, Obstacle

FIRST_WAIT: Final = 15.0
"""Seconds; doubled while the binding lives. Most NATs have 30 or more, RFC 4787 wants 120."""


class _Echo(enum.Enum):
    """At which socket an answer arrived."""

    AT_MAIN = enum.auto()
    AT_SECOND = enum.auto()
    """The NAT has given it the address of the binding that is gone."""
    NOWHERE = enum.auto()


def discover_lifetime(
    addresses: ClientAddresses, server: TransportAddress, config: BehaviorConfig
) -> Procedure[BindingLifetime | Inconclusive]:
    """Double the wait until the binding is gone, then halve what is between."""
    both = yield (Ask(addresses.main, server), Ask(addresses.second, server))
    if missing := first_missing(both):
        return missing
    if len({each.mapped.ip for each in both if isinstance(each, Answered)}) > 1:
        return Inconclusive(Obstacle.SEVERAL_ADDRESSES)
    at_once = yield from _echo_after(0.0, addresses, server)
    if at_once is not _Echo.AT_MAIN:
        return _never_works(at_once)
    alive, dead = 0.0, config.longest_lifetime + config.lifetime_step
    found_dead = False
    while alive < config.longest_lifetime and dead - alive > config.lifetime_step:
        wait = (alive + dead) / 2 if found_dead else max(2 * alive, FIRST_WAIT)
        wait = min(wait, config.longest_lifetime)
        echo = yield from _echo_after(wait, addresses, server)
        if isinstance(echo, Inconclusive):
            return echo
        if echo is _Echo.AT_MAIN:
            alive = wait
        else:
            dead, found_dead = wait, True
    return BindingLifetime(alive, dead if found_dead else None)


def _never_works(at_once: _Echo | Inconclusive) -> Inconclusive:
    """Why an answer that was asked for at once is not where it should be."""
    match at_once:
        case _Echo.NOWHERE:
            return Inconclusive(Obstacle.NO_RESPONSE)
        case Inconclusive():
            return at_once
        case _:
            return Inconclusive(Obstacle.UNEXPECTED_ANSWER)


def _echo_after(
    wait: float, addresses: ClientAddresses, server: TransportAddress
) -> Generator[Sequence[Ask] | Pause, tuple[Outcome, ...], _Echo | Inconclusive]:
    """Where an answer arrives that is sent to the main socket's binding after ``wait`` seconds.

    The binding is renewed first, for traffic from outside may not do so.
    """
    (renewed,) = yield (Ask(addresses.main, server),)
    if not isinstance(renewed, Answered):
        return obstacle(renewed)
    if wait:
        yield Pause(wait)
    to_main = (ResponsePort(renewed.mapped.port),)
    (echo,) = yield (Ask(addresses.second, server, to_main, at=addresses.main),)
    match echo:
        case Answered():
            return _Echo.AT_MAIN
        case Silent():
            return _Echo.NOWHERE
        case Misplaced(path) if path.local == addresses.second and path.remote == server:
            return _Echo.AT_SECOND
        case _:
            return obstacle(echo)
