"""What a client may be told, and the bounds on what it does."""

from __future__ import annotations

import dataclasses
from typing import Final

from stun.exchanges import TransactionTiming

MAX_SERVER_ERRORS: Final = 4
"""Times that a request is sent again after a 5xx (RFC 8489 section 6.3.4)."""

SERVER_ERROR_PAUSE: Final = 1.0
"""Seconds from a 5xx to the next try, twice as long each time."""


@dataclasses.dataclass(frozen=True, slots=True)
class ClientConfig:
    """How a client asks.

    ``software`` goes into each request; ``server_name`` is the name that a TLS or DTLS
    certificate must have; ``timing`` are the numbers of the transactions.
    """

    software: str | None = None
    server_name: str | None = None
    timing: TransactionTiming = dataclasses.field(default_factory=TransactionTiming)
