"""Which rows of the catalogue are run."""

from __future__ import annotations

from collections.abc import Sequence

import conformance.rows
from conformance import Row, load, registered
from conformance.clients import scripts

assert conformance.rows  # imported for the rows that it registers


def choose_rows(prefixes: Sequence[str], *, slow: bool, options: str = "--") -> list[Row]:
    """Rows whose ids begin with one of the prefixes, all without any; slow ones if asked for.

    A prefix that is the whole id of a row stands for that row alone. ``options`` is what the
    names of options begin with where this was said.

    Raises:
        ValueError: there are none, or a prefix is that of no row.
    """
    rows = list(registered())
    chosen = {
        row.id: row
        for prefix in prefixes or [""]
        for row in _matching(rows, prefix, f"{options}only")
    }
    found = [row for row in rows if row.id in chosen and (slow or not row.slow)]
    if not found:
        raise ValueError(f"what {options}only names are slow rows: add {options}slow")
    return found


def _matching(rows: Sequence[Row], prefix: str, option: str) -> list[Row]:
    wanted = prefix.upper()
    exact = [row for row in rows if row.id == wanted]
    found = exact or [row for row in rows if row.id.startswith(wanted)]
    if found:
        return found
    if any(script.id.startswith(wanted) for script in scripts()):
        command = f"hairpin conformance client --script {wanted}"
        raise ValueError(f"{option} {prefix}: about clients, not servers: {command}")
    known = [row.id for group in load("stun-turn") for row in group.rows]
    if any(row_id.startswith(wanted) for row_id in known):
        raise ValueError(f"{option} {prefix}: not shown from outside (hairpin conformance list)")
    groups = ", ".join(sorted({row.id.rpartition("-")[0] for row in rows}))
    raise ValueError(f"{option} {prefix}: no row begins so; there are {groups}")
