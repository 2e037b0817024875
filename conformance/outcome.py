"""What a row comes to, and what was seen on the wire."""

from __future__ import annotations

import dataclasses
import enum

from transport import TransportAddress


class Verdict(enum.Enum):
    PASS = "PASS"
    FAIL = "FAIL"
    SKIP = "SKIP"
    """The server does not offer what the row is about."""
    INFO = "INFO"
    """The RFC leaves it open: what was seen."""


class Direction(enum.Enum):
    SENT = "sent"
    RECEIVED = "received"


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """A datagram, or what was written to or read from a stream at once.

    ``at`` is in seconds since the run began; ``local`` is the harness's end.
    """

    at: float
    direction: Direction
    local: TransportAddress
    remote: TransportAddress
    data: bytes
    is_stream: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """The part of a frame that is wrong: bytes from ``begin`` to before ``end``."""

    data: bytes
    begin: int
    end: int


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict, and why."""

    verdict: Verdict
    detail: str = ""
    mark: Mark | None = None


def seen(detail: str) -> Outcome:
    """The RFC leaves it open; this is what the server does."""
    return Outcome(Verdict.INFO, detail)


def skipped(detail: str) -> Outcome:
    """The server does not offer it; ``detail`` says how that was found out."""
    return Outcome(Verdict.SKIP, detail)


class ConformanceError(Exception):
    """Base of what this package raises."""


class Violated(ConformanceError):
    """The server does not do what the row requires."""

    def __init__(self, detail: str, mark: Mark | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.mark = mark


class Unanswered(Violated):
    """There is no answer where there has to be one."""


class NotOffered(ConformanceError):
    """What the row needs is not there, which says nothing about the row."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class OutOfReach(NotOffered):
    """What the row needs is not answered: that is the business of the rows about it."""


class TargetUnusable(ConformanceError):
    """The server cannot be tested at all; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Violation:
    """What a response did wrong that is no business of the row that asked for it."""

    row_id: str
    detail: str
    mark: Mark | None


@dataclasses.dataclass(frozen=True, slots=True)
class RowResult:
    """A row that was run. ``seconds`` is how long it took."""

    row_id: str
    outcome: Outcome
    frames: tuple[Frame, ...] = ()
    seconds: float = 0.0
