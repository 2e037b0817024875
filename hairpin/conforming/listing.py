"""Tables of rows: which there are, and where two runs differ."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping

import msgspec

import conformance.rows
from conformance import Requirement, Row, Verdict, load, registered
from conformance.clients import Script, scripts
from conformance.unshown import UNSHOWN
from hairpin.output import Member

assert conformance.rows  # imported for the rows that it registers

HEADINGS = ("id", "section", "level", "run", "title")


class _Line(msgspec.Struct):
    id: str
    verdict: Verdict
    detail: str = ""


class Document(msgspec.Struct):
    """What ``--json`` has written."""

    target: str
    rows: list[_Line]


def read_document(path: pathlib.Path) -> Document:
    """A report of an earlier run.

    Raises:
        ValueError: it cannot be read, or is none.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Document)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path} is no report of hairpin conformance: {error}") from error


def differences(
    before: Document, after: Document
) -> tuple[list[tuple[str, str, str, str, str]], bool]:
    """Rows whose verdicts differ: id, title, both verdicts, what was seen; and whether one
    that passed before fails now."""
    titles = {row.id: row.title for group in load("stun-turn") for row in group.rows}
    old = {line.id: line for line in before.rows}
    new = {line.id: line for line in after.rows}
    found = []
    is_worse = False
    for row_id in dict.fromkeys((*titles, *old, *new)):
        was, now = _verdict(old, row_id), _verdict(new, row_id)
        if was != now:
            detail = new[row_id].detail if row_id in new else ""
            found.append((row_id, titles.get(row_id, ""), was, now, detail))
            is_worse |= was == Verdict.PASS.value and now == Verdict.FAIL.value
    return found, is_worse


def every_row() -> list[dict[str, Member]]:
    """The rows of the catalogue, whether they are run, and if not, why."""
    of_clients = {script.id: script for script in scripts()}
    rows: dict[str, Row | Script] = {**of_clients, **{row.id: row for row in registered()}}
    return [
        _describe(requirement, rows.get(requirement.id), is_script=requirement.id in of_clients)
        for group in load("stun-turn")
        for requirement in group.rows
    ]


def summary(row: Mapping[str, Member]) -> str:
    """What the table says of a row's run."""
    if not row["is_run"]:
        return f"no: {row['reason']}" if row["reason"] else "no"
    kinds = [*(["yes"] if row["is_row"] else []), *(["of clients"] if row["is_script"] else [])]
    kinds += ["slow"] if row["is_slow"] else []
    return ", ".join(kinds) + (f"; needs {row['needs']}" if row["needs"] else "")


def _describe(
    requirement: Requirement, row: Row | Script | None, *, is_script: bool
) -> dict[str, Member]:
    reason = "" if row is not None else UNSHOWN.get(requirement.id, "")
    needs = sorted(feature.value for feature in row.needs) if isinstance(row, Row) else ()
    return {
        "id": requirement.id,
        "section": requirement.source,
        "level": requirement.level,
        "title": requirement.title,
        "is_run": row is not None,
        "is_row": isinstance(row, Row),
        "is_script": is_script,
        "is_slow": row is not None and row.slow,
        "needs": ", ".join(needs),
        "reason": reason,
    }


def _verdict(lines: Mapping[str, _Line], row_id: str) -> str:
    return lines[row_id].verdict.value if row_id in lines else "-"
