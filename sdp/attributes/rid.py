"""a=rid: restrictions on an RTP stream (RFC 8851 section 10)."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Self

from sdp.errors import SdpError
from sdp.grammar import match

KNOWN_RESTRICTIONS = frozenset(
    {"max-width", "max-height", "max-fps", "max-fs", "max-br", "max-pps", "max-bpp", "depend"}
)

_RID = re.compile(r"([A-Za-z0-9_\-]+) (send|recv)(?: ([^\0\r\n]+))?")
_FORMATS = re.compile(r"[0-9]{1,3}(?:,[0-9]{1,3})*")


@dataclasses.dataclass(frozen=True, slots=True)
class Rid:
    """A restriction identifier, its direction, formats and restrictions.

    RFC 8851 takes "-" and "_" in an identifier, RFC 8852 does not: both are read.
    """

    NAME: ClassVar[str] = "rid"

    id: str
    direction: str
    payload_types: tuple[int, ...] = ()
    restrictions: tuple[tuple[str, str | None], ...] = ()

    @classmethod
    def parse(cls, value: str) -> Self:
        found = match(_RID, value, "restriction identifier")
        identifier, direction, rest = found.groups()
        payload_types: tuple[int, ...] = ()
        restrictions: list[tuple[str, str | None]] = []
        for part in (rest or "").split(";"):
            name, equals, text = part.strip().partition("=")
            if name == "pt" and equals:
                if restrictions or payload_types or not _FORMATS.fullmatch(text):
                    raise SdpError.in_value(found.start(3), "pt= comes first, once, with numbers")
                payload_types = tuple(map(int, text.split(",")))
            elif name:
                restrictions.append((name, text if equals else None))
        return cls(identifier, direction, payload_types, tuple(restrictions))

    def __str__(self) -> str:
        parts = [f"pt={','.join(map(str, self.payload_types))}"] if self.payload_types else []
        parts += [name if text is None else f"{name}={text}" for name, text in self.restrictions]
        tail = f" {';'.join(parts)}" if parts else ""
        return f"{self.id} {self.direction}{tail}"

    @property
    def is_understood(self) -> bool:
        """Whether every restriction is known; otherwise the rid is to be dropped."""
        return all(name in KNOWN_RESTRICTIONS for name, _ in self.restrictions)
