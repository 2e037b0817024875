"""A server that is silent to one thing fails the rows about that, and no others."""

from __future__ import annotations

import pytest

import conformance.rows
from conformance.codes import Class, Method
from conformance.outcome import Verdict
from conformance.reading import ReceivedMessage
from conformance.row import registered
from conformance.survey import Survey

from .mutants import SETUPS, Mutant
from .world import run_rows

assert conformance.rows  # registers them

ROWS = [row for row in registered() if not row.slow]


def _silent_to_error(code: int) -> Mutant:
    return Mutant(lambda _, response: None if response.error_code == code else response.data)


def _silent_to(method: Method) -> Mutant:
    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        is_granted = response.message_class is Class.SUCCESS
        return None if request.method == method and is_granted else response.data

    return Mutant(answer)


@pytest.mark.long  # every row that is not slow
@pytest.mark.parametrize(
    ("server", "about"),
    [
        pytest.param(
            _silent_to_error(420),
            (
                "COD-ATTR-05",
                "STUNS-BASE-07",
                "STUNS-BASE-08",
                "NATB-05",
                "NATB-10",
                "TURN-OAUTH-04",
            ),
            id="420",
        ),
        pytest.param(
            _silent_to_error(437),
            ("TURN-GEN-03", "TURN-ALLOC-02", "TURN-REFR", "TURN-TCP-06", "TURN-MOB-05"),
            id="437",
        ),
        pytest.param(_silent_to_error(438), ("STUNS-LTC-04", "STUNS-LTC-13"), id="438"),
        pytest.param(_silent_to_error(440), ("TURN-ALLOC-09", "TURN-ALLOC-11"), id="440"),
        pytest.param(
            _silent_to_error(441),
            ("TURN-GEN-05", "TURN-REFR-10", "TURN-TCP-15", "TURN-MOB-05", "SEC-18"),
            id="441",
        ),
        pytest.param(_silent_to_error(442), ("TURN-ALLOC-04", "TURN-TCP-05"), id="442"),
        pytest.param(
            _silent_to(Method.CREATE_PERMISSION),
            ("TURN-PERM", "TURN-GEN-11", "COD-ADDR-01", "TURN-SEND-03"),
            id="permissions",
        ),
        pytest.param(
            _silent_to(Method.CHANNEL_BIND), ("TURN-CHAN", "TURN-GEN-11", "SEC"), id="channels"
        ),
    ],
)
def test_silence_fails_the_rows_about_what_is_not_answered(
    server: Mutant, about: tuple[str, ...]
) -> None:
    failed = [
        each.row_id
        for row in ROWS
        for each in run_rows([row], server, setup=SETUPS.get(row.id), surveyed=Survey()).results
        if each.outcome.verdict is Verdict.FAIL
    ]

    assert failed
    assert [row_id for row_id in failed if not row_id.startswith(about)] == []
