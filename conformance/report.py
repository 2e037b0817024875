"""What a run came to, and the rows of the catalogue that it speaks of."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

from .clients import Script, scripts
from .outcome import RowResult, Verdict
from .requirements import Group, Requirement, load
from .row import Row, registered
from .survey import Survey
from .target import Target
from .wording import OF_SERVERS, Wording

CATALOGUE = "stun-turn"


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What a run came to; results stand in the catalogue's order.

    ``begun`` is Unix time. A run that was stopped is not complete: rows are missing.
    ``suspects`` are the rows that were under way when the server stopped answering for good.
    """

    target: Target
    survey: Survey
    results: tuple[RowResult, ...]
    begun: float = 0.0
    is_complete: bool = True
    suspects: tuple[str, ...] = ()

    def count(self, verdict: Verdict) -> int:
        return sum(result.outcome.verdict is verdict for result in self.results)

    @property
    def exit_status(self) -> int:
        """0 if something passed and nothing failed, 1 if something failed, else 2.

        A server that was lost on the way is not tested, either.
        """
        if self.count(Verdict.FAIL):
            return 1
        return 0 if self.count(Verdict.PASS) and not self.suspects else 2

    @property
    def how_it_ended(self) -> str | None:
        """In a few words, unless it ended as it should."""
        if self.suspects:
            return f"the server stopped answering during {', '.join(self.suspects)}"
        return None if self.is_complete else "stopped before its end"


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A result beside the requirement that it is about.

    ``row`` is None for what only other rows have met on their way.
    """

    result: RowResult
    requirement: Requirement
    group: Group
    row: Row | Script | None
    wording: Wording = OF_SERVERS

    @property
    def verdict(self) -> Verdict:
        return self.result.outcome.verdict

    @property
    def detail(self) -> str:
        return self.result.outcome.detail

    @property
    def sentence(self) -> str:
        """The RFC's words, or what the catalogue calls the row."""
        return self.requirement.title if self.row is None else self.row.sentence


def entries(report: Report) -> tuple[Entry, ...]:
    """The results of a report, in the catalogue's order."""
    rows: dict[str, Row | Script] = {script.id: script for script in scripts()}
    rows.update((row.id, row) for row in registered())
    found = []
    for result in report.results:
        group, requirement = _catalogue()[result.row_id]
        row, wording = rows.get(result.row_id), report.target.wording
        found.append(Entry(result, requirement, group, row, wording))
    return tuple(found)


@functools.cache
def _catalogue() -> Mapping[str, tuple[Group, Requirement]]:
    return {row.id: (group, row) for group in load(CATALOGUE) for row in group.rows}
