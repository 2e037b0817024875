"""A scripted server and a client on virtual time, over datagrams or streams."""

from __future__ import annotations

import functools
import heapq
import itertools
import random
from collections.abc import Callable

from conformance.clients import (
    Action,
    Over,
    PortClosed,
    PortOpened,
    Script,
    ScriptedServer,
    Settings,
)
from conformance.outcome import RowResult
from transport import (
    CloseRequested,
    ConnectRequested,
    DecodeError,
    Event,
    Path,
    ResetRequested,
    Transmit,
    TransportAddress,
    TransportProtocol,
)
from turn.framing import TurnFramer

from .actors import HERE, Actor, StunActor, TlsActor, Told
from .mutant import Mutant
from .turn_actor import TurnActor

SERVER = TransportAddress.parse("192.0.2.1", 3478)
ELSEWHERE = TransportAddress.parse("192.0.2.1", 3479)
DELAY = 0.001
END = 5000.0
MAX_STEPS = 200_000


def play(
    script: Script,
    mutant: Mutant | None = None,
    *,
    settings: Settings | None = None,
    actor: type[Actor] | None = None,
) -> RowResult:
    """Play a script to a client, right or broken, until it is judged."""
    return Pair(script, mutant or Mutant(), settings or Settings(), actor).run()


def protocol_of(script: Script) -> TransportProtocol:
    match script.over:
        case Over.STREAM:
            return TransportProtocol.TCP
        case Over.TLS:
            return TransportProtocol.TLS
        case _:
            return TransportProtocol.UDP


