"""What a script hears of beside messages, and what it asks of who runs it."""

from __future__ import annotations

import dataclasses

from transport import Event, Path


@dataclasses.dataclass(frozen=True, slots=True)
class ClientEnded:
    """The client under test is done; ``succeeded`` is whether it got what it wanted, where
    it says so."""

    at: float
    succeeded: bool | None


@dataclasses.dataclass(frozen=True, slots=True)
class PortClosed(Event):
    """The script wants nobody to be at the listening port."""


@dataclasses.dataclass(frozen=True, slots=True)
class PortOpened(Event):
    """The script wants the listening port back."""


@dataclasses.dataclass(slots=True)
class StreamLife:
    """A connection of the client's, in the machine's time."""

    path: Path
    opened: float
    closed: float | None = None
