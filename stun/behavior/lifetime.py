"""How long a binding lives without traffic (RFC 5780 section 4.6)."""

from __future__ import annotations

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


def discover_lifetime(
    addresses: ClientAddresses, server: TransportAddress, config: BehaviorConfig
) -> Procedure[BindingLifetime | Inconclusive]:
    """Double the wait until the binding is gone, then halve what is between."""
    both = yield (Ask(addresses.main, server), Ask(addresses.second, server))
    if missing := first_missing(both):
        return missing
    if len({each.mapped.ip for each in both if isinstance(each, Answered)}) > 1:
        return Inconclusive(Obstacle.SEVERAL_ADDRESSES)
    at_once = yield from _survives(0.0, addresses, server)
    if at_once is not True:
        return at_once or Inconclusive(Obstacle.UNEXPECTED_ANSWER)
    alive, dead = 0.0, config.longest_lifetime + config.lifetime_step
    found_dead = False
    while alive < config.longest_lifetime and dead - alive > config.lifetime_step:
        wait = (alive + dead) / 2 if found_dead else max(2 * alive, FIRST_WAIT)
        wait = min(wait, config.longest_lifetime)
        survived = yield from _survives(wait, addresses, server)
        if isinstance(survived, Inconclusive):
            return survived
        if survived:
            alive = wait
        else:
            dead, found_dead = wait, True
    return BindingLifetime(alive, dead if found_dead else None)


def _survives(
    wait: float, addresses: ClientAddresses, server: TransportAddress
) -> Generator[Sequence[Ask] | Pause, tuple[Outcome, ...], bool | Inconclusive]:
    """Whether what is sent to the main socket's binding after ``wait`` seconds still arrives.

    The binding is renewed first, for traffic from outside may not do so. An answer at the
    second socket says that the NAT has given that the address of the lost binding.
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
            return True
        case Silent():
            return False
        case Misplaced(path) if path.local == addresses.second and path.remote == server:
            return False
        case _:
            return obstacle(echo)
