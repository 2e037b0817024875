"""Of what a row has sent and received, that is found which decides."""

from __future__ import annotations

import dataclasses

from conformance.describing import describe, title
from conformance.exchange import Exchange
from conformance.outcome import Frame, Mark, Outcome, RowResult, Verdict

from .reports.report_of_a_run import ANSWER, FAILED, LIFETIME_AT, REQUEST, received, sent

OTHER = REQUEST[:8] + bytes(12)
MARK = Mark(ANSWER, LIFETIME_AT, LIFETIME_AT + 8)


def failed(*frames: Frame, mark: Mark | None = MARK) -> RowResult:
    outcome = Outcome(Verdict.FAIL, "wrong", mark)
    return dataclasses.replace(FAILED, outcome=outcome, frames=frames)


def test_a_marked_answer_stands_beside_the_request_with_its_transaction_id() -> None:
    seen = Exchange.of(failed(sent(REQUEST), sent(OTHER), received(ANSWER)))

    assert (seen.request, seen.answer, seen.marked) == (0, 2, 2)
    parts = describe(ANSWER)[0].parts
    assert [part.name for part in parts if seen.marks(2, part)] == ["LIFETIME"]
    assert not any(seen.marks(0, part) for part in parts)


def test_a_mark_is_found_behind_another_message_of_a_stream() -> None:
    frame = received(REQUEST + ANSWER, is_stream=True)

    seen = Exchange.of(failed(sent(REQUEST, is_stream=True), frame))

    parts = [part for each in describe(frame.data) for part in each.parts]
    assert [part.name for part in parts if seen.marks(1, part)] == ["LIFETIME"]


def test_a_marked_message_that_came_in_pieces_is_shown_whole() -> None:
    seen = Exchange.of(failed(sent(REQUEST), received(ANSWER[:30]), received(ANSWER[30:])))

    assert seen.answer == 3
    assert seen.frames[3].data == ANSWER
    assert (seen.begin, seen.end) == (LIFETIME_AT, LIFETIME_AT + 8)


def test_a_marked_request_stands_beside_what_came_next() -> None:
    mark = Mark(REQUEST, 0, 2)

    seen = Exchange.of(failed(sent(REQUEST), received(b"hello"), received(b"more"), mark=mark))

    assert (seen.request, seen.answer, seen.marked) == (0, 1, 0)


def test_a_marked_datagram_of_a_few_bytes_stands_beside_what_was_sent_last() -> None:
    seen = Exchange.of(failed(sent(REQUEST), sent(b"x"), received(b"no"), mark=Mark(b"no", 0, 2)))

    assert (seen.request, seen.answer) == (1, 2)


def test_without_a_mark_the_last_that_was_sent_decides() -> None:
    seen = Exchange.of(failed(sent(OTHER), received(ANSWER), sent(REQUEST), mark=None))

    assert (seen.request, seen.answer, seen.marked) == (2, None, None)


def test_without_anything_sent_nothing_decides() -> None:
    assert Exchange.of(failed()) == Exchange(())
    assert Exchange.of(failed(mark=None)) == Exchange(())
    assert Exchange.of(failed(received(b"x"), mark=None)).answer == 0
    assert Exchange.of(failed(received(ANSWER))).request is None


def test_of_hundreds_of_messages_those_are_told_that_matter() -> None:
    frame = received(REQUEST * 300 + ANSWER + REQUEST, is_stream=True)

    seen = Exchange.of(failed(sent(REQUEST, is_stream=True), frame))

    told, rest = seen.messages(1)
    assert [each.title for each in told] == [*["Allocate request"] * 6, "Allocate success response"]
    assert rest == 295
    assert title(frame.data).endswith(", and 299 more")
