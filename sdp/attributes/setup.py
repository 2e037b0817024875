"""a=setup: who opens the DTLS association (RFC 4145 section 4, RFC 8842 section 5)."""

from __future__ import annotations

import enum
from typing import ClassVar

from sdp.errors import SdpError


class Setup(enum.Enum):
    """A setup role. ACTIVE is the DTLS client: it sends the ClientHello."""

    NAME: ClassVar[str]

    ACTIVE = "active"
    PASSIVE = "passive"
    ACTPASS = "actpass"
    HOLDCONN = "holdconn"

    @classmethod
    def parse(cls, value: str) -> Setup:
        try:
            return cls(value.lower())
        except ValueError as error:
            raise SdpError.in_value(0, f"{value!r} is no setup role") from error

    def __str__(self) -> str:
        return self.value

    @property
    def reversed(self) -> Setup:
        """The role of the other side; ACTPASS and HOLDCONN are their own."""
        match self:
            case Setup.ACTIVE:
                return Setup.PASSIVE
            case Setup.PASSIVE:
                return Setup.ACTIVE
            case _:
                return self


Setup.NAME = "setup"


def answered(offered: Setup, preferred: Setup) -> Setup | None:
    """The role of an answer, or None when the offer leaves none (RFC 4145 section 4.1).

    ``preferred`` decides where the offer leaves the choice; RFC 8842 section 5.3
    recommends ACTIVE.
    """
    match offered:
        case Setup.ACTIVE | Setup.PASSIVE:
            return offered.reversed
        case Setup.ACTPASS:
            return Setup.PASSIVE if preferred is Setup.PASSIVE else Setup.ACTIVE
        case Setup.HOLDCONN:
            return None
