"""A report for programs."""

from __future__ import annotations

import json

from conformance.outcome import Verdict
from conformance.report import Report, entries


def to_json(report: Report) -> bytes:
    """One object: ``target``, ``rows`` with their verdicts, and ``summary`` counts those."""
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
    document = {"target": str(report.target), "rows": rows, "summary": summary}
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
