"""Why something was kept or dropped in a negotiation, in plain words."""

from __future__ import annotations

import dataclasses
import enum


class Verdict(enum.Enum):
    KEPT = "kept"
    DROPPED = "dropped"


@dataclasses.dataclass(frozen=True, slots=True)
class ReportEntry:
    """What became of one codec, header extension, section or feature.

    ``subject`` names it as the peer wrote it, ``reason`` says why in a sentence.
    """

    index: int
    subject: str
    verdict: Verdict
    reason: str

    def __str__(self) -> str:
        return f"m= section {self.index}: {self.subject} {self.verdict.value}: {self.reason}"
