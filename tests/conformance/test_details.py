"""What a FAIL says was seen tells why that is wrong, where the row's sentence does not."""

from __future__ import annotations

import pytest

import conformance.rows
from conformance.outcome import Verdict
from conformance.row import registered
from conformance.survey import Survey

from .mutants import MUTANTS, SETUPS
from .world import run_rows

assert conformance.rows  # registers them

ROWS = {row.id: row for row in registered()}


@pytest.mark.parametrize(
    ("row_id", "mutant", "why"),
    [
        pytest.param(
            "TURN-ALLOC-02",
            "is-the-first-user's",
            "this 5-tuple has no allocation",
            id="437-without-an-allocation",
        ),
        pytest.param("NATB-05", "ignores-it", "does not know CHANGE-REQUEST", id="change-request"),
        pytest.param(
            "NATB-06", "to-where-it-came-from", "does not know RESPONSE-PORT", id="response-port"
        ),
        pytest.param("NATB-07", "none", "does not know PADDING", id="padding"),
    ],
)
def test_a_failure_says_what_was_due(row_id: str, mutant: str, why: str) -> None:
    server = MUTANTS[row_id][mutant]

    report = run_rows([ROWS[row_id]], server, setup=SETUPS.get(row_id), surveyed=Survey())

    (outcome,) = (each.outcome for each in report.results if each.row_id == row_id)
    assert outcome.verdict is Verdict.FAIL
    assert why in outcome.detail
