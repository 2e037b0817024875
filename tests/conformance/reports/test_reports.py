"""Reports say what a run came to, whatever the server has put into its answers."""

from __future__ import annotations

import dataclasses
import html.parser
import json
import re
import xml.etree.ElementTree as ET

import pytest

from conformance.outcome import Verdict
from conformance.report import Report
from conformance.reports import to_html, to_json, to_junit, to_pcapng
from conformance.survey import Survey

from .report_of_a_run import FAILED, HOSTILE, REPORT, SKIPPED


def test_json_has_a_row_for_each_result_and_counts_the_verdicts() -> None:
    document = json.loads(to_json(REPORT))

    assert list(document) == ["target", "complete", "ended", "rows", "summary"]
    assert (document["complete"], document["ended"]) == (True, None)
    assert document["target"] == "turn:192.0.2.1:3478?transport=udp"
    assert document["summary"] == {"PASS": 1, "FAIL": 1, "SKIP": 1, "INFO": 1}
    assert document["rows"][-1] == {
        "id": "TURN-ALLOC-01",
        "verdict": "FAIL",
        "section": "RFC 8656 §7.2(1)",
        "level": "MUST",
        "detail": f"LIFETIME {HOSTILE}",
    }


@pytest.mark.parametrize(
    ("report", "words"),
    [
        pytest.param(
            dataclasses.replace(REPORT, is_complete=False), "stopped before its end", id="stopped"
        ),
        pytest.param(
            dataclasses.replace(REPORT, suspects=("COD-HDR-01",)),
            "the server stopped answering during COD-HDR-01",
            id="lost",
        ),
    ],
)
def test_json_of_a_run_that_was_cut_short_says_so(report: Report, words: str) -> None:
    document = json.loads(to_json(report))

    assert document["complete"] is False
    assert document["ended"] == words


def test_junit_is_xml_whatever_the_server_said() -> None:
    suite = ET.fromstring(to_junit(REPORT))[0]

    assert suite.attrib["tests"] == "4"
    assert suite.attrib["failures"] == "1"
    assert suite.attrib["skipped"] == "1"
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.text is not None
    assert "<script>alert(1)</script>\N{REPLACEMENT CHARACTER}" in failure.text
    assert "RFC 8656" in failure.text


def test_rows_that_a_server_was_lost_in_are_errors_for_continuous_integration() -> None:
    lost = dataclasses.replace(REPORT, suspects=(SKIPPED.row_id, FAILED.row_id))

    suite = ET.fromstring(to_junit(lost))[0]

    assert [suite.attrib[each] for each in ("failures", "errors", "skipped")] == ["1", "1", "0"]
    assert suite.find("testcase/error") is not None


@pytest.mark.parametrize("write", [to_html, to_json, to_junit, to_pcapng])
def test_no_report_has_a_password(write: object) -> None:
    assert callable(write)

    assert b"hunter" not in write(REPORT)


class _Page(html.parser.HTMLParser):
    VOID = frozenset({"meta", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _page(report: Report) -> _Page:
    page = _Page()
    page.feed(to_html(report, repeat=lambda row_id: f"again --only {row_id}").decode())
    page.close()
    return page


def test_a_page_is_whole_and_needs_nothing_else() -> None:
    page = _page(REPORT)

    assert page.open == []
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert {tag for tag, _ in page.tags} & {"link", "img", "iframe", "base"} == set()
    assert not any({"src", "href"} & set(attributes) for _, attributes in page.tags)


def test_a_page_has_a_row_for_each_result_and_marks_what_is_wrong() -> None:
    text = to_html(REPORT, repeat=lambda row_id: f"again --only {row_id}").decode()
    rows = [attributes for _, attributes in _page(REPORT).tags if attributes.get("class") == "row"]

    assert [row["data-verdict"] for row in rows] == ["PASS", "SKIP", "INFO", "FAIL"]
    assert "again --only TURN-ALLOC-01" in text
    wrong = re.findall(r'<li class="wrong">.*?</li>', text)
    assert wrong
    assert all("LIFETIME" in each and "600 s (10 minutes)" in each for each in wrong)


def test_a_page_has_a_verdict_that_nothing_came_to_keep_quiet() -> None:
    passed = dataclasses.replace(REPORT, results=REPORT.results[:1])

    tiles = [attributes for _, attributes in _page(passed).tags if "data-verdict" in attributes]

    assert {each["data-verdict"] for each in tiles if each.get("class") == "none"} == {
        "FAIL",
        "INFO",
        "SKIP",
    }


def test_a_page_says_that_what_is_skipped_may_not_have_been_asked() -> None:
    assert "not offered, or not asked" in to_html(REPORT).decode()


def test_a_page_escapes_what_came_from_the_wire() -> None:
    text = to_html(REPORT).decode()

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize(
    ("report", "words"),
    [
        pytest.param(REPORT, "1 of 4 rows failed", id="failed"),
        pytest.param(dataclasses.replace(REPORT, results=()), "no row passed", id="empty"),
        pytest.param(
            dataclasses.replace(REPORT, results=REPORT.results[:1]), "as required", id="passed"
        ),
        pytest.param(
            dataclasses.replace(REPORT, is_complete=False), "stopped before its end", id="stopped"
        ),
        pytest.param(
            dataclasses.replace(REPORT, results=REPORT.results[:1], suspects=("COD-HDR-01",)),
            "not tested to the end",
            id="lost",
        ),
        pytest.param(
            dataclasses.replace(REPORT, suspects=("COD-HDR-01",)),
            "the server stopped answering during COD-HDR-01",
            id="lost-during",
        ),
    ],
)
def test_a_page_begins_with_what_it_came_to(report: Report, words: str) -> None:
    assert words in to_html(report).decode()


def test_what_a_flood_consists_of_is_not_shown_whole() -> None:
    flood = dataclasses.replace(FAILED, frames=FAILED.frames * 500)
    report = Report(REPORT.target, Survey(), (flood,))

    text = to_html(report).decode()

    assert "and 960 more messages" in text
    assert flood.outcome.verdict is Verdict.FAIL
