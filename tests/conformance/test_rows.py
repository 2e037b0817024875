"""Every row passes the server that is right, and fails each that breaks just that row.

What the RFC leaves open is told, and servers are told apart by it.
"""

from __future__ import annotations

import pytest

import conformance.rows
from conformance.outcome import Verdict
from conformance.row import Feature, Row, registered
from conformance.survey import Survey

from .mutants import MUTANTS, OPEN, SETUPS, TOLD, Mutant, Told
from .world import run_rows

assert conformance.rows  # registers them

ROWS = {row.id: row for row in registered()}
BROKEN = [
    pytest.param(ROWS[row_id], mutant, id=f"{row_id}-{name}")
    for row_id, mutants in MUTANTS.items()
    for name, mutant in mutants.items()
]

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


@pytest.mark.parametrize(("row", "mutant"), BROKEN)
def test_a_row_fails_the_server_that_breaks_it(row: Row, mutant: Mutant) -> None:
    report = run_rows([row], mutant, setup=SETUPS.get(row.id), surveyed=Survey())

    outcomes = {each.row_id: each.outcome for each in report.results}
    assert outcomes[row.id].verdict is Verdict.FAIL
    assert outcomes[row.id].detail


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
