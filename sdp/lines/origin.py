"""o=: who made the session, and which version of it this is (RFC 8866 section 5.2)."""

from __future__ import annotations

import dataclasses
import re
from typing import Self

from sdp.grammar import DIGITS, TOKEN, VISIBLE, match

_ORIGIN = re.compile(
    rf"({VISIBLE}) ({DIGITS}) ({DIGITS}) ({TOKEN}) ({TOKEN}) ({VISIBLE})",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """The six fields. The two numbers are kept as written: they may have leading
    zeros and more digits than 64 bits hold."""

    username: str
    session_id: str
    session_version: str
    nettype: str = "IN"
    addrtype: str = "IP4"
    address: str = "0.0.0.0"

    @classmethod
    def parse(cls, value: str) -> Self:
        return cls(*match(_ORIGIN, value, "origin of six fields").groups())

    def __str__(self) -> str:
        return (
            f"{self.username} {self.session_id} {self.session_version} "
            f"{self.nettype} {self.addrtype} {self.address}"
        )

    @property
    def version_number(self) -> int:
        return int(self.session_version)

    def is_same_session(self, other: Origin) -> bool:
        """Whether only the version may differ (RFC 8866 section 5.2)."""
        return dataclasses.replace(self, session_version="0") == dataclasses.replace(
            other, session_version="0"
        )
