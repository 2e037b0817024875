"""What the procedures of one agent share: settings, role, bases, and what goes out."""

from __future__ import annotations

import collections
import enum
from collections.abc import Iterator

from transport import Event, Path, RandomBytes, Timers, Transmit, TransportAddress

from .bases import Base
from .config import IceConfig
from .drops import DropReason, Drops
from .limits import MAX_VALIDATED_PATHS
from .role import Role

ComponentKey = tuple[int, int]
"""The number of a data stream, from 0, and of a component of it, from 1."""


class TimerKind(enum.Enum):
    """What of a session, or of gathering, may be due."""

    PACING = "pacing"
    CHECK = "check"
    NOMINATION = "nomination"
    PATIENCE = "patience"
    CONSENT_CHECK = "consent-check"
    CONSENT_EXPIRY = "consent-expiry"
    SERVER = "server"
    SERVER_PATIENCE = "server-patience"
    NAMES_PATIENCE = "names-patience"
    RELEASE = "release"


TimerKey = tuple[TimerKind, bytes | ComponentKey | int | None]
SessionTimers = Timers[TimerKey]


class ValidatedPaths:
    """Paths on which the peer has proven itself: data is taken from these alone.

    The path proven longest ago gives way to a new one when all places are taken.
    """

    def __init__(self) -> None:
        self._paths: dict[Path, None] = {}

    def __contains__(self, path: Path) -> bool:
        return path in self._paths

    def add(self, path: Path) -> bool:
        """Note a proof; True if an older path had to go."""
        self._paths.pop(path, None)
        self._paths[path] = None
        if len(self._paths) <= MAX_VALIDATED_PATHS:
            return False
        del self._paths[next(iter(self._paths))]
        return True

    def forget_base(self, address: TransportAddress) -> None:
        self._paths = {path: None for path in self._paths if path.local != address}

    def clear(self) -> None:
        self._paths.clear()


class AgentContext:
    """One per agent; sessions come and go with restarts, this stays."""

    def __init__(self, config: IceConfig, role: Role, random_bytes: RandomBytes) -> None:
        self.config = config
        self.role = role
        self.random_bytes = random_bytes
        self.bases: dict[TransportAddress, Base] = {}
        self.validated = ValidatedPaths()
        self.drops = Drops()
        self.transmits: collections.deque[Transmit] = collections.deque()
        self.events: collections.deque[Event] = collections.deque()
        self.now = 0.0
        """The time of the call under way."""
        self.dscp: int | None = None
        """That of the data last sent; checks carry the same (section 7.2.3)."""
        self.checks_sent = 0
        self.consent_checks_sent = 0
        self.requests_answered = 0

    def component_keys(self) -> Iterator[ComponentKey]:
        """Every component of every data stream."""
        for stream, count in enumerate(self.config.components):
            for component in range(1, count + 1):
                yield stream, component

    def drop(self, reason: DropReason) -> None:
        self.drops.add(reason)

    def report(self, event: Event) -> None:
        self.events.append(event)

    def send(self, path: Path, data: bytes) -> None:
        """Send one STUN message from the base that ``path`` names, if it is still there."""
        base = self.bases.get(path.local)
        if base is not None:
            base.send(path, (data,), dscp=self.dscp, transmits=self.transmits)

    def prove(self, path: Path) -> None:
        """The peer has proven that it is at the other end of ``path``."""
        if self.validated.add(path):
            self.drop(DropReason.VALIDATED_PATHS_FULL)
