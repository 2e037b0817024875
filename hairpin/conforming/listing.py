"""Which rows there are."""

from __future__ import annotations

from collections.abc import Mapping

import conformance.rows
from conformance import Requirement, Row, load, registered
from conformance.clients import Script, scripts
from conformance.unshown import UNSHOWN
from hairpin.output import Member

assert conformance.rows  # imported for the rows that it registers

HEADINGS = ("id", "section", "level", "run", "title")


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
