"""Tests as generators: each reads like its section of RFC 5780.

A procedure yields the requests that it wants made at once, and is sent what came of each, in
their order; or it yields a pause. What it returns is its result.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence
from typing import TypeVar

from transport import TransportAddress

from .exchange import Answered, Ask, Misplaced, Outcome, Refused, Silent
from .results import Inconclusive, Obstacle

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Pause:
    """Seconds in which nothing is to be sent by the procedure."""

    seconds: float


Procedure = Generator[Sequence[Ask] | Pause, tuple[Outcome, ...], T]


@dataclasses.dataclass(frozen=True, slots=True)
class ClientAddresses:
    """Our three sockets, each bound to an IP address of this host, not to a wildcard.

    ``main`` is what the tests are about. ``fresh`` is for the filtering test, which needs a
    socket that has sent nothing to the server's other addresses (section 4.1). ``second`` is
    for what needs two.

    Raises:
        ValueError: two are the same, or one is a wildcard.
    """

    main: TransportAddress
    fresh: TransportAddress
    second: TransportAddress

    def __post_init__(self) -> None:
        if len({self.main, self.fresh, self.second}) < 3:
            raise ValueError("three different sockets are needed")
        if any(each.ip.is_unspecified for each in (self.main, self.fresh, self.second)):
            raise ValueError("whether there is a NAT can only be told of a socket with an address")


def obstacle(outcome: Outcome, silence: Obstacle = Obstacle.NO_RESPONSE) -> Inconclusive:
    """Why an outcome that was to be an answer says nothing; ``silence`` is what that means."""
    match outcome:
        case Silent():
            return Inconclusive(silence)
        case Refused(code):
            return Inconclusive(Obstacle.REFUSED, code)
        case _:
            return Inconclusive(Obstacle.UNEXPECTED_ANSWER)


def first_unfit(outcomes: Sequence[Outcome]) -> Inconclusive | None:
    """The obstacle in what was answered, but not as it should be; silence is none."""
    for each in outcomes:
        if isinstance(each, Refused | Misplaced):
            return obstacle(each)
    return None


def first_missing(
    outcomes: Sequence[Outcome], silence: Obstacle = Obstacle.NO_RESPONSE
) -> Inconclusive | None:
    """The obstacle in what was not answered, or not as it should be."""
    for each in outcomes:
        if not isinstance(each, Answered):
            return obstacle(each, silence)
    return None
