"""What a probe finds, step by step."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence

from .advice import Cause

JsonValue = str | int | float | bool | None | Sequence["JsonValue"] | Mapping[str, "JsonValue"]


class Step(enum.Enum):
    """The parts of a probe, in their order."""

    RESOLUTION = "resolution"
    TRANSPORT = "transport"
    NAT = "nat"
    ALLOCATION = "allocation"
    CANDIDATES = "candidates"
    RELAY = "relay"
    PEER = "peer"


class Status(enum.Enum):
    """What a finding means for the whole."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing, and no failure."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not tried, for what failed before."""


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    ``text`` is the line, ``more`` are lines below it, ``said`` is the error as somebody else
    worded it; ``data`` has for programs what the text has for people.
    """

    step: Step
    status: Status
    text: str
    more: tuple[str, ...] = ()
    cause: Cause | None = None
    said: str = ""
    data: Mapping[str, JsonValue] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(slots=True)
class Report:
    """All findings about one server."""

    uri: str
    findings: list[Finding] = dataclasses.field(default_factory=list)

    @property
    def has_worked(self) -> bool:
        """Whether nothing that was asked has failed, or was not even tried."""
        bad = (Status.FAILED, Status.SKIPPED)
        return bool(self.findings) and not any(each.status in bad for each in self.findings)

    @property
    def causes(self) -> tuple[Cause, ...]:
        """What stands in the way, each once, in the order found."""
        found = (each.cause for each in self.findings if each.status is Status.FAILED)
        return tuple(dict.fromkeys(cause for cause in found if cause is not None))


def failed(step: Step, cause: Cause, text: str, *, said: str = "") -> Finding:
    """A step that did not work."""
    return Finding(step, Status.FAILED, text, cause=cause, said=said)
