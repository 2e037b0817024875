"""How reports tell who sends what, and what is not there."""

from __future__ import annotations

import dataclasses
from typing import Final

from .outcome import Direction


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Of frames, which ``sent`` and ``received`` tell of, followed by an address, and of rows
    that were ``skipped``. ``begins`` is whose messages those of the other side answer."""

    sent: str
    received: str
    unsent: str
    unanswered: str
    skipped: str
    begins: Direction


OF_SERVERS: Final = Wording(
    sent="sent to",
    received="received from",
    unsent="nothing was sent",
    unanswered="nothing came back",
    skipped="not offered, or not asked",
    begins=Direction.SENT,
)
OF_CLIENTS: Final = Wording(
    sent="the scripted server, to the client's",
    received="the client, from",
    unsent="the scripted server sends nothing",
    unanswered="the client sends nothing",
    skipped="not shown",
    begins=Direction.RECEIVED,
)
