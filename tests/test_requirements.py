"""``make requirements`` notices what is missing, and what nobody has asked for."""

from __future__ import annotations

import io
import pathlib
import subprocess
import sys

import pytest
from rich.console import Console

from conformance import Group, Requirement

from .requirements import ROOT, coverage, pinned_departures, show, unknown

GROUPS = (
    Group("A", "first", (Requirement("A-1"), Requirement("A-2"), Requirement("A-3"))),
    Group("B", "second", (Requirement("B-1"),)),
)
TESTS = {
    "x:A-1": frozenset({"tests/a.py::test_shown"}),
    "x:A-2": frozenset({"tests/a.py::test_departed"}),
    "x:B-1": frozenset({"tests/a.py::test_departed", "tests/a.py::test_shown"}),
    "x:C-1": frozenset({"tests/a.py::test_shown"}),
}
PAGE = """\
| RFC | what it says | test |
|---|---|---|
| 8656 §9, MUST | one thing | `tests/a.py::test_departed` |
| 8656 §9, open | anything | `tests/a.py::test_shown` |
"""


def test_rows_are_tested_departed_or_missing() -> None:
    first, second = coverage("x", GROUPS, TESTS, pinned_departures(PAGE))

    assert (first.tested, first.departures, first.missing) == (1, ("A-2",), ("A-3",))
    assert (second.tested, second.departures, second.missing) == (1, (), ())


def test_a_row_that_no_catalogue_has_is_told_with_its_tests() -> None:
    found = coverage("x", GROUPS, TESTS, frozenset())

    assert unknown(TESTS, found) == {"x:C-1": frozenset({"tests/a.py::test_shown"})}


def test_the_table_is_plain_where_nobody_looks() -> None:
    out = io.StringIO()
    show(coverage("x", GROUPS, TESTS, pinned_departures(PAGE)), Console(file=out))

    assert out.getvalue().splitlines() == [
        "group\trows\ttested\tdepartures\tmissing\tmissing\tdepartures",
        "x:A\t3\t1\t1\t1\tA-3\tA-2",
        "x:B\t1\t1\t0\t0",
        "all\t4\t2\t1\t1",
    ]


@pytest.mark.long  # a process of its own: pytest within pytest shares too much
def test_markers_are_read_as_pytest_reads_them(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "test_some.py"
    file.write_text(
        "import pytest\n"
        'ROWS = ["stun-turn:DEMUX-01", "stun-turn:NOSUCH-01"]\n'
        "pytestmark = pytest.mark.slow\n"
        "@pytest.mark.requirement(*ROWS)\n"
        "def test_some():\n    pass\n"
    )

    result = subprocess.run(
        [sys.executable, "-m", "tests.requirements", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert result.returncode == 1
    assert "stun-turn:DEMUX\t2\t1\t0\t1\tDEMUX-02" in result.stdout.splitlines()
    unknown, missing = result.stderr.splitlines()
    assert unknown.startswith("no catalogue has stun-turn:NOSUCH-01, which is named by ")
    assert missing == "412 rows that have to be shown are missing"
