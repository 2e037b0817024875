"""``hairpin conformance compare`` as who runs two releases of a server meets it."""

from __future__ import annotations

import io
import json
import pathlib
from collections.abc import Mapping

import pytest
from rich.console import Console

from hairpin.conforming.comparison import compare_documents, read_document
from hairpin.conforming.comparison_terminal import show_comparison

from .conforming import Ran, invoke

Verdicts = Mapping[str, str]

SAME = {"COD-HDR-01": "PASS"}
LOST = "the server stopped answering during COD-HDR-01"


def write(path: pathlib.Path, verdicts: Verdicts, ended: str | None = None) -> pathlib.Path:
    """What ``--json`` writes, with a detail that may come from the wire."""
    rows = [
        {
            "id": row_id,
            "verdict": verdict,
            "section": "",
            "level": "",
            "detail": "" if verdict == "PASS" else f"seen as {verdict} \x1b[31m",
        }
        for row_id, verdict in verdicts.items()
    ]
    document = {"target": "turn:x", "complete": ended is None, "ended": ended, "rows": rows}
    path.write_text(json.dumps(document))
    return path


def compare(
    folder: pathlib.Path, before: Verdicts, after: Verdicts, *, ended: str | None = None
) -> Ran:
    old = write(folder / "before.json", before)
    new = write(folder / "after.json", after, ended)
    return invoke("compare", str(old), str(new))


def last_line(result: Ran) -> str:
    return result.stderr.splitlines()[-1].partition("after.json ")[2]


@pytest.mark.parametrize(
    ("before", "after", "status", "told"),
    [
        pytest.param("PASS", "FAIL", 1, "is worse: 1 new FAIL", id="fails"),
        pytest.param("INFO", "FAIL", 1, "is worse: 1 new FAIL", id="fails-that-was-open"),
        pytest.param("SKIP", "FAIL", 1, "is worse: 1 new FAIL", id="fails-that-was-skipped"),
        pytest.param("-", "FAIL", 1, "is worse: 1 new FAIL", id="fails-that-was-not-run"),
        pytest.param("PASS", "SKIP", 2, "has no new FAIL, but 1 no longer PASS", id="skipped"),
        pytest.param("PASS", "INFO", 2, "has no new FAIL, but 1 no longer PASS", id="open"),
        pytest.param("PASS", "-", 2, "has no new FAIL, but 1 not run now", id="not-run"),
        pytest.param("FAIL", "PASS", 0, "is no worse: 1 better", id="better"),
        pytest.param("SKIP", "PASS", 0, "is no worse: 1 better", id="passes-that-was-skipped"),
        pytest.param("-", "PASS", 0, "is no worse: 1 changed", id="new"),
        pytest.param("FAIL", "SKIP", 0, "is no worse: 1 changed", id="not-seen"),
        pytest.param("SKIP", "INFO", 0, "is no worse: 1 changed", id="neither"),
        pytest.param("FAIL", "FAIL", 0, "is no worse: no row differs", id="as-bad"),
    ],
)
def test_what_becomes_of_a_row_is_told_by_the_last_line_and_the_exit_status(
    tmp_path: pathlib.Path, before: str, after: str, status: int, told: str
) -> None:
    old, new = ({"TURN-ALLOC-07": each} if each != "-" else {} for each in (before, after))

    result = compare(tmp_path, SAME | old, SAME | new)

    assert (result.exit_code, last_line(result)) == (status, told)
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    names = ["not run" if each == "-" else each for each in (before, after)]
    assert [(line[0], line[2:4]) for line in lines] == (
        [] if before == after else [("TURN-ALLOC-07", names)]
    )
    assert "\x1b" not in result.output


BEFORE = {
    "COD-HDR-01": "FAIL",
    "COD-HDR-02": "PASS",
    "COD-HDR-03": "PASS",
    "COD-HDR-04": "PASS",
    "COD-HDR-05": "SKIP",
    "COD-HDR-06": "FAIL",
    "COD-HDR-08": "PASS",
    "COD-HDR-09": "PASS",
    "COD-HDR-10": "PASS",
}
AFTER = {
    "COD-HDR-01": "PASS",
    "COD-HDR-02": "INFO",
    "COD-HDR-03": "SKIP",
    "COD-HDR-05": "FAIL",
    "COD-HDR-06": "SKIP",
    "COD-HDR-07": "INFO",
    "COD-HDR-08": "FAIL",
    "COD-HDR-09": "SKIP",
    "COD-HDR-10": "PASS",
}


