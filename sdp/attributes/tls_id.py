"""a=tls-id: tells a new DTLS association from a kept one (RFC 8842 section 4)."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Self

from sdp.grammar import match

_TLS_ID = re.compile(r"[A-Za-z0-9+/\-_]{20,255}")


@dataclasses.dataclass(frozen=True, slots=True)
class TlsId:
    """20 to 255 characters; a change means a new association."""

    NAME: ClassVar[str] = "tls-id"

    value: str

    @classmethod
    def parse(cls, value: str) -> Self:
        return cls(match(_TLS_ID, value, "tls-id of 20 to 255 characters").group())

    def __str__(self) -> str:
        return self.value
