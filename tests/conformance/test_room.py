"""Servers whose room runs out are not failed for it: quotas are small, and ports few."""

from __future__ import annotations

import asyncio
import itertools

import pytest

import conformance.rows
from conformance.codes import Method
from conformance.outcome import Outcome, Verdict
from conformance.probe import Probe
from conformance.row import Feature, registered
from conformance.survey import Survey

from .mutants import SETUPS, Mutant
from .mutants.changing import failing, is_success, nth
from .mutants.turn_gen import refused
from .running import named
from .test_losses import First
from .world import run_rows

assert conformance.rows  # registers them

ROWS = {row.id: row for row in registered()}
TAKING_MORE = [row_id for row_id in ROWS if row_id != "TURN-GEN-06"]  # which repeats a request
FOUND_OUT_AT_ONCE = ["TURN-ALLOC-05", "TURN-ALLOC-09", "TURN-TCP-03", "TURN-TCP-05", "TURN-MOB-02"]


def with_room_for(allocations: int, code: int) -> Mutant:
    asked = itertools.count()
    return refused(code, lambda _: next(asked) >= allocations)


def without_room_once(code: int) -> Mutant:
    return nth(is_success(Method.ALLOCATE), [1], failing(code))


@pytest.mark.parametrize("allocations", [0, 1])
@pytest.mark.parametrize("row_id", TAKING_MORE)
def test_a_server_with_room_for_few_allocations_is_not_failed(
    row_id: str, allocations: int
) -> None:
    narrow = with_room_for(allocations, 508)

    report = run_rows([ROWS[row_id]], narrow, setup=SETUPS.get(row_id), surveyed=Survey())

    assert [each for each in report.results if each.outcome.verdict is Verdict.FAIL] == []


@pytest.mark.parametrize("code", [486, 508])
@pytest.mark.parametrize("row_id", FOUND_OUT_AT_ONCE)
def test_a_row_is_judged_by_what_it_sees_when_the_others_leave_room(row_id: str, code: int) -> None:
    crowded = without_room_once(code)

    report = run_rows([ROWS[row_id]], crowded, setup=SETUPS.get(row_id), surveyed=Survey())

    outcomes = {each.row_id: each.outcome for each in report.results}
    assert outcomes[row_id].verdict in (Verdict.PASS, Verdict.INFO), outcomes[row_id].detail


def test_a_row_that_has_found_no_room_is_run_once_more_behind_the_others() -> None:
    ran = []

    async def crowded(probe: Probe) -> Outcome | None:
        ran.append("crowded")
        await probe.allocate()
        return None

    async def other(probe: Probe) -> Outcome | None:
        await asyncio.sleep(5)
        ran.append("other")
        return None

    report = run_rows(
        [named(crowded, 0), named(other, 1)],
        without_room_once(486),
        surveyed=Survey(),
    )

    assert ran == ["crowded", "other", "crowded"]
    assert [each.outcome.verdict for each in report.results] == [Verdict.PASS, Verdict.PASS]


def test_what_a_row_has_allocated_is_deleted_though_the_deletion_is_lost() -> None:
    lost = First()

    def take(data: bytes) -> bytes | None:
        return lost(data) if data[:2] == b"\x00\x04" else data

    async def allocating(probe: Probe) -> Outcome | None:
        await probe.allocate()
        return None

    rows = [named(allocating, number, alone=True) for number in range(2)]
    server = Mutant(take=take, options={"max_allocations": 1})

    report = run_rows(rows, server, surveyed=Survey())

    assert [each.outcome.verdict for each in report.results] == [Verdict.PASS, Verdict.PASS]


def test_a_server_without_room_is_not_praised_for_refusing_a_token() -> None:
    survey = Survey({Feature.EVEN_PORT: "508"})

    report = run_rows([ROWS["TURN-ALLOC-07"]], with_room_for(0, 508), surveyed=survey)

    assert [each.outcome.verdict for each in report.results] == [Verdict.SKIP]


def test_a_survey_finds_what_there_was_no_room_for_at_first() -> None:
    late = nth(is_success(Method.ALLOCATE), range(2, 30, 2), failing(486))

    surveyed = [run_rows([], server).survey for server in (Mutant(), late)]

    assert surveyed[0] == surveyed[1]


def test_a_quota_that_is_free_again_late_is_not_taken_for_one_that_does_not_hold() -> None:
    # The fourth is refused as if another row's were still there.
    late = nth(is_success(Method.ALLOCATE), [4], failing(486))

    report = run_rows([ROWS["SEC-16"]], late, setup=SETUPS["SEC-16"], surveyed=Survey())

    assert report.results[0].outcome.verdict is Verdict.INFO
