"""Where two runs differ, on a terminal."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from conformance import Verdict
from conformance.describing_values import counted

from .comparison import Comparison, Difference, Document, named, summary
from .terminal import INDENT, STYLES, Trimmed, clean

INDENT_OF_ROWS = 2


def show_comparison(
    runs: Sequence[tuple[str, Document]], found: Comparison, console: Console
) -> None:
    """What both runs came to, by their names, and each kind of change with its rows. What was
    seen of several rows alike stands once."""
    for name, document in runs:
        console.print(Text(f"{name}: {clean(summary(document))}"))
    console.print()
    kinds = itertools.groupby(found.differences, key=lambda each: (each.was, each.now))
    for (was, now), rows in kinds:
        same = tuple(rows)
        console.print(_heading(was, now, len(same)))
        for alike in _alike(same):
            _show(_rows(alike), INDENT_OF_ROWS, console)
            if words := _seen(alike[0]):
                _show(words, INDENT, console)
        console.print()
    console.print(Text(clean(found.conclusion(runs[-1][0])), style="bold"))


def _show(words: Text, indent: int, console: Console) -> None:
    console.print(Trimmed(Padding(words, (0, 0, 0, indent))))


def _heading(was: Verdict | None, now: Verdict | None, count: int) -> Text:
    words = Text.assemble(
        *((named(was), _style(was)), " -> ", (named(now), _style(now))),
        f": {counted(count, 'row')}",
    )
    words.stylize("bold")
    return words


def _style(verdict: Verdict | None) -> str:
    return "" if verdict is None else STYLES[verdict]


def _alike(rows: Iterable[Difference]) -> Iterator[Sequence[Difference]]:
    """Rows of which the same was seen, beside the first of them."""
    found: dict[str, list[Difference]] = {}
    for each in rows:
        found.setdefault(_seen(each).plain, []).append(each)
    yield from found.values()


def _rows(alike: Sequence[Difference]) -> Text:
    first, *more = alike
    if not more:
        return Text.assemble((clean(first.id), "bold"), f"  {first.title}")
    return Text(", ".join(clean(each.id) for each in alike), "bold")


def _seen(difference: Difference) -> Text:
    if difference.seen:
        return Text(clean(difference.seen))
    return Text(f"before: {clean(difference.seen_before)}" if difference.seen_before else "")
