"""Every bound on what DNS can make a resolution do, with its reason."""

from __future__ import annotations

from typing import Final

MAX_LOOKUPS: Final = 64
"""Of one resolution: four transports with a server's SRV, A and AAAA each, several times."""

MAX_RECORDS: Final = 16
"""Taken of one answer, the first in the order in which they are to be used."""

MAX_TARGETS: Final = 64
"""Tried in all; the last of them would have its turn after minutes."""

MAX_DEPTH: Final = 5
"""NAPTR records in a row that lead to other NAPTR records: a circle ends there."""

LOOKUP_PATIENCE: Final = 3.0
"""Seconds for one lookup, after which there is no such record."""

RESOLUTION_DELAY: Final = 0.05
"""Seconds that the IPv4 addresses wait for those of IPv6 (RFC 8305 section 3)."""
