"""The documents say what is there: tests, constants, files."""

from __future__ import annotations

import ast
import functools
import importlib
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.glob("*.md")))

_UNITS = {"KiB": 1024, "MiB": 1024 * 1024, "h": 3600.0}
_VALUE = re.compile(r"([\d,]+(?:\.\d+)?)(?: (KiB|MiB|s|h))?")
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")


def rows(page: str) -> list[list[str]]:
    """The cells of every row of every table, without the heads."""
    lines = [line for line in (DOCS / page).read_text().splitlines() if line.startswith("|")]
    ruled = [number for number, line in enumerate(lines) if set(line) <= set("|-")]
    heads = {*ruled, *(number - 1 for number in ruled)}
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for number, line in enumerate(lines)
        if number not in heads
    ]


@functools.cache
def functions(path: str) -> frozenset[str]:
    """What a file of tests defines."""
    tree = ast.parse((ROOT / path).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


def constant(path: str, name: str) -> object:
    """A constant of a module, or the default of a field of a dataclass there."""
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    holder, _, field = name.rpartition(".")
    return getattr(getattr(module, holder)() if holder else module, field)


def number(text: str) -> float:
    found = _VALUE.fullmatch(text)
    assert found is not None, f"{text!r} is no value"
    return float(found[1].replace(",", "")) * _UNITS.get(found[2], 1)


BOUNDS = rows("dos.md")
DEPARTURES = rows("departures.md")


@pytest.mark.parametrize("row", DEPARTURES, ids=lambda row: row[0])
def test_a_departure_names_a_test_that_exists(row: list[str]) -> None:
    *_, named = row

    found = _TEST.fullmatch(named)

    assert found is not None, named
    assert found[2] in functions(found[1])


@pytest.mark.parametrize("row", BOUNDS, ids=lambda row: f"{row[3]}:{row[1]}")
def test_a_bound_has_the_value_that_is_stated(row: list[str]) -> None:
    _, name, stated, path, _, _ = row

    assert constant(path.strip("`"), name.strip("`")) == number(stated)


@pytest.mark.parametrize(
    "path",
    [
        "ice/limits.py",
        "sdp/limits.py",
        "stun/resolution/limits.py",
        "turn/client/limits.py",
        "turn/server/limits.py",
    ],
)
def test_every_bound_of_a_layer_is_stated(path: str) -> None:
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    bounds = {name for name in vars(module) if name.startswith("MAX_")}

    assert bounds <= {row[1].strip("`") for row in BOUNDS if row[3].strip("`") == path}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: pathlib.Path) -> None:
    links = [target for target, _ in _LINK.findall(page.read_text()) if ":" not in target]

    assert [link for link in links if not (page.parent / link).exists()] == []
