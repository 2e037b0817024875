"""Where two runs differ, and what that says of the second one."""

from __future__ import annotations

import dataclasses
import enum
import pathlib
from collections.abc import Mapping, Sequence

import msgspec

from conformance import Verdict, load
from conformance.describing_values import counted

NOT_RUN = "not run"
"""In place of a verdict, where a report does not have the row."""

ORDER = (Verdict.PASS, Verdict.FAIL, Verdict.SKIP, Verdict.INFO, None)
"""Of verdicts, before and after, where a change is of the same kind."""


class _Line(msgspec.Struct):
    id: str
    verdict: Verdict
    detail: str = ""


class Document(msgspec.Struct):
    """What ``--json`` has written."""

    target: str
    rows: list[_Line]
    ended: str | None = None

    def count(self, verdict: Verdict) -> int:
        return sum(line.verdict is verdict for line in self.rows)


class Change(enum.Enum):
    """What becomes of rows; worse first."""

    FAILING = "new FAIL"
    LOST = "no longer PASS"
    UNKNOWN = "not run now"
    OTHER = "changed"
    BETTER = "better"

    @classmethod
    def of(cls, was: Verdict | None, now: Verdict | None) -> Change:
        """None is of a row that was not run: that it passes now does not make it better."""
        if now is Verdict.FAIL:
            return cls.FAILING
        if was is Verdict.PASS:
            return cls.UNKNOWN if now is None else cls.LOST
        if was is not None and now is Verdict.PASS:
            return cls.BETTER
        return cls.OTHER


NOT_SHOWN = (Change.LOST, Change.UNKNOWN)
"""What need not be worse: a feature may be off, or have another one in its place."""


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """A row whose verdicts differ; ``seen`` is what the second run says of it, if anything, and
    ``seen_before`` the first."""

    id: str
    title: str
    was: Verdict | None
    now: Verdict | None
    seen: str = ""
    seen_before: str = ""

    @property
    def change(self) -> Change:
        return Change.of(self.was, self.now)

    @property
    def rank(self) -> tuple[int, ...]:
        """Sorts worse changes first, and those of the same verdicts together."""
        return list(Change).index(self.change), ORDER.index(self.was), ORDER.index(self.now)


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """``differences`` stand with the worse first, else in the catalogue's order; ``common`` is
    how many rows both runs have, and ``ended`` how the second one did, if not as it should."""

    differences: Sequence[Difference]
    common: int
    ended: str | None = None

    @property
    def exit_status(self) -> int:
        """1 if a row fails that did not, 2 if one that passed does not any more, or if too
        little was run to tell, else 0."""
        changes = {each.change for each in self.differences}
        if self.common and Change.FAILING in changes:
            return 1
        is_told = self.common and self.ended is None and not changes.intersection(NOT_SHOWN)
        return 0 if is_told else 2

    def conclusion(self, name: str) -> str:
        """The last line; ``name`` is of the second run."""
        if not self.common:
            return f"{name} cannot be compared: no row was run in both"
        counts = ", ".join(f"{count} {change.value}" for change, count in self._counts().items())
        found = "; ".join(filter(None, (counts, self.ended)))
        match self.exit_status:
            case 1:
                return f"{name} is worse: {found}"
            case 2:
                return f"{name} has no new FAIL, but {found}"
        return f"{name} is no worse: {found or 'no row differs'}"

    def _counts(self) -> Mapping[Change, int]:
        changes = [each.change for each in self.differences]
        return {change: changes.count(change) for change in Change if change in changes}


def read_document(path: pathlib.Path) -> Document:
    """A report of an earlier run.

    Raises:
        ValueError: it cannot be read, or is none.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Document)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path} is no report of hairpin conformance: {error}") from error


def compare_documents(before: Document, after: Document) -> Comparison:
    """Every row whose verdict differs, or that only one of them has."""
    titles = {row.id: row.title for group in load("stun-turn") for row in group.rows}
    old = {line.id: line for line in before.rows}
    new = {line.id: line for line in after.rows}
    every = (
        _difference(row_id, titles.get(row_id, ""), old.get(row_id), new.get(row_id))
        for row_id in dict.fromkeys((*titles, *old, *new))
    )
    found = sorted((each for each in every if each.was != each.now), key=lambda each: each.rank)
    return Comparison(found, len(old.keys() & new.keys()), after.ended)


def named(verdict: Verdict | None) -> str:
    return NOT_RUN if verdict is None else verdict.value


def summary(document: Document) -> str:
    """What a run came to, in a line."""
    order = (Verdict.PASS, Verdict.FAIL, Verdict.INFO, Verdict.SKIP)
    counts = ", ".join(f"{document.count(verdict)} {verdict.value}" for verdict in order)
    ended = "" if document.ended is None else f"; {document.ended}"
    return f"{document.target}: {counted(len(document.rows), 'row')}, {counts}{ended}"


def _difference(row_id: str, title: str, old: _Line | None, new: _Line | None) -> Difference:
    return Difference(
        row_id,
        title,
        None if old is None else old.verdict,
        None if new is None else new.verdict,
        "" if new is None else new.detail,
        "" if old is None else old.detail,
    )
