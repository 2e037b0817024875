"""A server that falls silent passes no row: silence is worth nothing without what shows life."""

from __future__ import annotations

import dataclasses
import functools

import pytest

import conformance.rows
from conformance.outcome import Direction, RowResult, Verdict
from conformance.row import registered
from conformance.survey import Survey

from .mutants import SETUPS, Mutant, Setup
from .world import run_rows

assert conformance.rows  # registers them

pytestmark = pytest.mark.long  # rows that wait for minutes are run many times

ROWS = {row.id: row for row in registered()}


class Dying:
    """Takes so many messages of clients, and no more."""

    def __init__(self, left: int) -> None:
        self._left = left
        self.withheld: list[bytes] = []

    def take(self, data: bytes) -> bytes | None:
        self._left -= 1
        if self._left >= 0:
            return data
        self.withheld.append(data)
        return None

    @property
    def is_dead(self) -> bool:
        return bool(self.withheld) or self._left <= 0


def _result(row_id: str, server: Mutant, setup: Setup | None) -> RowResult:
    report = run_rows([ROWS[row_id]], server, setup=setup, surveyed=Survey())
    return next(each for each in report.results if each.row_id == row_id)


def _sent(result: RowResult) -> bytes:
    """What the row has sent before it was decided."""
    frames = (each.data for each in result.frames if each.direction is Direction.SENT)
    return b"".join(frames)


@functools.cache
def _messages(row_id: str) -> int:
    """That the right server takes, at most, until the row is decided."""
    counting = Dying(1 << 20)
    result = _result(row_id, Mutant(take=counting.take), SETUPS.get(row_id))
    return sum(each.direction is Direction.SENT for each in result.frames)


def _dying(row_id: str, left: int) -> tuple[RowResult, Dying]:
    dying, setup = Dying(left), SETUPS.get(row_id)
    reply = None if setup is None else setup.reply
    if setup is not None and reply is not None:
        alive = reply
        setup = dataclasses.replace(
            setup, reply=lambda data: None if dying.is_dead else alive(data)
        )
    return _result(row_id, Mutant(take=dying.take), setup), dying


@pytest.mark.parametrize("row_id", ROWS)
def test_a_server_that_answers_nothing_passes_no_row(row_id: str) -> None:
    result, _ = _dying(row_id, 0)

    assert result.outcome.verdict in (Verdict.FAIL, Verdict.SKIP), result.outcome.detail


@pytest.mark.parametrize("row_id", ROWS)
def test_a_server_that_falls_silent_halfway_passes_no_row(row_id: str) -> None:
    result, dying = _dying(row_id, _messages(row_id) // 2)

    has_lost = any(each in _sent(result) for each in dying.withheld)
    assert not has_lost or result.outcome.verdict in (Verdict.FAIL, Verdict.SKIP)


@pytest.mark.parametrize("row_id", ROWS)
def test_a_server_that_falls_silent_at_the_end_passes_no_row(row_id: str) -> None:
    for left in reversed(range(_messages(row_id))):
        result, dying = _dying(row_id, left)
        if any(each in _sent(result) for each in dying.withheld):
            break

    assert result.outcome.verdict in (Verdict.FAIL, Verdict.SKIP), result.outcome.detail
