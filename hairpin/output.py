"""What commands print: tables for people, tabs or JSON for scripts."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import click
import msgspec

Member = str | int | float | bool | Mapping[str, str] | Mapping[str, int]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: Mapping[str, Member] | Sequence[Mapping[str, Member]]) -> None:
    """Print one JSON document, indented."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows: as a table on a terminal, else separated by tabs and without headings."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*headings)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # no markup: names may hold brackets
    Console().print(table)
