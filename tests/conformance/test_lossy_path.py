"""What a network loses is not laid at the server's door."""

from __future__ import annotations

import pytest

import conformance.rows
from conformance.outcome import Verdict
from conformance.row import registered
from conformance.survey import Survey

from .mutants import SETUPS, Mutant
from .running import named, quick
from .world import run_rows

assert conformance.rows  # registers them

LOSS = 0.02
"""Above what paths have where a relay is of use; with much more, some request is lost whenever
it is sent, which no harness can tell from silence."""


@pytest.mark.long  # every row that is not slow
@pytest.mark.parametrize("seed", range(4))
def test_rows_pass_the_right_server_over_a_path_that_loses_datagrams(seed: int) -> None:
    failed = {
        each.row_id: each.outcome.detail
        for number, row in enumerate(registered(), start=1000 * seed)
        if not row.slow
        for each in run_rows(
            [row], setup=SETUPS.get(row.id), surveyed=Survey(), loss=LOSS, seed=number
        ).results
        if each.outcome.verdict is Verdict.FAIL
    }

    assert failed == {}


def test_a_server_is_not_too_slow_for_a_request_that_is_lost() -> None:
    is_lost = iter([False, True])  # the second is the one whose time is taken

    def take(data: bytes) -> bytes | None:
        return None if next(is_lost, False) else data

    report = run_rows([named(quick, 0)], Mutant(take=take))

    assert [each.outcome.verdict for each in report.results] == [Verdict.PASS]
