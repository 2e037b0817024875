"""What a run came to, on a terminal or in a log."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from conformance import Report, Verdict
from conformance.describing import Part, title
from conformance.describing_values import counted
from conformance.exchange import Exchange
from conformance.outcome import Direction, Frame
from conformance.report import Entry, entries
from conformance.wording import Wording

STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.SKIP: "dim",
    Verdict.INFO: "yellow",
}
ORDER = (Verdict.PASS, Verdict.FAIL, Verdict.INFO, Verdict.SKIP)
SIDE_BY_SIDE = 100
"""Columns from which on two messages stand beside each other."""

LOG_WIDTH = 120
INDENT = 5
MAX_AROUND = 6
"""Messages before those that decide; each has a line."""

FEW = 5
"""Failures that are found again without a list."""

MAX_HEX = 96
"""Bytes of a part that are shown."""


def show(report: Report, console: Console, repeat: Callable[[str], str]) -> None:
    """Failures first, with their bytes; then what was seen, what was skipped, the failures
    again, a line each, if they are many, and the counts."""
    found = entries(report)
    for entry in found:
        if entry.verdict is Verdict.FAIL:
            show_failure(entry, console, repeat(entry.requirement.id))
    _show_open(found, console)
    _show_skipped(found, console)
    _show_failed(found, console)
    console.print(_table(found))
    console.print(conclusion(report), style="bold")


def show_failure(entry: Entry, console: Console, command: str) -> None:
    """One row that failed; ``command`` runs it alone."""
    console.print(Trimmed(_failure(entry, command, console.width)))


def conclusion(report: Report) -> str:
    """The last line."""
    counts = ", ".join(f"{report.count(verdict)} {verdict.value}" for verdict in ORDER)
    stopped = "" if report.how_it_ended is None else f"; {report.how_it_ended}"
    return f"{report.target}: {counted(len(report.results), 'row')}, {counts}{stopped}"


def clean(text: str) -> str:
    """Without what moves cursors: it may come from the wire."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Trimmed:
    """Without the blanks that fill lines up: in a log they are most of it."""

    inner: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in console.render_lines(self.inner, options, pad=False):
            yield from _trimmed(line)
            yield Segment.line()


def _trimmed(line: Sequence[Segment]) -> Sequence[Segment]:
    kept = list(line)
    while kept and not kept[-1].text.rstrip():
        kept.pop()
    if kept:
        text, style, control = kept[-1]
        kept[-1] = Segment(text.rstrip(), style, control)
    return kept


def _failure(entry: Entry, command: str, width: int) -> RenderableType:
    requirement = entry.requirement
    where = ", ".join(filter(None, (requirement.source, requirement.level)))
    head = Text.assemble(
        ("FAIL ", STYLES[Verdict.FAIL]), (requirement.id, "bold"), f"  {requirement.title}"
    )
    body: list[RenderableType] = [
        Text.assemble((f"{where}: ", "dim"), entry.sentence),
        Text.assemble(("seen: ", "bold"), clean(entry.detail)),
        *_exchange(Exchange.of(entry.result), width - INDENT, entry.wording),
        Text.assemble(("this row alone: ", "dim"), command),
        Text(),
    ]
    return Group(head, Padding(Group(*body), (0, 0, 0, INDENT)))


def _exchange(seen: Exchange, width: int, says: Wording) -> Sequence[RenderableType]:
    if not seen.frames:
        return ()
    first = min(each for each in (seen.request, seen.answer) if each is not None)
    begin = max(0, first - MAX_AROUND)
    lines: list[RenderableType] = [_line(seen.frames[each], says) for each in range(begin, first)]
    if begin:
        lines.insert(0, Text(f"... {counted(begin, 'message')} before these", style="dim"))
    left: RenderableType = Text(says.unsent)
    if seen.request is not None:
        left = _frame(seen, seen.request, says)
    right: RenderableType = Text(says.unanswered, style="bold")
    if seen.answer is not None:
        right = _frame(seen, seen.answer, says)
    if width < SIDE_BY_SIDE:
        return [*lines, left, right]
    pair = Table.grid(expand=True, padding=(0, 2, 0, 0))
    pair.add_column(ratio=1)
    pair.add_column(ratio=1)
    pair.add_row(left, right)
    return [*lines, pair]


