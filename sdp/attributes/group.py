"""a=mid and a=group: names and groups of m= sections (RFC 5888, RFC 9143)."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Self

from sdp.grammar import TOKEN, match

BUNDLE = "BUNDLE"
LIP_SYNC = "LS"
BUNDLE_ONLY = "bundle-only"

_MID = re.compile(TOKEN)
_GROUP = re.compile(rf"({TOKEN})((?: +{TOKEN})*) *")


@dataclasses.dataclass(frozen=True, slots=True)
class Mid:
    """The identification-tag of a section (RFC 5888 section 4)."""

    NAME: ClassVar[str] = "mid"

    value: str

    @classmethod
    def parse(cls, value: str) -> Self:
        return cls(match(_MID, value, "identification-tag").group())

    def __str__(self) -> str:
        return self.value


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Sections that belong together, and in what sense (RFC 5888 section 5)."""

    NAME: ClassVar[str] = "group"

    semantics: str
    mids: tuple[str, ...]

    @classmethod
    def parse(cls, value: str) -> Self:
        semantics, mids = match(_GROUP, value, "group").groups()
        return cls(semantics, tuple(mids.split()))

    def __str__(self) -> str:
        return " ".join((self.semantics, *self.mids))
