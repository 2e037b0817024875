"""b=: proposed bandwidth (RFC 8866 section 5.8; TIAS RFC 3890; RS, RR RFC 3556)."""

from __future__ import annotations

import dataclasses
import re
from typing import Self

from sdp.grammar import DIGITS, TOKEN, match

_BANDWIDTH = re.compile(rf"({TOKEN}):({DIGITS})")
_BITS_PER_SECOND = frozenset({"TIAS", "RS", "RR"})


@dataclasses.dataclass(frozen=True, slots=True)
class Bandwidth:
    """A bandwidth modifier and its number. Unknown modifiers are kept.

    CT, AS and X- count kilobits per second, TIAS, RS and RR bits per second.
    """

    type: str
    value: int

    @classmethod
    def parse(cls, value: str) -> Self:
        kind, number = match(_BANDWIDTH, value, "bandwidth").groups()
        return cls(kind, int(number))

    def __str__(self) -> str:
        return f"{self.type}:{self.value}"

    @property
    def bits_per_second(self) -> int:
        return self.value if self.type in _BITS_PER_SECOND else self.value * 1000
