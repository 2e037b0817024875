"""A report for continuous integration: JUnit's XML, as its servers read it."""

from __future__ import annotations

import datetime
import re
import xml.etree.ElementTree as ET
from typing import Final

from conformance.outcome import Verdict
from conformance.report import Entry, Report, entries

_NOT_IN_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0 has no way to write these, not even as references (its section 2.2)."""


def to_junit(report: Report) -> bytes:
    """One test case per row; INFO is a test that passes, with what was seen as its output.

    Rows that were under way when the server was lost are errors: a run without failures is
    else taken for one that went well.
    """
    begun = datetime.datetime.fromtimestamp(report.begun, tz=datetime.UTC)
    found = entries(report)
    errors = {entry.requirement.id for entry in found if _is_error(entry, report)}
    suite = ET.Element(
        "testsuite",
        name=_text(f"conformance of {report.target}"),
        tests=str(len(found)),
        failures=str(report.count(Verdict.FAIL)),
        errors=str(len(errors)),
        skipped=str(report.count(Verdict.SKIP) - len(errors)),
        time=f"{sum(entry.result.seconds for entry in found):.3f}",
        timestamp=begun.strftime("%Y-%m-%dT%H:%M:%S"),
    )
    for entry in found:
        _add(suite, entry, is_error=entry.requirement.id in errors)
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    written: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _is_error(entry: Entry, report: Report) -> bool:
    return entry.requirement.id in report.suspects and entry.verdict is Verdict.SKIP


def _add(suite: ET.Element, entry: Entry, *, is_error: bool) -> None:
    requirement = entry.requirement
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"conformance.{entry.group.name}",
        name=f"{requirement.id} {requirement.title}",
        time=f"{entry.result.seconds:.3f}",
    )
    detail = _text(entry.detail)
    match entry.verdict:
        case Verdict.FAIL:
            failure = ET.SubElement(case, "failure", type=requirement.level, message=detail)
            where = " ".join(filter(None, (requirement.source, requirement.level)))
            failure.text = f"{where}: {entry.sentence}\nSeen: {detail}"
        case Verdict.SKIP:
            ET.SubElement(case, "error" if is_error else "skipped", message=detail)
        case Verdict.INFO:
            ET.SubElement(case, "system-out").text = detail
        case Verdict.PASS:
            pass


def _text(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