class Pair:
    """The driver of both."""

    def __init__(
        self, script: Script, mutant: Mutant, settings: Settings, actor: type[Actor] | None
    ) -> None:
        self.now = 0.0
        self.protocol = protocol_of(script)
        self.mutant = mutant
        self.server = ScriptedServer(
            script,
            listening=SERVER,
            elsewhere=ELSEWHERE,
            protocol=self.protocol,
            random_bytes=random.Random(script.id).randbytes,
            settings=settings,
        )
        kind = TlsActor if script.over is Over.TLS else actor or actor_of(script.action)
        self.client = kind(
            script.action,
            SERVER,
            protocol=self.protocol,
            settings=settings,
            manners=mutant.manners,
        )
        self._is_raw = script.over is Over.TLS
        self._is_open = True
        self._framers: dict[Path, TurnFramer] = {}
        self._streams = 0
        self._ports = itertools.count(50_000)
        self._order = itertools.count()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []

    def run(self) -> RowResult:
        self.server.start(0.0)
        self.client.start(0.0)
        for _ in range(MAX_STEPS):
            self._drain()
            if self.server.result is not None:
                return self.server.result
            self._advance()
        raise AssertionError(f"still busy after {MAX_STEPS} steps, at {self.now} s")

    def _advance(self) -> None:
        times = [self.server.next_timeout(), self.client.next_timeout()]
        if self._queue:
            times.append(self._queue[0][0])
        self.now = max(self.now, min((each for each in times if each is not None), default=END))
        assert self.now < END, "nothing is left to do, and nothing is judged"
        while self._queue and self._queue[0][0] <= self.now:
            heapq.heappop(self._queue)[2]()
            self._drain()
        self.server.handle_timeout(self.now)
        self.client.handle_timeout(self.now)

    def _later(self, delay: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + delay, next(self._order), do))

    def _drain(self) -> None:
        busy = True
        while busy:
            busy = False
            while self.mutant.ends:
                busy = True
                self._end_client(self.mutant.ends.pop())
            while (transmit := self.server.poll_transmit()) is not None:
                busy = True
                self._to_client(transmit)
            while (event := self.server.poll_event()) is not None:
                busy = True
                self._do_for_server(event)
            while (transmit := self.client.poll_transmit()) is not None:
                busy = True
                self._to_server(transmit)
            while (told := self.client.next_event(self.now)) is not None:
                busy = True
                self._do_for_client(told[1])

    # From the client

    def _to_server(self, transmit: Transmit) -> None:
        path = transmit.path
        for segment in transmit.segments:
            for delay, data in self.mutant.sends(bytes(segment), self.now):
                self._later(delay + DELAY, functools.partial(self._arrive, data, path))

    def _arrive(self, data: bytes, path: Path) -> None:
        if path.remote == SERVER and not self._is_open:
            if not self.mutant.ignores_icmp:
                self.client.unreachable(path, self.now)
            return
        there = Path(path.transport, path.remote, path.local)
        if path.remote in (SERVER, ELSEWHERE):
            self.server.receive(data, there, self.now)

    def _do_for_client(self, event: Event) -> None:
        match event:
            case ConnectRequested(remote=remote):
                self._streams += 1
                if self._streams == 1 or not self.mutant.never_reconnects:
                    self._later(DELAY, lambda: self._connect(remote))
            case CloseRequested(path=path) | ResetRequested(path=path):
                self._end(path, "closed by the client")
            case Told(succeeded=succeeded):
                self._end_client(succeeded)
            case _:
                pass

    def _end_client(self, succeeded: bool | None) -> None:
        # A process takes some time to end, and what it has sent arrives before.
        self._later(0.3, lambda: self.server.client_ended(self.now, succeeded=succeeded))

    def _connect(self, remote: TransportAddress) -> None:
        local = TransportAddress(HERE, next(self._ports))
        path = Path(self.protocol, local, remote)
        self._framers[path] = TurnFramer()
        self.server.connected(Path(self.protocol, remote, local), self.now)
        for machine in self.client.machines:
            machine.connected(path, self.now)
        if self.mutant.closes_after is not None:
            self._later(self.mutant.closes_after, lambda: self._end(path, "closed", is_told=False))

    def _end(self, path: Path, reason: str, *, is_told: bool = True) -> None:
        if self._framers.pop(path, None) is None:
            return
        self.server.disconnected(Path(path.transport, path.remote, path.local), reason, self.now)
        if is_told:
            self.client.disconnected(path, reason, self.now)

    # From the server

    def _to_client(self, transmit: Transmit) -> None:
        path = transmit.path
        for segment in transmit.segments:
            data = bytes(segment)
            local = SERVER if self.mutant.takes_any_source(data) else path.local
            there = Path(path.transport, path.remote, local)
            self._later(DELAY, functools.partial(self._hear, data, there))

    def _hear(self, data: bytes, path: Path) -> None:
        if self._is_raw:
            return
        for message in self._messages(data, path):
            for heard in self.mutant.hears(message):
                self.client.receive(heard, path, self.now)
        for delay, reply in self.mutant.replies:
            self._later(delay, functools.partial(self._arrive, reply, path))
        self.mutant.replies.clear()

    def _messages(self, data: bytes, path: Path) -> list[bytes]:
        if not path.transport.is_reliable or self.mutant.takes_segments_whole:
            return [data]
        framer = self._framers.get(path)
        try:
            found = [] if framer is None else framer.push(data)
            return [] if self.mutant.takes_one_message_a_segment and len(found) > 1 else found
        except DecodeError:
            self._end(path, "what came was no message")
            return []

    def _do_for_server(self, event: Event) -> None:
        match event:
            case PortClosed():
                self._is_open = False
            case PortOpened():
                self._is_open = True
            case CloseRequested(path=path) | ResetRequested(path=path):
                there = Path(path.transport, path.remote, path.local)
                told = not self.mutant.ignores_resets
                self._later(DELAY, lambda: self._end(there, "reset", is_told=told))
            case _:
                pass


def actor_of(action: Action) -> type[Actor]:
    """The kind of client that does it."""
    stun = {
        Action.REQUEST,
        Action.BINDING,
        Action.BINDINGS,
        Action.BURST,
        Action.INDICATION,
        Action.SHORT_TERM,
    }
    return StunActor if action in stun else TurnActor
