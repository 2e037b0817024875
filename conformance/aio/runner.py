"""Runs rows beside each other, and makes sure that each comes to an end."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence

import conformance.rows
from conformance.outcome import Outcome, RowResult, Verdict
from conformance.report import Report
from conformance.row import Row, registered
from conformance.survey import Survey
from conformance.surveying import survey
from conformance.target import Target
from conformance.wire import Wire

from .row_run import RowRun
from .wire import AsyncioWire

assert conformance.rows  # imported for the rows that it registers


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How hard a server is worked: rows at the same time, and datagrams a second.

    After ``lost_after`` seconds without an answer to anything it is given up: one that is
    begun anew has come back by then.
    """

    concurrency: int = 8
    per_second: float = 400.0
    lost_after: float = 10.0


async def run(
    target: Target,
    *,
    rows: Sequence[Row] | None = None,
    slow: bool = False,
    limits: Limits | None = None,
    wire: Wire | None = None,
    surveyed: Survey | None = None,
    on_result: Callable[[RowResult], None] | None = None,
    stop: asyncio.Event | None = None,
) -> Report:
    """Run rows (all that there are) against a server.

    ``surveyed`` is what a run before has found out of the same server; without it that is
    done first. ``on_result`` is called as each row ends; what another row has met on its way
    may still turn a pass into a failure in the report. When ``stop`` is set, rows that are
    not done are given up, what they have allocated is deleted, and the report has the others.
    When the server stops answering, the rows that were under way are not judged, nor are those
    that were to follow: what they fail for would be another row's doing.

    Raises:
        TargetUnusable: there is no STUN server to test.
    """
    limits = limits or Limits()
    if wire is None:
        own = AsyncioWire(per_second=limits.per_second)
        try:
            return await run(
                target,
                rows=rows,
                slow=slow,
                limits=limits,
                wire=own,
                surveyed=surveyed,
                on_result=on_result,
                stop=stop,
            )
        finally:
            await own.aclose()
    begun = wire.unix_time()
    chosen = [row for row in (registered() if rows is None else rows) if slow or not row.slow]
    found = surveyed or Survey()
    runs: list[RowRun] = []
    is_there = True

    async def work() -> None:
        nonlocal found, is_there
        if surveyed is None:
            found = await survey(target, wire)
        runs.extend(RowRun(row, target, wire, found) for row in chosen)
        is_there = await _take_turns(runs, limits, on_result or _ignore)

    is_complete = await _unless(stop, asyncio.ensure_future(work()))
    suspects = () if is_there else _give_up(runs)
    done = [each for each in runs if each.is_done]
    return Report(target, found, _with_violations(done), begun, is_complete, suspects)


class _ServerLost(Exception):
    """It answers nothing any more."""


async def _take_turns(
    runs: Sequence[RowRun], limits: Limits, on_result: Callable[[RowResult], None]
) -> bool:
    """Whether the server was there to the end.

    Rows beside each other have what one server and one user have together: which of them it is
    that finds no room is luck. It is run once more when the others are done.
    """
    turns = asyncio.Semaphore(limits.concurrency)
    is_there = True
    crowded_out: list[RowRun] = []

    async def take_turn(each: RowRun, *, is_beside_others: bool = False) -> None:
        nonlocal is_there
        async with turns:
            if not is_there:
                return  # whoever waited for a turn gets it before all are cancelled
            await (each.run() if is_beside_others else each.run_alone())
            if each.is_doubtful and not await each.is_answered_within(limits.lost_after):
                is_there = False
                raise _ServerLost
        if is_beside_others and each.found_no_room:
            each.is_begun = False
            crowded_out.append(each)
            return
        each.is_done = True
        on_result(each.result)

    try:
        async with asyncio.TaskGroup() as together:
            for each in runs:
                if not each.row.alone:
                    together.create_task(take_turn(each, is_beside_others=True))
        for each in (*crowded_out, *(each for each in runs if each.row.alone)):
            await take_turn(each)
            await each.let_recover()
    except* _ServerLost:
        pass
    return is_there


def _give_up(runs: Sequence[RowRun]) -> tuple[str, ...]:
    """Say of what is not done that it cannot be judged; the rows that were under way.

    One that had the server for itself keeps its verdict: nothing else can have ended it.
    """
    left = [each for each in runs if not each.is_done]
    suspects = [each for each in left if each.is_begun]
    names = ", ".join(each.row.id for each in suspects)
    for each in left:
        each.is_done = True
        if not each.is_begun:
            each.skip(f"not run: the server stopped answering during {names}")
        elif len(suspects) > 1:
            each.skip(f"not judged: the server stopped answering during {names}")
    return tuple(each.row.id for each in suspects)


async def _unless(stop: asyncio.Event | None, work: asyncio.Future[None]) -> bool:
    """Wait until the work is done, or cancel it when asked to stop; whether it was done."""
    if stop is None:
        await work
        return True
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((work, stopping), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await work
            return True
        return False
    finally:
        stopping.cancel()
        work.cancel()
        await asyncio.wait((work,))


def _ignore(_: RowResult) -> None:
    """What nobody watches."""


def _with_violations(runs: Sequence[RowRun]) -> tuple[RowResult, ...]:
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
