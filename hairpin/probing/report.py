"""A report for people and for programs."""

from __future__ import annotations

import textwrap

import msgspec

from .advice import advice
from .findings import Finding, JsonValue, Report, Status

LABEL_WIDTH = 12
STATUS_WIDTH = 8
INDENT = " " * (LABEL_WIDTH + STATUS_WIDTH)

STYLES = {
    Status.OK: "green",
    Status.NOTE: "yellow",
    Status.FAILED: "bold red",
    Status.SKIPPED: "dim",
}


def label(finding: Finding) -> str:
    """The first column."""
    return finding.step.value.ljust(LABEL_WIDTH)


def status(finding: Finding) -> str:
    """The second column; what failed catches the eye where there are no colours."""
    word = finding.status.value
    return (word.upper() if finding.status is Status.FAILED else word).ljust(STATUS_WIDTH)


def body(finding: Finding) -> list[str]:
    """The lines of the third column."""
    said = f" ({finding.said})" if finding.said and finding.said not in finding.text else ""
    return [f"{finding.text}{said}", *finding.more]


def as_text(finding: Finding) -> str:
    """A finding without colours, as it goes into a pipe: one line, and more below it."""
    first, *more = body(finding)
    head = f"{label(finding)}{status(finding)}{first}"
    return "\n".join([head, *(f"{INDENT}{line}" for line in more)])


def conclusion(report: Report, *, width: int | None = None) -> str:
    """What it all comes to, and what to fix."""
    if report.has_worked:
        return "All that was asked has worked."
    lines = ["Not all has worked. What to do:"]
    for cause in report.causes:
        text = f"{cause.value}: {advice(cause)}"
        if width is None:
            lines.append(f"- {text}")
        else:
            lines += textwrap.wrap(text, width, initial_indent="- ", subsequent_indent="  ")
    return "\n".join(lines)


def as_json(report: Report) -> bytes:
    """One document; the names in it stay as they are."""
    document: dict[str, JsonValue] = {
        "uri": report.uri,
        "worked": report.has_worked,
        "causes": [cause.value for cause in report.causes],
        "findings": [_finding_data(each) for each in report.findings],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _finding_data(finding: Finding) -> dict[str, JsonValue]:
    is_bad = finding.status is Status.FAILED and finding.cause is not None
    return {
        "step": finding.step.value,
        "status": finding.status.value,
        "text": finding.text,
        "more": list(finding.more),
        "cause": None if finding.cause is None else finding.cause.value,
        "advice": advice(finding.cause) if is_bad and finding.cause is not None else None,
        "said": finding.said or None,
        "data": dict(finding.data),
    }
