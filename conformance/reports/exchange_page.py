"""What was sent and received, side by side, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from conformance.describing import Described, Part
from conformance.describing_values import counted
from conformance.exchange import Exchange
from conformance.outcome import Direction, Frame, Verdict
from conformance.report import Entry
from conformance.wording import Wording

from .markup import Markup, join, tag

MAX_SHOWN: Final = 12
"""Messages of a row; those of a flood are all alike."""

MAX_SHOWN_FAILED: Final = 40

MAX_HEX: Final = 160
"""Bytes of a part that are shown."""


def exchange(entry: Entry) -> Markup:
    """What decides first, then everything in its order."""
    seen, says = Exchange.of(entry.result), entry.wording
    if not seen.frames:
        return tag("p", "No message was seen.", class_="quiet")
    shown = range(min(len(seen.frames), _limit(entry)))
    rest = len(seen.frames) - len(shown)
    count = counted(len(seen.frames), "message")
    whole = join(
        *(_pair(seen, each, says) for each in _pairs(seen.frames, shown, says)),
        tag("p", f"and {counted(rest, 'more message')}", class_="quiet") if rest else "",
    )
    if entry.verdict is not Verdict.FAIL:
        return join(tag("h3", f"The exchange: {count}"), whole)
    return join(
        tag("h3", "Where it went wrong"),
        tag("div", *_decisive(seen, says), class_="pair"),
        tag("details", tag("summary", f"The whole exchange: {count}"), whole, class_="whole"),
    )


def _limit(entry: Entry) -> int:
    return MAX_SHOWN_FAILED if entry.verdict is Verdict.FAIL else MAX_SHOWN


Pair = tuple[int | None, int | None]


def _pairs(frames: Sequence[Frame], shown: range, says: Wording) -> list[Pair]:
    """What one side says beside what the other one says next; either may be missing."""
    found: list[Pair] = []
    for number in shown:
        if frames[number].direction is says.begins:
            found.append((number, None))
        elif found and found[-1][1] is None:
            found[-1] = (found[-1][0], number)
        else:
            found.append((None, number))
    return found


def _pair(seen: Exchange, pair: Pair, says: Wording) -> Markup:
    left, right = pair
    silence = says.unanswered if says.begins is Direction.SENT else says.unsent
    answer = _silence(silence) if right is None else _frame(seen, right, says)
    request = Markup('<span class="gap"></span>') if left is None else _frame(seen, left, says)
    return tag("div", request, answer, class_="pair")


def _decisive(seen: Exchange, says: Wording) -> tuple[Markup, Markup]:
    """What the harness has sent, and what came of it."""
    sent, came = seen.request, seen.answer
    return (
        _silence(says.unsent) if sent is None else _frame(seen, sent, says),
        _silence(says.unanswered) if came is None else _frame(seen, came, says),
    )


def _silence(text: str) -> Markup:
    return tag("p", text, class_="silence")


def _frame(seen: Exchange, number: int, says: Wording) -> Markup:
    frame = seen.frames[number]
    is_sent = frame.direction is Direction.SENT
    arrow = f"→ {says.sent}" if is_sent else f"← {says.received}"
    over = " over a stream" if frame.is_stream else ""
    where = f"{arrow} {frame.remote} at {frame.at:.3f} s{over}, {counted(len(frame.data))}"
    shown, rest = seen.messages(number)
    messages = [_message(seen, number, each) for each in shown]
    if rest:
        messages.append(tag("p", f"and {counted(rest, 'more message')}", class_="quiet"))
    direction = "sent" if is_sent else "received"
    return tag("article", tag("p", where, class_="where"), *messages, class_=f"frame {direction}")


def _message(seen: Exchange, number: int, described: Described) -> Markup:
    data = seen.frames[number].data
    parts = (_part(part, data, is_wrong=seen.marks(number, part)) for part in described.parts)
    return join(tag("h4", described.title), tag("ol", *parts))


def _part(part: Part, data: bytes, *, is_wrong: bool) -> Markup:
    written = part.hex(data, MAX_HEX)
    return tag(
        "li",
        tag("span", str(part.begin), class_="at"),
        tag("span", tag("b", part.name), " ", part.text, class_="says"),
        tag("em", "wrong") if is_wrong else "",
        tag("code", written) if written else "",
        class_="wrong" if is_wrong else None,
    )
