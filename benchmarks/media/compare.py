"""Both sides in turn, round after round, and the median of the rounds' ratios."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import statistics
from collections.abc import Callable, Iterator, Sequence

from benchmarks.table import Row
from transport.dtls import SrtpProfile

from .process import Link, Load, link

SIDES = ("hairpin", "aiortc")


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """One row: the same load, and which end of it is measured. The other is hairpin's."""

    name: str
    profile: SrtpProfile
    load: Load
    measures_sender: bool
    must_hold: float
    aim: float

    def run(self, rounds: int) -> Row:
        with contextlib.ExitStack() as stack:
            links = [stack.enter_context(self._link(side)) for side in SIDES]
            for each in links:
                each.warm_up()
            rates = [[self._packets_per_second(each) for each in links] for _ in range(rounds)]
        ours, theirs = (statistics.median(column) for column in zip(*rates, strict=True))
        return Row(
            self.name,
            f"{ours / 1e3:.0f}k packets/s",
            f"aiortc {theirs / 1e3:.1f}k",
            statistics.median(mine / other for mine, other in rates),
            must_hold=self.must_hold,
            aim=self.aim,
        )

    def time_spent(self, side: str) -> str:
        """Where one side's time goes, by function."""
        with self._link(side) as each:
            each.warm_up()
            measured = each.sender if self.measures_sender else each.receiver
            measured.call("profile")
            each.run()
            return f"{self.load.total_packets} packets\n{measured.call('take_profile')}"

    def _link(self, side: str) -> contextlib.AbstractContextManager[Link]:
        sending, receiving = (side, "hairpin") if self.measures_sender else ("hairpin", side)
        return link(sending, receiving, self.profile, self.load)

    def _packets_per_second(self, each: Link) -> float:
        measured = each.sender if self.measures_sender else each.receiver
        before = measured.cpu_seconds()
        each.run()
        return self.load.total_packets / (measured.cpu_seconds() - before)


def main_of(documentation: str | None, comparisons: Sequence[Comparison]) -> None:
    """The command line of a script with these rows."""
    parser = argparse.ArgumentParser(
        description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="rows whose name has this in it")
    parser.add_argument("--profile", choices=SIDES, help="where this side's time goes, instead")
    options = parser.parse_args()
    for comparison in comparisons:
        if options.only in comparison.name:
            side = options.profile
            result = comparison.time_spent(side) if side else comparison.run(options.rounds)
            print(result, flush=True)


def rows_of(comparisons: Sequence[Comparison]) -> Callable[[int], Iterator[Row]]:
    """The same for the whole table."""

    def rows(rounds: int) -> Iterator[Row]:
        for comparison in comparisons:
            yield comparison.run(rounds)

    return rows
