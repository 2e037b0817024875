"""What a resolution asks for, and what it comes to."""

from __future__ import annotations

import dataclasses

from transport import Event

from .records import RecordType
from .target import Target


@dataclasses.dataclass(frozen=True, slots=True)
class LookupRequested(Event):
    """Look this up, and say so with ``answered``."""

    token: int
    name: str
    record_type: RecordType


@dataclasses.dataclass(frozen=True, slots=True)
class Resolved(Event):
    """What there is to try, in order; nothing where DNS has nothing."""

    targets: tuple[Target, ...]
