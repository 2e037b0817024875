"""No row of the catalogue is forgotten: it is run, or somebody said why not."""

from __future__ import annotations

import conformance.rows
from conformance import load, registered
from conformance.clients import scripts
from conformance.unshown import UNSHOWN

assert conformance.rows  # registers them

OF_SERVERS = {row.id for row in registered()}
OF_CLIENTS = {script.id for script in scripts()}
RUN = OF_SERVERS | OF_CLIENTS


def test_a_row_is_run_or_has_a_reason_why_not() -> None:
    rows = {row.id for group in load("stun-turn") for row in group.rows}

    assert rows - RUN - set(UNSHOWN) == set()


def test_a_reason_is_given_for_rows_of_the_catalogue_that_are_not_run() -> None:
    rows = {row.id for group in load("stun-turn") for row in group.rows}

    assert set(UNSHOWN) - rows == set()
    assert set(UNSHOWN) & RUN == set()
    assert all(UNSHOWN.values())


def test_at_least_200_rows_about_servers_are_run() -> None:
    assert len(OF_SERVERS) >= 200


def test_at_least_60_rows_about_clients_are_run() -> None:
    assert len(OF_CLIENTS) >= 60
