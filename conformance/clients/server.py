"""A server that follows a script: the machine that a client under test talks to."""

from __future__ import annotations

import collections
from collections.abc import Coroutine
from typing import Final

from conformance.outcome import (
    Direction,
    Frame,
    NotOffered,
    Outcome,
    RowResult,
    Verdict,
    Violated,
    skipped,
)
from transport import (
    DecodeError,
    Event,
    Path,
    RandomBytes,
    Transmit,
    TransportAddress,
    TransportProtocol,
)

from .events import ClientEnded, StreamLife
from .heard import Heard, StreamReader, Unframed
from .script import Over, Script
from .settings import Settings
from .stage import Stage, Until

MAX_FRAMES: Final = 20_000
"""Of one script: what comes beyond is a flood, and is dropped."""

MAX_BYTES: Final = 32 << 20
"""Of all that is kept for the report of one script."""

MAX_STREAMS: Final = 64
"""Connections in one script; further ones are closed by whoever drives it."""


class ScriptedServer:
    """A Machine for one script and one client.

    ``start`` begins; ``result`` is there when the script has judged. It hears what comes to
    ``listening`` and ``elsewhere``, two addresses of its host. On streams it takes and gives
    bytes as they come, and finds messages itself. ``client_ended`` tells, where somebody
    knows, that the client is done. It asks for PortClosed, PortOpened, CloseRequested and
    ResetRequested.
    """

    def __init__(
        self,
        script: Script,
        *,
        listening: TransportAddress,
        elsewhere: TransportAddress,
        protocol: TransportProtocol,
        random_bytes: RandomBytes,
        settings: Settings | None = None,
        known: frozenset[bytes] = frozenset(),
    ) -> None:
        self.script = script
        self.result: RowResult | None = None
        self.ids: set[bytes] = set()
        """Those of the client's transactions: ``known`` of the next script."""
        self._settings = settings or Settings()
        self._random_bytes = random_bytes
        self._addresses = (listening, elsewhere)
        self._protocol = protocol
        self._known = known
        self._stage: Stage | None = None
        self._coroutine: Coroutine[object, None, Outcome | None] | None = None
        self._begun = 0.0
        self._wakes_at: float | None = None
        self._frames: list[Frame] = []
        self._bytes = 0
        self._paths: set[Path] = set()
        self._readers: dict[Path, StreamReader] = {}
        self._transmits: collections.deque[Transmit] = collections.deque()
        self._events: collections.deque[Event] = collections.deque()

    # Verbs

    def start(self, now: float) -> None:
        """Begin to wait for the client."""
        listening, elsewhere = self._addresses
        self._begun = now
        self._stage = Stage(
            self._settings,
            self._random_bytes,
            listening=listening,
            elsewhere=elsewhere,
            protocol=self._protocol,
            begun=now,
        )
        self._coroutine = self.script.play(self._stage)
        self._step(now)

    def client_ended(
        self, now: float, *, succeeded: bool | None = None, at: float | None = None
    ) -> None:
        """The client under test is done; nothing comes from it any more.

        ``succeeded`` says whether it got what it wanted, if that is known, and ``at`` when it
        ended, if that was some time ago.
        """
        if self._stage is not None and self._stage.ended is None:
            self._stage.ended = ClientEnded(now if at is None else at, succeeded)
            self._step(now)

    def stop(self, reason: str, now: float) -> None:
        """Judge no more."""
        if self._coroutine is not None:
            self._coroutine.close()
            self._finish(skipped(reason), now)

    # Machine

    def receive(self, data: bytes, path: Path, now: float, *, at: float | None = None) -> None:
        """Take a datagram, or bytes of a stream; ``at`` is when they came, if that was before."""
        if self._stage is None or len(self._frames) >= MAX_FRAMES or self._bytes >= MAX_BYTES:
            return
        self._stage.now = now
        for message in self._messages(data, path, now):
            self._take(message, path, now if at is None else max(at, self._begun))
        self._step(now)

    def handle_timeout(self, now: float) -> None:
        if self._wakes_at is not None and now >= self._wakes_at:
            self._step(now)

    def next_timeout(self) -> float | None:
        return self._wakes_at

    def poll_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    # StreamMachine

    def connected(self, path: Path, now: float) -> None:
        """The client has opened a connection."""
        if self._stage is not None and len(self._stage.streams) < MAX_STREAMS:
            self._stage.streams.append(StreamLife(path, now))
            self._step(now)

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        """A connection is gone."""
        if self._stage is None:
            return
        for life in self._stage.streams:
            if life.path == path and life.closed is None:
                life.closed = now
        self._step(now)

    # Inside

    def _messages(self, data: bytes, path: Path, now: float) -> list[bytes]:
        if not path.transport.is_reliable or self.script.over is Over.TLS:
            return [data]
        if self._stage is not None and path in self._stage.right.data_paths:
            return []  # the peer's
        reader = self._readers.setdefault(path, StreamReader())
        try:
            return reader.push(data)
        except Unframed as error:
            self._record(Direction.RECEIVED, path, data, now)
            self._fail(Violated(f"the stream has {error}"), now)
            return []

    def _take(self, data: bytes, path: Path, at: float) -> None:
        heard = Heard.of(at, path, data)
        transaction_id = heard.transaction_id
        if transaction_id in self._known or self._stage is None:
            return
        if path not in self._paths:
            if self.script.over is not Over.TLS and not heard.opens_a_path():
                return
            self._paths.add(path)
        if transaction_id is not None:
            self.ids.add(transaction_id)
        self._record(Direction.RECEIVED, path, data, at)
        self._stage.heard.append(heard)
        self._stage.inbox.append(heard)

    def _step(self, now: float) -> None:
        """Let the script go on, until it waits again or has judged."""
        stage, coroutine = self._stage, self._coroutine
        if stage is None or coroutine is None:
            return
        stage.now = now
        try:
            wait = coroutine.send(None)
        except StopIteration as end:
            self._flush(now)
            self._finish(end.value or Outcome(Verdict.PASS), now)
        except Violated as error:
            self._flush(now)
            self._fail(error, now)
        except NotOffered as error:
            self._flush(now)
            self._finish(skipped(error.detail), now)
        except DecodeError as error:
            self._flush(now)
            self._fail(Violated(f"what the client sends cannot be read: {error}"), now)
        else:
            assert isinstance(wait, Until)
            self._wakes_at = max(wait.at, now + 0.001)
            self._flush(now)

    def _flush(self, now: float) -> None:
        stage = self._stage
        assert stage is not None
        while stage.outbox:
            path, data = stage.outbox.popleft()
            self._record(Direction.SENT, path, data, now)
            self._transmits.append(Transmit(path, [data]))
        self._events.extend(stage.events)
        stage.events.clear()

    def _fail(self, error: Violated, now: float) -> None:
        if self._coroutine is not None:
            self._coroutine.close()
        self._finish(Outcome(Verdict.FAIL, error.detail, error.mark), now)

    def _finish(self, outcome: Outcome, now: float) -> None:
        self._coroutine = None
        self._wakes_at = None
        if self.result is None:
            frames = tuple(self._frames)
            self.result = RowResult(self.script.id, outcome, frames, now - self._begun)

    def _record(self, direction: Direction, path: Path, data: bytes, now: float) -> None:
        is_stream = path.transport.is_reliable
        self._bytes += len(data)
        at = now - self._begun
        self._frames.append(Frame(at, direction, path.local, path.remote, data, is_stream))
