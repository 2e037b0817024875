"""Foundations: which candidates are likely to succeed or fail together (section 5.1.1.3)."""

from __future__ import annotations

from collections.abc import Container

from transport import IPAddress

from .candidate import CandidateType


class Foundations:
    """Gives local candidates their foundation.

    Two share one when type, base IP address, server IP address and transport are the
    same; port and component do not matter.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[CandidateType, IPAddress, IPAddress | None, str], str] = {}

    def of(
        self,
        kind: CandidateType,
        base: IPAddress,
        *,
        server: IPAddress | None = None,
        transport: str = "udp",
    ) -> str:
        key = (kind, base, server, transport)
        return self._numbers.setdefault(key, str(len(self._numbers) + 1))


def unused_foundation(used: Container[str]) -> str:
    """A foundation unlike all others, for a remote peer-reflexive candidate (7.3.1.3)."""
    number = 1
    while (name := f"prflx{number}") in used:
        number += 1
    return name
