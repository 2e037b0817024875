"""a=fmtp: parameters of one format (RFC 8866 section 6.15)."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Self

from sdp.grammar import TOKEN, match

_FMTP = re.compile(rf"({TOKEN}) +([^\0\r\n]+)")


@dataclasses.dataclass(frozen=True, slots=True)
class Fmtp:
    """A format of the m= line and its parameters as written."""

    NAME: ClassVar[str] = "fmtp"

    format: str
    text: str

    @classmethod
    def parse(cls, value: str) -> Self:
        return cls(*match(_FMTP, value, "format and its parameters").groups())

    def __str__(self) -> str:
        return f"{self.format} {self.text}"

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Name and value of each, in order; what has no ``=`` has an empty name."""
        pairs = []
        for part in self.text.split(";"):
            name, equals, value = part.strip().partition("=")
            if equals:
                pairs.append((name.strip(), value.strip()))
            elif name:
                pairs.append(("", name))
        return tuple(pairs)


def parameters_text(parameters: tuple[tuple[str, str], ...]) -> str:
    """Parameters as a=fmtp writes them."""
    return ";".join(f"{name}={value}" if name else value for name, value in parameters)
