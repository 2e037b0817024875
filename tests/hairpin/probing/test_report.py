"""A report, for people and for programs."""

from __future__ import annotations

import json

import pytest

from hairpin.probing.advice import Cause, advice
from hairpin.probing.findings import Finding, Report, Status, Step, failed
from hairpin.probing.report import as_json, as_text, conclusion

GOOD = Finding(Step.NAT, Status.OK, "no NAT", ("Peer to peer works.",), data={"mapping": "none"})
BAD = failed(Step.ALLOCATION, Cause.WRONG_PASSWORD, "the server says 401", said="refused")


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_says_what_to_do(cause: Cause) -> None:
    text = advice(cause)

    assert text.endswith((".", "?"))
    assert len(text) > 20


def test_a_finding_is_a_line_with_columns_and_more_below_it() -> None:
    assert as_text(GOOD) == ("nat         ok      no NAT\n                    Peer to peer works.")


def test_what_has_failed_catches_the_eye() -> None:
    assert as_text(BAD) == "allocation  FAILED  the server says 401 (refused)"


@pytest.mark.parametrize(
    ("findings", "worked"),
    [
        pytest.param([GOOD], True, id="ok"),
        pytest.param([GOOD, Finding(Step.NAT, Status.NOTE, "x")], True, id="note"),
        pytest.param([GOOD, BAD], False, id="failed"),
        pytest.param([GOOD, Finding(Step.RELAY, Status.SKIPPED, "x")], False, id="skipped"),
        pytest.param([], False, id="nothing"),
    ],
)
def test_all_has_worked_when_nothing_has_failed_or_was_left_out(
    findings: list[Finding], worked: bool
) -> None:
    report = Report("turn:x", findings)

    assert report.has_worked is worked
    assert ("has worked." in conclusion(report)) is True
    assert conclusion(report).startswith("All that was asked") is worked


def test_each_cause_is_advised_on_once() -> None:
    text = conclusion(Report("turn:x", [BAD, BAD]), width=60)

    assert text.count("wrong-password") == 1
    assert all(len(line) <= 60 for line in text.splitlines())


def test_programs_get_the_same() -> None:
    document = json.loads(as_json(Report("turn:x", [GOOD, BAD])))

    assert document["worked"] is False
    assert document["causes"] == ["wrong-password"]
    good, bad = document["findings"]
    assert good["data"] == {"mapping": "none"}
    assert (good["status"], good["cause"], good["advice"]) == ("ok", None, None)
    assert bad["advice"] == advice(Cause.WRONG_PASSWORD)
    assert bad["said"] == "refused"
