"""Runs rows beside each other, and makes sure that each comes to an end."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Sequence
from typing import Final

import conformance.rows
from conformance.outcome import (
    NotOffered,
    Outcome,
    RowResult,
    Verdict,
    Violated,
    Violation,
    skipped,
)
from conformance.probe import Probe
from conformance.row import Row, registered
from conformance.survey import Survey
from conformance.surveying import survey
from conformance.target import Target
from conformance.wire import Wire

from .wire import AsyncioWire

logger = logging.getLogger(__name__)

ROW_TIMEOUT: Final = 60.0
"""Seconds for a row that is not slow: more than any has to wait for."""

SLOW_TIMEOUT: Final = 1200.0

assert conformance.rows  # imported for the rows that it registers


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How hard a server is worked: rows at the same time, and datagrams a second."""

    concurrency: int = 8
    per_second: float = 400.0


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What a run came to; results stand in the catalogue's order."""

    target: Target
    survey: Survey
    results: tuple[RowResult, ...]

    def count(self, verdict: Verdict) -> int:
        return sum(result.outcome.verdict is verdict for result in self.results)

    @property
    def exit_status(self) -> int:
        """0 if something passed and nothing failed, 1 if something failed, else 2."""
        if self.count(Verdict.FAIL):
            return 1
        return 0 if self.count(Verdict.PASS) else 2


async def run(
    target: Target,
    *,
    rows: Sequence[Row] | None = None,
    slow: bool = False,
    limits: Limits | None = None,
    wire: Wire | None = None,
    surveyed: Survey | None = None,
    on_result: Callable[[RowResult], None] | None = None,
) -> Report:
    """Run rows (all that there are) against a server.

    ``surveyed`` is what a run before has found out of the same server; without it that is
    done first. ``on_result`` is called as each row ends.

    Raises:
        TargetUnusable: there is no STUN server to test.
    """
    limits = limits or Limits()
    wire = wire or AsyncioWire(per_second=limits.per_second)
    chosen = [row for row in (registered() if rows is None else rows) if slow or not row.slow]
    found = await survey(target, wire) if surveyed is None else surveyed
    turns = asyncio.Semaphore(limits.concurrency)
    runs = [_Run(row, target, wire, found) for row in chosen]

    async def take_turn(each: _Run) -> None:
        async with turns:
            await each.run()
        if on_result is not None:
            on_result(each.result)

    together = [each for each in runs if not each.row.alone]
    await asyncio.gather(*map(take_turn, together))
    for each in runs:
        if each.row.alone:
            await take_turn(each)
    return Report(target, found, _with_violations(runs))


class _Run:
    """One row, once."""

    def __init__(self, row: Row, target: Target, wire: Wire, survey: Survey) -> None:
        self.row = row
        self.result = RowResult(row.id, skipped("not run"))
        self.violations: list[Violation] = []
        self._target = target
        self._wire = wire
        self._survey = survey

    async def run(self) -> None:
        reason = self._survey.why_not(self.row.needs)
        if reason is not None:
            self.result = RowResult(self.row.id, skipped(reason))
            return
        probe = Probe(self._target, self._wire, self._survey)
        begun = self._wire.now()
        outcome = await self._outcome(probe)
        self.violations = probe.violations
        frames = tuple(probe.record.frames)
        await probe.close()
        self.result = RowResult(self.row.id, outcome, frames, self._wire.now() - begun)

    async def _outcome(self, probe: Probe) -> Outcome:
        seconds = SLOW_TIMEOUT if self.row.slow else ROW_TIMEOUT
        try:
            async with asyncio.timeout(seconds):
                return await self.row.run(probe) or Outcome(Verdict.PASS)
        except Violated as error:
            return Outcome(Verdict.FAIL, error.detail, error.mark)
        except NotOffered as error:
            return skipped(error.detail)
        except TimeoutError:
            return Outcome(Verdict.FAIL, f"not done after {seconds:g} s")
        except OSError as error:
            return skipped(f"this host does not let the row be run: {error}")


def _with_violations(runs: Sequence[_Run]) -> tuple[RowResult, ...]:
    """The results, with what other rows have met on the way."""
    results = {each.row.id: each.result for each in runs}
    for each in runs:
        for violation in each.violations:
            before = results.get(violation.row_id)
            if before is None or before.outcome.verdict is not Verdict.FAIL:
                outcome = Outcome(Verdict.FAIL, violation.detail, violation.mark)
                results[violation.row_id] = RowResult(violation.row_id, outcome, each.result.frames)
    order = {row.id: number for number, row in enumerate(registered())}
    return tuple(sorted(results.values(), key=lambda result: order.get(result.row_id, len(order))))
