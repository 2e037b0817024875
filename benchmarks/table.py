"""A row of the table of figures: ours, the peer's, their ratio, and what it has to be."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Iterable

NAME_WIDTH = 50


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """``ratio`` is what ``must_hold`` and ``aim`` are limits of.

    It is how many times better we are, or with ``lower_is_better`` our share of what the
    peer takes.
    """

    name: str
    ours: str
    peer: str
    ratio: float
    must_hold: float
    aim: float
    lower_is_better: bool = False

    @property
    def verdict(self) -> str:
        if self._reaches(self.aim):
            return "aim"
        return "holds" if self._reaches(self.must_hold) else "MISSED"

    def _reaches(self, limit: float) -> bool:
        return self.ratio <= limit if self.lower_is_better else self.ratio >= limit

    def __str__(self) -> str:
        sign = "<=" if self.lower_is_better else ">="
        return (
            f"{self.name:<{NAME_WIDTH}}{self.ours:<20}{self.peer:<22}"
            f"{self.ratio:6.2f}  {self.verdict:<7}({sign} {self.must_hold:g}, aim {self.aim:g})"
        )


def print_rows(documentation: str | None, rows: Callable[[int], Iterable[Row]]) -> None:
    """The command line of a script that measures these rows."""
    parser = argparse.ArgumentParser(
        description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each side is measured")
    for row in rows(parser.parse_args().rounds):
        print(row, flush=True)
