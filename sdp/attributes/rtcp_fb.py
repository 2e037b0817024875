"""a=rtcp-fb: RTCP feedback (RFC 4585 section 4.2, RFC 5104 section 7.1)."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Self

from sdp.errors import SdpError
from sdp.grammar import TOKEN, match

_FEEDBACK = re.compile(rf"(\*|[0-9]{{1,3}}) +({TOKEN}(?: [^\0\r\n]+)?)")
_MAX_PAYLOAD_TYPE = 127


@dataclasses.dataclass(frozen=True, slots=True)
class RtcpFeedback:
    """A feedback message such as ``nack pli``; ``payload_type`` None is all (``*``)."""

    NAME: ClassVar[str] = "rtcp-fb"

    payload_type: int | None
    value: str

    @classmethod
    def parse(cls, value: str) -> Self:
        number, feedback = match(_FEEDBACK, value, "payload type and feedback").groups()
        if number == "*":
            return cls(None, feedback)
        if int(number) > _MAX_PAYLOAD_TYPE:
            raise SdpError.in_value(0, f"a payload type is from 0 to 127, not {number}")
        return cls(int(number), feedback)

    def __str__(self) -> str:
        number = "*" if self.payload_type is None else self.payload_type
        return f"{number} {self.value}"
