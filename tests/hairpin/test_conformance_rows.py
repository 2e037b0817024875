"""``hairpin conformance list``, and how rows are chosen."""

from __future__ import annotations

import json

import pytest

from hairpin.conforming.selecting import choose_rows

from .conforming import invoke


def test_a_whole_id_stands_for_that_row_alone() -> None:
    rows = choose_rows(["STUNS-BASE-01", "cod-fp"], slow=False)

    assert {row.id.rpartition("-")[0] for row in rows} == {"COD-FP", "STUNS-BASE"}
    assert sum(row.id.startswith("STUNS-BASE") for row in rows) == 1


def test_list_has_every_row_of_the_catalogue() -> None:
    result = invoke("list")

    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert len(lines) == 413
    by_id = {line[0]: line[1:] for line in lines}
    assert by_id["STUNS-BASE-01"][:3] == ["RFC 8489 §12", "MUST", "yes"]
    assert by_id["STUNC-UDP-01"][2] == "of clients"
    assert "of 413 rows are run" in result.stderr


def test_list_is_for_programs_too() -> None:
    rows = json.loads(invoke("list", "--json").stdout)

    assert rows[0]["id"] == "COD-HDR-01"
    assert {"section", "level", "title", "is_run", "is_slow", "needs", "reason"} < set(rows[0])


def test_a_row_about_clients_is_pointed_to_where_it_is_played() -> None:
    with pytest.raises(ValueError, match="hairpin conformance client --script STUNC-UDP-01"):
        choose_rows(["stunc-udp-01"], slow=False)


def test_rows_that_are_slow_have_to_be_asked_for() -> None:
    with pytest.raises(ValueError, match="are slow rows: add --slow"):
        choose_rows(["STUNS-LTC-17"], slow=False)

    assert [row.id for row in choose_rows(["STUNS-LTC-17"], slow=True)] == ["STUNS-LTC-17"]
