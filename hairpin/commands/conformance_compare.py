"""``hairpin conformance compare``: what has changed between two runs."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Sequence

import click

from hairpin.conforming.comparison import (
    Comparison,
    Document,
    compare_documents,
    named,
    read_document,
    summary,
)
from hairpin.conforming.comparison_terminal import show_comparison
from hairpin.conforming.terminal import clean
from hairpin.daemon import announce

EPILOG = """\b
Example: hairpin conformance compare before.json after.json

\b
Exit status: 0 if B.json is no worse, 1 if a row fails in it that did not fail in A.json, 2 if
none does, but rows that passed do not any more (they are SKIP, INFO, or were not run), or if
B.json is of a run that was cut short, or no row is in both.
"""


@click.command(epilog=EPILOG)
@click.argument("before", metavar="A.json", type=click.Path(path_type=pathlib.Path))
@click.argument("after", metavar="B.json", type=click.Path(path_type=pathlib.Path))
def compare(before: pathlib.Path, after: pathlib.Path) -> int:
    """The rows whose verdicts differ, the worse ones first.

    A.json and B.json are what --json has written.
    """
    try:
        documents = read_document(before), read_document(after)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    runs = tuple(zip(map(str, (before, after)), documents, strict=True))
    found = compare_documents(*documents)
    if sys.stdout.isatty():
        from rich.console import Console

        show_comparison(runs, found, Console(highlight=False))
    else:
        _print(runs, found)
    return found.exit_status


def _print(runs: Sequence[tuple[str, Document]], found: Comparison) -> None:
    """For scripts: a row in a line, separated by tabs, and the rest on standard error."""
    for name, document in runs:
        announce(f"{name}: {clean(summary(document))}")
    for each in found.differences:
        cells = (each.id, each.title, named(each.was), named(each.now), each.seen)
        click.echo("\t".join(map(clean, cells)))
    announce(clean(found.conclusion(runs[-1][0])))
