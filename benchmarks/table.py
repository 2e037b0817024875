"""A row of docs' table of figures: ours, the peer's, their ratio, and what it has to be."""

from __future__ import annotations

import dataclasses


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
            f"{self.name:<52}{self.ours:<34}{self.peer:<20}"
            f"{self.ratio:7.2f}  {self.verdict:<7}({sign} {self.must_hold:g}, aim {self.aim:g})"
        )
