"""a=ssrc and a=ssrc-group: RTP streams by their SSRC (RFC 5576 section 4)."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Self

from sdp.errors import SdpError
from sdp.grammar import TOKEN, match

_SSRC = re.compile(rf"([0-9]{{1,10}}) ({TOKEN})(?::([^\0\r\n]*))?")
_GROUP = re.compile(rf"({TOKEN})((?: +[0-9]{{1,10}})*) *")
_MAX_SSRC = 0xFFFFFFFF


@dataclasses.dataclass(frozen=True, slots=True)
class Ssrc:
    """One source attribute of one SSRC, such as ``cname``; unknown ones are kept."""

    NAME: ClassVar[str] = "ssrc"

    ssrc: int
    attribute: str
    value: str | None = None

    @classmethod
    def parse(cls, value: str) -> Self:
        number, attribute, text = match(_SSRC, value, "SSRC with an attribute").groups()
        return cls(_ssrc(number), attribute, text)

    def __str__(self) -> str:
        value = "" if self.value is None else f":{self.value}"
        return f"{self.ssrc} {self.attribute}{value}"


@dataclasses.dataclass(frozen=True, slots=True)
class SsrcGroup:
    """SSRCs that belong together: FID is a stream and its RTX stream (section 4.2)."""

    NAME: ClassVar[str] = "ssrc-group"

    semantics: str
    ssrcs: tuple[int, ...]

    @classmethod
    def parse(cls, value: str) -> Self:
        semantics, numbers = match(_GROUP, value, "group of SSRCs").groups()
        return cls(semantics, tuple(map(_ssrc, numbers.split())))

    def __str__(self) -> str:
        return " ".join((self.semantics, *map(str, self.ssrcs)))


def _ssrc(text: str) -> int:
    if int(text) > _MAX_SSRC:
        raise SdpError.in_value(0, f"{text} is no SSRC of 32 bits")
    return int(text)
