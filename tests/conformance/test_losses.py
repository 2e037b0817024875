"""Nobody is failed for what a network loses: all that is sent once is lost once here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import conformance.rows
from conformance.outcome import Verdict
from conformance.reading import ReceivedMessage
from conformance.row import Feature, Row, registered
from conformance.survey import Survey

from .mutants import SETUPS, Mutant, Setup
from .world import run_rows

assert conformance.rows  # registers them

pytestmark = pytest.mark.long  # rows that wait for minutes wait for what is lost, too

INDICATIONS = (b"\x00\x16", b"\x00\x17")


def _is_of_datagrams(row: Row) -> bool:
    """Streams lose nothing."""
    setup = SETUPS.get(row.id, Setup())
    needs = {Feature.STREAM, Feature.TCP_RELAY} & row.needs
    return not needs and not setup.tcp and not setup.dtls


ROWS = {row.id: row for row in registered() if _is_of_datagrams(row)}


class First:
    """Loses the first of those that say the same."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def __call__(self, data: bytes) -> bytes | None:
        # An indication that is sent again has another transaction id.
        said = data[:2] + data[20:] if data[:2] in INDICATIONS else data
        if said in self._seen:
            return data
        self._seen.add(said)
        return None


def _to_the_server() -> Mutant:
    return Mutant(take=First(), hear=First())


def _from_the_server() -> Mutant:
    first = First()

    def answer(_: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        return None if first(response.transaction_id) is None else response.data

    return Mutant(answer, relay=First(), tell=First())


LOSSES = {"to-the-server": _to_the_server, "from-the-server": _from_the_server}


@pytest.mark.parametrize("lossy", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_no_row_fails_for_what_a_network_loses(row: Row, lossy: Callable[[], Mutant]) -> None:
    report = run_rows([row], lossy(), setup=SETUPS.get(row.id), surveyed=Survey())

    failed = [each.outcome for each in report.results if each.outcome.verdict is Verdict.FAIL]
    assert failed == []
