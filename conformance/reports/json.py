"""A report for programs."""

from __future__ import annotations

import json

from conformance.outcome import Verdict
from conformance.report import Report, entries


def to_json(report: Report) -> bytes:
    """One object: ``target``, ``rows`` with their verdicts, and ``summary`` counts those.

    ``complete`` is false where rows are missing, or the server was lost; ``ended`` says how then.
    """
    rows = [
        {
            "id": entry.requirement.id,
            "verdict": entry.verdict.value,
            "section": entry.requirement.source,
            "level": entry.requirement.level,
            "detail": entry.detail,
        }
        for entry in entries(report)
    ]
    summary = {verdict.value: report.count(verdict) for verdict in Verdict}
    document = {
        "target": str(report.target),
        "complete": report.how_it_ended is None,
        "ended": report.how_it_ended,
        "rows": rows,
        "summary": summary,
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
