"""What ``hairpin conformance`` shows on a terminal, and how a row is repeated."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from conformance import Report, Survey, Verdict
from conformance.outcome import Mark, Outcome
from conformance.target import TokenKey
from hairpin.conforming.aim import Aim, read_uri
from hairpin.conforming.progress import show_progress
from hairpin.conforming.repeating import Repeat
from hairpin.conforming.terminal import show
from tests.conformance.reports.report_of_a_run import FAILED, HOSTILE, REPORT
from transport import TransportAddress


def shown(report: Report, width: int = 120) -> str:
    printed = io.StringIO()
    console = Console(width=width, file=printed, highlight=False)
    show(report, console, lambda row_id: f"again --only {row_id}")
    return printed.getvalue()


def test_a_failure_is_shown_with_its_sentence_its_bytes_and_how_to_repeat_it() -> None:
    text = shown(REPORT)

    assert "FAIL TURN-ALLOC-01" in text
    assert "RFC 8656 §7.2(1), MUST: " in text
    (line,) = [line for line in text.splitlines() if ">>" in line]
    assert "LIFETIME: 600 s (10 minutes)" in line
    assert "again --only TURN-ALLOC-01" in text
    request, answer = text.index("Allocate request"), text.index("Allocate success response")
    assert "\n" not in text[request:answer]
    assert "1 PASS, 1 FAIL, 1 INFO, 1 SKIP" in text
    assert "SKIP not offered: mobility: COD-HDR-02" in text
    assert "INFO STUNS-BASE-06  SOFTWARE is not sent" in text


def test_lines_are_not_filled_up_with_blanks() -> None:
    skipped = tuple(
        type(FAILED)(f"TURN-ALLOC-{number:02}", Outcome(Verdict.SKIP, "not offered"))
        for number in range(2, 25)
    )
    seen = type(FAILED)("TURN-ALLOC-25", Outcome(Verdict.INFO, "seen " * 50))
    results = (*REPORT.results, *skipped, seen)

    text = shown(Report(REPORT.target, Survey(), results))

    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    assert "TURN-ALLOC-24" in text


def test_failures_that_are_many_are_listed_again_with_what_was_seen() -> None:
    ids = [f"TURN-ALLOC-{number:02}" for number in range(1, 7)]
    many = tuple(
        type(FAILED)(row_id, Outcome(Verdict.FAIL, f"seen of {row_id} {'x' * 200}"))
        for row_id in ids
    )

    text = shown(Report(REPORT.target, Survey(), many))
    few = shown(Report(REPORT.target, Survey(), many[:-1]))

    lines = text.splitlines()
    first = len(lines) - next(
        at for at, line in enumerate(reversed(lines), 1) if line.startswith(f"FAIL {ids[0]}")
    )
    listed = lines[first : first + len(ids)]
    assert [line.split()[:5] for line in listed] == [
        ["FAIL", row_id, "seen", "of", row_id] for row_id in ids
    ]
    assert all(len(line) == 120 and line.endswith("…") for line in listed)
    assert lines[first + len(ids)].startswith("group")
    assert few.count(f"FAIL {ids[0]}") == 1


def test_on_a_narrow_terminal_messages_stand_below_each_other() -> None:
    text = shown(REPORT, width=80)

    request, answer = text.index("Allocate request"), text.index("Allocate success response")
    assert "\n" in text[request:answer]


def test_what_came_from_the_wire_moves_no_cursor() -> None:
    assert HOSTILE.partition("\x00")[0] in " ".join(shown(REPORT).split())
    assert "\x1b[31m" not in shown(REPORT)
    assert "\x00" not in shown(REPORT)


def test_a_failure_without_an_answer_says_so() -> None:
    outcome = Outcome(Verdict.FAIL, "no answer")
    silent = type(FAILED)(FAILED.row_id, outcome, FAILED.frames[:1] * 9)
    nothing = type(FAILED)("TURN-ALLOC-02", outcome)
    deaf = type(FAILED)(
        "TURN-ALLOC-03",
        Outcome(Verdict.FAIL, "", Mark(FAILED.frames[1].data, 0, 2)),
        FAILED.frames[1:],
    )

    text = shown(Report(REPORT.target, Survey(), (silent, nothing, deaf)))

    assert "nothing came back" in text
    assert "nothing was sent" in text
    assert "... 2 messages before these" in text


def test_a_row_is_repeated_with_the_options_that_it_needs() -> None:
    aim = Aim(
        uri=read_uri("turns:127.0.0.1?transport=tcp"),
        users=(("ann", "pass word"),),
        peer_ip=TransportAddress.parse("127.0.0.1", 1).ip,
        is_insecure=True,
        is_operated=True,
        token_key=TokenKey("north", b"k" * 16, "relay.example"),
    )
    repeat = Repeat(aim, {"TURN-PERM-08"})

    assert repeat.for_terminal("TURN-PERM-08") == (
        "hairpin conformance 'turns:127.0.0.1?transport=tcp' --user 'ann:pass word' "
        "--oauth-key north:a2tra2tra2tra2tra2traw== --oauth-server-name relay.example "
        "--peer-address 127.0.0.1 --insecure --i-operate-this-server --slow --only TURN-PERM-08"
    )
    assert "pass word" not in repeat.for_reports("TURN-PERM-07")
    assert "a2tra2" not in repeat.for_reports("TURN-PERM-07")
    assert "--slow" not in repeat.for_reports("TURN-PERM-07")


def test_a_secret_is_repeated_on_the_terminal_alone() -> None:
    repeat = Repeat(Aim(uri=read_uri("turn:127.0.0.1"), secret="s3cret"), ())

    assert "--secret s3cret --only" in repeat.for_terminal("TURN-PERM-07")
    assert "s3cret" not in repeat.for_reports("TURN-PERM-07")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_bar_shows_how_far_a_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")

    with show_progress(2) as on_result:
        on_result(FAILED)

    assert "0 PASS, 1 FAIL, 0 INFO, 0 SKIP" in terminal.getvalue()
    assert "1/2" in terminal.getvalue()
