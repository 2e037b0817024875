"""a=extmap: RTP header extensions (RFC 8285 sections 5 to 8)."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Self

from sdp.errors import SdpError
from sdp.grammar import match

from .direction import Direction

ALLOW_MIXED = "extmap-allow-mixed"
"""One-byte and two-byte headers may be mixed in one stream (section 6)."""

ONE_BYTE_IDS = range(1, 15)
TWO_BYTE_IDS = range(1, 256)
VALID_IDS = range(1, 257)
"""RFC 8285 section 7: 1 to 256 in an answer; the range below in offers only."""
OFFERED_IDS = range(4096, 4352)
"""Stand for "any free number" in an offer that has more than it can number."""

_EXTMAP = re.compile(
    r"([0-9]{1,4})(?:/(sendrecv|sendonly|recvonly|inactive))? +([!-~\x80-\U0010ffff]+)"
    r"(?: +([^\0\r\n]+))?"
)


@dataclasses.dataclass(frozen=True, slots=True)
class ExtMap:
    """A header extension's local identifier, URI, direction and attributes."""

    NAME: ClassVar[str] = "extmap"

    id: int
    uri: str
    direction: Direction | None = None
    attributes: str | None = None

    @classmethod
    def parse(cls, value: str) -> Self:
        found = match(_EXTMAP, value, "header extension")
        number, direction, uri, attributes = found.groups()
        if int(number) not in VALID_IDS and int(number) not in OFFERED_IDS:
            raise SdpError.in_value(0, f"{number} is no identifier of a header extension")
        return cls(int(number), uri, Direction(direction) if direction else None, attributes)

    def __str__(self) -> str:
        direction = f"/{self.direction.value}" if self.direction is not None else ""
        attributes = f" {self.attributes}" if self.attributes is not None else ""
        return f"{self.id}{direction} {self.uri}{attributes}"