def _line(frame: Frame, says: Wording) -> Text:
    return Text(
        f"{_head(frame, says)}: {title(frame.data)}", style="dim", no_wrap=True, overflow="fold"
    )


def _head(frame: Frame, says: Wording) -> str:
    verb = says.sent if frame.direction is Direction.SENT else says.received
    return f"{frame.at:8.3f} s {verb} {frame.remote}, {counted(len(frame.data))}"


def _frame(seen: Exchange, number: int, says: Wording) -> Group:
    """A message part by part, each with its offset, and its bytes below."""
    frame = seen.frames[number]
    shown: list[RenderableType] = [Text(_head(frame, says).strip(), style="dim")]
    messages, rest = seen.messages(number)
    for described in messages:
        shown.append(Text(described.title, style="bold"))
        parts = Table.grid(padding=(0, 1, 0, 0))
        parts.add_column(no_wrap=True)
        parts.add_column(no_wrap=True, justify="right")
        parts.add_column(overflow="fold")
        for part in described.parts:
            parts.add_row(*_part(part, frame.data, is_wrong=seen.marks(number, part)))
        shown.append(parts)
    if rest:
        shown.append(Text(f"... and {counted(rest, 'more message')}", style="dim"))
    return Group(*shown)


def _part(part: Part, data: bytes, *, is_wrong: bool) -> tuple[Text, Text, Text]:
    wrong = "bold red" if is_wrong else ""
    words = Text.assemble((f"{part.name}: ", wrong or "cyan"), (part.text, wrong))
    if written := part.hex(data, MAX_HEX):
        words.append(f"\n{written}", style=wrong or "dim")
    return Text(">>" if is_wrong else "  ", wrong), Text(str(part.begin), wrong or "dim"), words


def _show_open(found: Sequence[Entry], console: Console) -> None:
    for entry in found:
        if entry.verdict is Verdict.INFO:
            label = ("INFO ", STYLES[Verdict.INFO])
            name = (entry.requirement.id, "bold")
            console.print(Trimmed(Text.assemble(label, name, f"  {clean(entry.detail)}")))


def _show_skipped(found: Sequence[Entry], console: Console) -> None:
    """By their reasons: many rows may need the one thing that is not there."""
    reasons: dict[str, list[str]] = collections.defaultdict(list)
    for entry in found:
        if entry.verdict is Verdict.SKIP:
            reasons[entry.detail].append(entry.requirement.id)
    for reason, ids in reasons.items():
        names = ", ".join(ids)
        label = ("SKIP ", STYLES[Verdict.SKIP])
        console.print(Trimmed(Text.assemble(label, clean(reason), (f": {names}", "dim"))))


def _show_failed(found: Sequence[Entry], console: Console) -> None:
    """What was seen, a line each: how the rows failed stands far above."""
    failed = [entry for entry in found if entry.verdict is Verdict.FAIL]
    if len(failed) <= FEW:
        return
    for entry in failed:
        label = ("FAIL ", STYLES[Verdict.FAIL])
        line = Text.assemble(label, (entry.requirement.id, "bold"), f"  {clean(entry.detail)}")
        console.print(line, no_wrap=True, overflow="ellipsis")


def _table(found: Sequence[Entry]) -> Table:
    table = Table("group", *(verdict.value for verdict in ORDER), box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    groups: dict[tuple[str, str], collections.Counter[Verdict]] = {}
    for entry in found:
        counts = groups.setdefault((entry.group.name, entry.group.title), collections.Counter())
        counts[entry.verdict] += 1
    for (name, words), counts in groups.items():
        cells = (
            Text(
                str(counts[each]) if counts[each] else "-", STYLES[each] if counts[each] else "dim"
            )
            for each in ORDER
        )
        table.add_row(Text.assemble((name, "bold"), f"  {words}"), *cells)
    return table
