"""``make requirements``: which rows of the catalogues have a test that shows them.

A test names its rows by the marker ``requirement("stun-turn:TURN-ALLOC-07", ...)``; pytest
collects the tests, so that markers are what pytest takes them for. A row is a departure if
all tests that name it stand in docs/departures.md, in rows that speak of a MUST or a SHOULD;
in rows that speak of what the RFC leaves open, they show it like any other.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import io
import pathlib
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pytest
from rich.console import Console
from rich.table import Table

from conformance import CATALOGUES, Group, load

ROOT: Final = pathlib.Path(__file__).parents[1]

WHOLE: Final = frozenset({"stun-turn"})
"""The catalogues of which no row may be missing."""

_PINNED = re.compile(r"`(tests/[\w/]+\.py::\w+)` \|$")

Tests = Mapping[str, frozenset[str]]
"""Which tests name a row, by ``catalogue:id``."""


class Collector:
    """A plugin of pytest that remembers the markers of what is collected."""

    def __init__(self) -> None:
        self.tests: dict[str, set[str]] = collections.defaultdict(set)

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        for item in items:
            test, _, _ = item.nodeid.partition("[")
            for marker in item.iter_markers("requirement"):
                for row in marker.args:
                    self.tests[row].add(test)


@dataclasses.dataclass(frozen=True, slots=True)
class GroupCoverage:
    """How the rows of one group are shown; the ids stand in the catalogue's order."""

    catalogue: str
    group: Group
    departures: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def tested(self) -> int:
        return len(self.group.rows) - len(self.departures) - len(self.missing)

    def cells(self) -> tuple[str, ...]:
        numbers = (len(self.group.rows), self.tested, len(self.departures), len(self.missing))
        name = f"{self.catalogue}:{self.group.name}"
        return (name, *map(str, numbers), " ".join(self.missing), " ".join(self.departures))


def collect(paths: Sequence[str]) -> Tests:
    """What the tests in ``paths`` are marked with, those of interop and the soaks too.

    Raises:
        SystemExit: pytest cannot collect them; what it has said is printed.
    """
    collector = Collector()
    said = io.StringIO()
    options = ["--collect-only", "-q", "-m", "", "-p", "no:cacheprovider"]
    options += ["-c", str(ROOT / "setup.cfg"), "--rootdir", str(ROOT)]
    # hairpin is a plugin of pytest too, whose packages are imported by now; that their
    # assertions say no more than Python has them say does not matter for collecting.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    with contextlib.redirect_stdout(said):
        status = pytest.main([*options, *paths], plugins=[collector])
    if status is not pytest.ExitCode.OK:
        sys.exit(said.getvalue())
    return {row: frozenset(tests) for row, tests in collector.tests.items()}


def pinned_departures(page: str) -> frozenset[str]:
    """The tests that pin departures from a MUST or a SHOULD."""
    found = set()
    for line in page.splitlines():
        first = line.removeprefix("|").partition(" | ")[0]
        pinned = _PINNED.search(line)
        if pinned is not None and re.search(r"\b(MUST|SHOULD)\b", first):
            found.add(pinned[1])
    return frozenset(found)


def coverage(
    catalogue: str, groups: Iterable[Group], tests: Tests, departures: frozenset[str]
) -> list[GroupCoverage]:
    """How each group is shown."""
    found = []
    for group in groups:
        shown = {row.id: tests.get(f"{catalogue}:{row.id}", frozenset()) for row in group.rows}
        departed = tuple(id for id, by in shown.items() if by and by <= departures)
        missing = tuple(id for id, by in shown.items() if not by)
        found.append(GroupCoverage(catalogue, group, departed, missing))
    return found


def unknown(tests: Tests, known: Iterable[GroupCoverage]) -> dict[str, frozenset[str]]:
    """Rows that tests name and no catalogue has."""
    ids = {f"{each.catalogue}:{row.id}" for each in known for row in each.group.rows}
    return {row: by for row, by in sorted(tests.items()) if row not in ids}


def show(found: Sequence[GroupCoverage], console: Console) -> None:
    """A table on a terminal; else lines with tabs between the cells."""
    headings = ("group", "rows", "tested", "departures", "missing", "missing", "departures")
    total = [
        sum(column) for column in zip(*(map(int, each.cells()[1:5]) for each in found), strict=True)
    ]
    rows = [*(each.cells() for each in found), ("all", *map(str, total), "", "")]
    if not console.is_terminal:
        for row in (headings, *rows):
            console.file.write("\t".join(row).rstrip("\t") + "\n")
        return
    table = Table(*headings)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def main(paths: Sequence[str]) -> int:
    """Print the table; 1 if a row that has to be there is missing, or one is unknown."""
    tests = collect(paths or [str(ROOT / "tests")])
    departures = pinned_departures((ROOT / "docs" / "departures.md").read_text("utf-8"))
    found = [
        each
        for catalogue in CATALOGUES
        for each in coverage(catalogue, load(catalogue), tests, departures)
    ]
    show(found, Console())
    strangers = unknown(tests, found)
    for row, by in strangers.items():
        sys.stderr.write(f"no catalogue has {row}, which is named by {', '.join(sorted(by))}\n")
    gaps = [id for each in found if each.catalogue in WHOLE for id in each.missing]
    if gaps:
        sys.stderr.write(f"{len(gaps)} rows that have to be shown are missing\n")
    return 1 if gaps or strangers else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
