"""The sources of candidates at work: their turn, their timers, and what comes for them."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator

from transport import Path

from .context import AgentContext, SessionTimers, TimerKind
from .findings import SourceFinding
from .pacing import Pacer, SharedPacer
from .reflexive import ReflexiveSource
from .relay import RelaySource

Source = ReflexiveSource | RelaySource

SERVER_PATIENCE = 2.0
"""Seconds that gathering is held up by a server that says nothing, and once more by one
that has begun to answer. What comes later is still used (RFC 8838 section 13)."""

_BINDING_REQUEST = b"\x00\x01"
_BINDING_RESPONSES = (b"\x01\x01", b"\x01\x11")


@dataclasses.dataclass(slots=True)
class _AtPath:
    """Who asks the server at the end of one path."""

    reflexive: ReflexiveSource | None = None
    relay: RelaySource | None = None


class Sources:
    """Starts at most one source per Ta (RFC 8445 section 5.1.1.2), and runs them all."""

    def __init__(self, context: AgentContext, shared: SharedPacer | None) -> None:
        self.findings: collections.deque[SourceFinding] = collections.deque()
        self.timers: SessionTimers = SessionTimers()
        self._pacer = Pacer(context.config.pacing_ms, self.timers, shared)
        self._waiting: collections.deque[Source] = collections.deque()
        self._sources: dict[int, Source] = {}
        self._by_path: dict[Path, _AtPath] = {}
        self._last: tuple[Path, RelaySource] | None = None
        self._heard: set[int] = set()
        self._overdue: set[int] = set()
        self._touched: dict[int, RelaySource] = {}

    def __iter__(self) -> Iterator[Source]:
        return iter(tuple(self._sources.values()))

    def __len__(self) -> int:
        return len(self._sources)

    def get(self, number: int) -> Source | None:
        return self._sources.get(number)

    def awaited(self) -> Iterator[Source]:
        """Those that may find something in time, started or not."""
        for number, source in self._sources.items():
            if not source.is_settled and number not in self._overdue:
                yield source

    def unsettled(self) -> Iterator[Source]:
        """Those that may still find something at all."""
        return (source for source in self._sources.values() if not source.is_settled)

    def add(self, source: Source, now: float) -> None:
        """Have a source started in its turn."""
        self._sources[source.number] = source
        self._waiting.append(source)
        self._pacer.wake(now)

    def remove(self, source: Source) -> None:
        """Forget a source, whatever the server has."""
        self._sources.pop(source.number, None)
        if source in self._waiting:
            self._waiting.remove(source)
        for kind in (TimerKind.SERVER, TimerKind.SERVER_PATIENCE):
            self.timers.cancel((kind, source.number))
        self._touched.pop(source.number, None)
        self._overdue.discard(source.number)
        self._heard.discard(source.number)
        self._leave(source)

    def release(self, source: Source, now: float) -> None:
        """A source is needed no more: what the server keeps for it is given back."""
        if source in self._waiting:
            self.remove(source)
            return
        source.release(now)
        self._settle(source)

    def cancel_waiting(self) -> None:
        """Start no more of them."""
        for source in tuple(self._waiting):
            self.remove(source)

    def touch(self, source: RelaySource) -> None:
        """Something was asked of its client, which ``flush`` brings on its way."""
        self._touched[source.number] = source

    def flush(self, now: float) -> None:
        while self._touched:
            _, source = self._touched.popitem()
            source.pump(now)
            self._settle(source)

    # What comes from servers

    def receive(self, data: bytes, path: Path, now: float) -> bool:
        """Take what comes on the path of a server; False if it is none's."""
        last = self._last
        if last is not None and path.remote is last[0].remote and path.local is last[0].local:
            relay: RelaySource | None = last[1]
            reflexive = None
        else:
            at_path = self._by_path.get(path)
            if at_path is None:
                return False
            relay, reflexive = at_path.relay, at_path.reflexive
        kind = data[:2]
        if kind == _BINDING_REQUEST:
            return False  # a check, of a peer who has the server's address
        if reflexive is not None and kind in _BINDING_RESPONSES:
            self._hear(reflexive, data, now)
            return True
        if relay is None:
            return False
        if reflexive is None:
            self._last = (path, relay)
        self._hear(relay, data, now)
        return True

    def _hear(self, source: Source, data: bytes, now: float) -> None:
        source.receive(data, now)
        if not source.is_settled and source.number not in self._heard:
            self._heard.add(source.number)
            self._wait(source, now)
        self._settle(source)

    def connected(self, path: Path, now: float) -> bool:
        """A stream to a server is open; False if nobody wants it."""
        source = self._connecting(path)
        if source is None:
            return False
        source.connected(path, now)
        self._by_path[source.path] = _AtPath(relay=source)
        self._settle(source)
        return True

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        """A stream to a server is gone, or could not be opened."""
        at_path = self._by_path.get(path)
        source = self._connecting(path) if at_path is None else at_path.relay
        if source is not None:
            source.disconnected(path, reason, now)
            self._settle(source)

    def _connecting(self, path: Path) -> RelaySource | None:
        """The first source that waits for a stream like this one."""
        for source in self._sources.values():
            wanted = source.origin.path
            if (
                isinstance(source, RelaySource)
                and (wanted.transport, wanted.remote) == (path.transport, path.remote)
                and source.path == wanted
                and source not in self._waiting
            ):
                return source
        return None

    # Time

    def handle_timeout(self, now: float) -> bool:
        """Do what is due; True if ICE has been over long enough to let go of the rest."""
        is_over = False
        while (deadline := self.timers.next_timeout()) is not None and deadline <= now:
            for kind, number in self.timers.expired(now):
                match kind, number:
                    case TimerKind.PACING, _:
                        self._start_next(now)
                    case TimerKind.SERVER, int(number):
                        source = self._sources[number]
                        source.handle_timeout(now)
                        self._settle(source)
                    case TimerKind.SERVER_PATIENCE, int(number):
                        self._overdue.add(number)
                    case TimerKind.RELEASE, _:
                        is_over = True
        return is_over

    def _start_next(self, now: float) -> None:
        if not self._waiting or not self._pacer.take(now):
            return
        source = self._waiting.popleft()
        self._enter(source)
        source.start(now)
        self._wait(source, now)
        self._settle(source)
        if self._waiting:
            self._pacer.wake(now)

    def _wait(self, source: Source, now: float) -> None:
        self.timers.set((TimerKind.SERVER_PATIENCE, source.number), now + SERVER_PATIENCE)

    def _settle(self, source: Source) -> None:
        """Follow what has become of a source."""
        if source.is_over:
            self.remove(source)
            return
        if source.is_settled:
            self.timers.cancel((TimerKind.SERVER_PATIENCE, source.number))
        key = (TimerKind.SERVER, source.number)
        deadline = source.next_timeout()
        if deadline is None:
            self.timers.cancel(key)
        elif self.timers.deadline(key) != deadline:
            self.timers.set(key, deadline)

    def _enter(self, source: Source) -> None:
        at_path = self._by_path.setdefault(source.origin.path, _AtPath())
        if isinstance(source, RelaySource):
            at_path.relay = source
        else:
            at_path.reflexive = source
        self._last = None

    def _leave(self, source: Source) -> None:
        path = source.path if isinstance(source, RelaySource) else source.origin.path
        self._last = None
        at_path = self._by_path.get(path)
        if at_path is None:
            return
        if at_path.relay is source:
            at_path.relay = None
        if at_path.reflexive is source:
            at_path.reflexive = None
        if at_path.relay is None and at_path.reflexive is None:
            del self._by_path[path]