def test_what_is_worse_comes_first_and_each_kind_is_counted(tmp_path: pathlib.Path) -> None:
    result = compare(tmp_path, BEFORE, AFTER)

    assert [line.partition("\t")[0] for line in result.stdout.splitlines()] == [
        f"COD-HDR-{number}" for number in ("08", "05", "03", "09", "02", "04", "06", "07", "01")
    ]
    assert last_line(result) == (
        "is worse: 2 new FAIL, 3 no longer PASS, 1 not run now, 2 changed, 1 better"
    )
    assert result.exit_code == 1


def test_what_both_runs_came_to_is_told_first(tmp_path: pathlib.Path) -> None:
    before, after, *_ = compare(tmp_path, BEFORE, AFTER).stderr.splitlines()

    assert before.endswith("before.json: turn:x: 9 rows, 6 PASS, 2 FAIL, 0 INFO, 1 SKIP")
    assert after.endswith("after.json: turn:x: 9 rows, 2 PASS, 2 FAIL, 2 INFO, 3 SKIP")


@pytest.mark.parametrize(
    ("after", "status", "told"),
    [
        pytest.param({}, 2, f"has no new FAIL, but {LOST}", id="same"),
        pytest.param(
            {"COD-HDR-02": "SKIP"}, 2, f"has no new FAIL, but 1 no longer PASS; {LOST}", id="lost"
        ),
        pytest.param({"COD-HDR-02": "FAIL"}, 1, f"is worse: 1 new FAIL; {LOST}", id="fails"),
    ],
)
def test_a_run_that_was_cut_short_is_never_as_good(
    tmp_path: pathlib.Path, after: Verdicts, status: int, told: str
) -> None:
    both = SAME | {"COD-HDR-02": "PASS"}

    result = compare(tmp_path, both, both | dict(after), ended=LOST)

    assert (result.exit_code, last_line(result)) == (status, told)


def test_runs_without_a_row_in_common_cannot_be_compared(tmp_path: pathlib.Path) -> None:
    result = compare(tmp_path, {"COD-HDR-01": "SKIP"}, {"COD-HDR-02": "FAIL"})

    assert (result.exit_code, last_line(result)) == (
        2,
        "cannot be compared: no row was run in both",
    )
    assert len(result.stdout.splitlines()) == 2


def shown(folder: pathlib.Path, before: Verdicts, after: Verdicts) -> str:
    """What a terminal of 80 columns shows."""
    documents = [
        read_document(write(folder / name, verdicts))
        for name, verdicts in (("a.json", before), ("b.json", after))
    ]
    printed = io.StringIO()
    console = Console(width=80, file=printed, highlight=False)
    runs = tuple(zip(("a.json", "b.json"), documents, strict=True))
    show_comparison(runs, compare_documents(*documents), console)
    return printed.getvalue()


def test_a_terminal_has_each_kind_with_its_rows(tmp_path: pathlib.Path) -> None:
    lines = shown(tmp_path, BEFORE, AFTER).splitlines()

    kinds = [line for line in lines if " -> " in line]
    assert kinds == [
        "PASS -> FAIL: 1 row",
        "SKIP -> FAIL: 1 row",
        "PASS -> SKIP: 2 rows",
        "PASS -> INFO: 1 row",
        "PASS -> not run: 1 row",
        "FAIL -> SKIP: 1 row",
        "not run -> INFO: 1 row",
        "FAIL -> PASS: 1 row",
    ]
    at = lines.index("PASS -> SKIP: 2 rows")
    assert lines[at + 1 : at + 4] == [
        "  COD-HDR-03, COD-HDR-09",
        r"     seen as SKIP \x1b[31m",
        "",
    ]
    assert "b.json is worse: 2 new FAIL, 3 no longer PASS" in lines[-2]
    assert max(map(len, lines)) <= 80
    assert not any(line.endswith(" ") and len(line) == 80 for line in lines)


def test_of_what_passes_now_a_terminal_has_what_was_seen_before(tmp_path: pathlib.Path) -> None:
    text = shown(tmp_path, {"COD-HDR-01": "FAIL"}, {"COD-HDR-01": "PASS"})

    assert "  COD-HDR-01  " in text
    assert r"     before: seen as FAIL \x1b[31m" in text


def test_a_row_that_the_catalogue_does_not_have_is_compared_too(tmp_path: pathlib.Path) -> None:
    result = compare(tmp_path, SAME | {"NEXT-01": "PASS"}, SAME | {"NEXT-01": "FAIL"})

    assert result.stdout.startswith("NEXT-01\t\tPASS\tFAIL\t")


def test_what_is_no_report_is_told(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.json").write_text("{}")

    result = invoke("compare", str(tmp_path / "a.json"), str(tmp_path / "a.json"))

    assert result.exit_code == 2
    assert "is no report of hairpin conformance" in result.output
