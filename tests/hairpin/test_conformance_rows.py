"""``hairpin conformance list`` and ``compare``, and how rows are chosen."""

from __future__ import annotations

import json
import pathlib

import pytest

from hairpin.conforming.selecting import choose_rows

from .test_conformance import invoke


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


def document(**verdicts: str) -> bytes:
    rows = [{"id": key.replace("_", "-"), "verdict": each, "section": "", "level": "",
             "detail": f"{each} \x1b[31m"} for key, each in verdicts.items()]  # fmt: skip
    return json.dumps({"target": "turn:x", "rows": rows, "summary": {}}).encode()


@pytest.mark.parametrize(
    ("before", "after", "status", "differing"),
    [
        pytest.param("PASS", "FAIL", 1, 1, id="worse"),
        pytest.param("FAIL", "PASS", 0, 1, id="better"),
        pytest.param("PASS", "SKIP", 0, 1, id="skipped"),
        pytest.param("SKIP", "FAIL", 0, 1, id="never-passed"),
        pytest.param("PASS", "PASS", 0, 0, id="same"),
    ],
)
def test_compare_shows_what_differs(
    tmp_path: pathlib.Path, before: str, after: str, status: int, differing: int
) -> None:
    for name, verdict in (("a", before), ("b", after)):
        content = document(TURN_ALLOC_07=verdict, COD_HDR_01="PASS")
        (tmp_path / f"{name}.json").write_bytes(content)

    result = invoke("compare", str(tmp_path / "a.json"), str(tmp_path / "b.json"))

    assert result.exit_code == status
    lines = result.stdout.splitlines()
    assert len(lines) == differing
    assert all(line.startswith("TURN-ALLOC-07\t") for line in lines)
    assert "\x1b" not in result.stdout
    assert ("1 row differs" if differing else "no row differs") in result.stderr


def test_compare_shows_rows_that_one_run_does_not_have(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.json").write_bytes(document(COD_HDR_01="PASS"))
    (tmp_path / "b.json").write_bytes(document(COD_HDR_02="FAIL"))

    result = invoke("compare", str(tmp_path / "a.json"), str(tmp_path / "b.json"))

    assert [line.split("\t")[2:4] for line in result.stdout.splitlines()] == [
        ["PASS", "-"],
        ["-", "FAIL"],
    ]


def test_compare_of_what_is_no_report_is_told(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.json").write_text("{}")

    result = invoke("compare", str(tmp_path / "a.json"), str(tmp_path / "a.json"))

    assert result.exit_code == 2
    assert "is no report of hairpin conformance" in result.output


def test_a_row_about_clients_is_pointed_to_where_it_is_played() -> None:
    with pytest.raises(ValueError, match="hairpin conformance client --script STUNC-UDP-01"):
        choose_rows(["stunc-udp-01"], slow=False)


def test_rows_that_are_slow_have_to_be_asked_for() -> None:
    with pytest.raises(ValueError, match="are slow rows: add --slow"):
        choose_rows(["STUNS-LTC-17"], slow=False)

    assert [row.id for row in choose_rows(["STUNS-LTC-17"], slow=True)] == ["STUNS-LTC-17"]
