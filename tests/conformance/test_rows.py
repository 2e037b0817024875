"""Every row passes the server that is right, and fails each that breaks just that row.

What the RFC leaves open is told, and servers are told apart by it.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Final

import pytest

import conformance.rows
from conformance.outcome import Outcome, Verdict, Violated
from conformance.probe import Probe
from conformance.row import Feature, Row, registered
from conformance.survey import Survey

from .mutants import MUTANTS, OPEN, SETUPS, TOLD, Mutant, Told
from .ways import taken_by, ways
from .world import run_rows

assert conformance.rows  # registers them

ROWS = {row.id: row for row in registered()}
BROKEN = [
    pytest.param(row_id, name, id=f"{row_id}-{name}")
    for row_id, mutants in MUTANTS.items()
    for name in mutants
]

UNTAKEN: Final[Mapping[str, str]] = {}
"""Ways to fail a server that no broken one takes, and why: there are to be no more."""

SEEN = [
    pytest.param(ROWS[row_id], told, id=f"{row_id}-{name}")
    for row_id, servers in TOLD.items()
    for name, told in servers.items()
]


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row_lets_the_right_server_pass(row: Row) -> None:
    report = run_rows([row], setup=SETUPS.get(row.id), surveyed=Survey())

    expected = {Verdict.INFO, Verdict.PASS} if row.id in OPEN else {Verdict.PASS}
    assert [
        (each.row_id, each.outcome)
        for each in report.results
        if each.outcome.verdict not in expected
    ] == []


@pytest.mark.parametrize(("row_id", "name"), BROKEN)
def test_a_row_fails_the_server_that_breaks_it(row_id: str, name: str) -> None:
    outcome, _ = _of_broken(row_id, name)

    assert outcome.verdict is Verdict.FAIL
    assert outcome.detail


@pytest.mark.long  # all those servers, where they have not been run before
def test_each_way_to_fail_a_server_is_taken_by_one_that_is_broken() -> None:
    untaken = set()
    for row_id, known in ways().items():
        taken = [_of_broken(row_id, name)[1] for name in MUTANTS.get(row_id, {})]
        untaken |= {way.words for way in known if not any(map(way.was_taken, taken))}

    assert untaken - set(UNTAKEN) == set()
    assert set(UNTAKEN) - untaken == set()  # who takes one more has it out of the table


@functools.cache  # a broken server remembers what it was sent: none is run twice
def _of_broken(row_id: str, name: str) -> tuple[Outcome, Sequence[tuple[str, int]]]:
    """What a row says of a server, and the way that it has come to say so."""
    row, taken = ROWS[row_id], list[tuple[str, int]]()

    async def run(probe: Probe) -> Outcome | None:
        try:
            return await row.run(probe)
        except Violated as error:
            taken[:] = taken_by(error)  # the last time that it was run
            raise

    mutant, watched = MUTANTS[row_id][name], dataclasses.replace(row, run=run)
    report = run_rows([watched], mutant, setup=SETUPS.get(row_id), surveyed=Survey())
    outcomes = {each.row_id: each.outcome for each in report.results}
    return outcomes[row_id], taken


@pytest.mark.parametrize(("row", "told"), SEEN)
def test_a_row_tells_what_a_server_does_that_may_do_so(row: Row, told: Told) -> None:
    report = run_rows([row], told.server, setup=SETUPS.get(row.id), surveyed=Survey())

    outcomes = {each.row_id: each.outcome for each in report.results}
    assert outcomes[row.id].verdict is Verdict.INFO
    assert told.detail in outcomes[row.id].detail


def test_every_row_has_a_server_that_breaks_it_or_two_that_it_tells_apart() -> None:
    told_apart = {
        row_id
        for row_id, told in TOLD.items()
        # What is right there may be simply right, and nothing be told of it.
        if len({each.detail for each in told.values()} | _passing(row_id)) > 1
    }

    assert set(ROWS) - set(MUTANTS) - told_apart == set()
    assert set(TOLD) - set(OPEN) == set()


def _passing(row_id: str) -> set[str]:
    report = run_rows([ROWS[row_id]], setup=SETUPS.get(row_id), surveyed=Survey())
    outcomes = {each.row_id: each.outcome for each in report.results}
    return {"it passes"} if outcomes[row_id].verdict is Verdict.PASS else set()


def test_a_survey_finds_what_the_server_offers() -> None:
    report = run_rows([ROWS["STUNS-BASE-01"]])

    assert Feature.TURN not in report.survey.missing
    assert Feature.SHA256 not in report.survey.missing
    assert Feature.PEER not in report.survey.missing
    assert Feature.MOBILITY in report.survey.missing


def test_a_survey_misses_peers_that_no_data_comes_to_or_from() -> None:
    cut_off = Mutant(relay=lambda _: None, hear=lambda _: None)

    report = run_rows([ROWS["STUNS-BASE-01"]], cut_off)

    assert "nothing passes" in report.survey.missing[Feature.PEER]


@pytest.mark.parametrize(
    "one_way", [Mutant(relay=lambda _: None), Mutant(hear=lambda _: None)], ids=["in", "out"]
)
def test_a_survey_leaves_data_that_passes_one_way_alone_to_the_rows(one_way: Mutant) -> None:
    report = run_rows([ROWS["STUNS-BASE-01"]], one_way)

    assert Feature.PEER not in report.survey.missing
