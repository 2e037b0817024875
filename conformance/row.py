"""Rows: what is asked of a server, and how it is found out."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from .outcome import Outcome
from .requirements import Requirement, load

if TYPE_CHECKING:
    from .probe import Probe

Run = Callable[["Probe"], Awaitable[Outcome | None]]


class Feature(enum.Enum):
    """What a server may offer; the survey finds out which."""

    OPEN_BINDING = "Binding without credentials"
    LONG_TERM = "long-term credentials"
    TURN = "TURN allocations"
    SECOND_USER = "a second credential"
    PEER = "a peer that may be relayed to"
    REFRESH = "Refresh"
    PERMISSIONS = "CreatePermission"
    CHANNELS = "ChannelBind"
    SHA256 = "the password algorithm SHA-256"
    USERHASH = "username anonymity"
    FAMILIES = "address families (RFC 8656, RFC 6156)"
    IPV6_RELAY = "IPv6 relayed transport addresses"
    EVEN_PORT = "EVEN-PORT"
    DONT_FRAGMENT = "DONT-FRAGMENT"
    STREAM = "TCP or TLS at the same address"
    TCP_RELAY = "TCP allocations (RFC 6062)"
    MOBILITY = "mobility (RFC 8016)"
    THIRD_PARTY = "third-party authorization (RFC 7635)"
    BEHAVIOR = "NAT behavior discovery (RFC 5780)"


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A row that can be run.

    ``sentence`` is what the RFC says. ``needs`` must be offered, else the row is skipped.
    A row that is ``alone`` disturbs others (it fills a quota, or floods); a ``slow`` one
    waits for real minutes. One ``about_answers`` says nothing where there is none.
    """

    requirement: Requirement
    run: Run
    sentence: str
    needs: frozenset[Feature]
    alone: bool
    slow: bool
    about_answers: bool = False

    @property
    def id(self) -> str:
        return self.requirement.id


_REQUIREMENTS: Final[Mapping[str, Requirement]] = {
    each.id: each for group in load("stun-turn") for each in group.rows
}
_ROWS: Final[dict[str, Row]] = {}


def row(
    row_id: str,
    sentence: str,
    *needs: Feature,
    alone: bool = False,
    slow: bool = False,
    about_answers: bool = False,
) -> Callable[[Run], Run]:
    """Register a coroutine function as what shows a row of the catalogue.

    It returns None if the server does what it must, or an Outcome, and raises Violated
    if it does not.

    Raises:
        ValueError: there is no such row, or it is registered already.
    """
    if row_id not in _REQUIREMENTS or row_id in _ROWS:
        raise ValueError(f"{row_id} is no row, or has its run already")

    def register(run: Run) -> Run:
        _ROWS[row_id] = Row(
            _REQUIREMENTS[row_id],
            run,
            sentence,
            frozenset(needs),
            alone=alone,
            slow=slow,
            about_answers=about_answers,
        )
        return run

    return register


def registered() -> tuple[Row, ...]:
    """The rows there are, in the catalogue's order; import ``conformance.rows`` first."""
    return tuple(_ROWS[row_id] for row_id in _REQUIREMENTS if row_id in _ROWS)
