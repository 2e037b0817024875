"""Small machines to run in simulated networks."""

from __future__ import annotations

import collections
import dataclasses

from transport import Event, Path, Transmit, TransportAddress, TransportProtocol

MESSAGE = b"to whom it may concern"


def udp(local: TransportAddress, remote: TransportAddress) -> Path:
    return Path(TransportProtocol.UDP, local, remote)


@dataclasses.dataclass(frozen=True, slots=True)
class Received(Event):
    """What a probe was sent."""

    data: bytes
    path: Path


class Probe:
    """Sends what it is told to and reports what it receives."""

    def __init__(self) -> None:
        self.transmits: collections.deque[Transmit] = collections.deque()
        self.events: collections.deque[Event] = collections.deque()

    def send(self, local: TransportAddress, remote: TransportAddress, *segments: bytes) -> None:
        self.transmits.append(Transmit(udp(local, remote), segments or (MESSAGE,)))

    def receive(self, data: bytes, path: Path, now: float) -> None:
        self.events.append(Received(data, path))

    def handle_timeout(self, now: float) -> None:
        pass

    def next_timeout(self) -> float | None:
        return None

    def poll_transmit(self) -> Transmit | None:
        return self.transmits.popleft() if self.transmits else None

    def poll_event(self) -> Event | None:
        return self.events.popleft() if self.events else None


class Echo(Probe):
    """Sends back what it receives."""

    def receive(self, data: bytes, path: Path, now: float) -> None:
        super().receive(data, path, now)
        self.transmits.append(Transmit(path, (data,)))


class Caller(Probe):
    """Asks twice a second until it is answered."""

    def __init__(self) -> None:
        super().__init__()
        self.deadline: float | None = None

    def start(self, local: TransportAddress, remote: TransportAddress, now: float) -> None:
        self.path = udp(local, remote)
        self._ask(now)

    def receive(self, data: bytes, path: Path, now: float) -> None:
        super().receive(data, path, now)
        self.deadline = None

    def handle_timeout(self, now: float) -> None:
        if self.deadline is not None and now >= self.deadline:
            self._ask(now)

    def next_timeout(self) -> float | None:
        return self.deadline

    def _ask(self, now: float) -> None:
        self.transmits.append(Transmit(self.path, (MESSAGE,)))
        self.deadline = now + 0.5


class Clockwork(Probe):
    """Reports each of its deadlines, which it is given."""

    def __init__(self, *deadlines: float) -> None:
        super().__init__()
        self.deadlines = list(deadlines)

    def handle_timeout(self, now: float) -> None:
        while self.deadlines and self.deadlines[0] <= now:
            del self.deadlines[0]
            self.events.append(Event())

    def next_timeout(self) -> float | None:
        return self.deadlines[0] if self.deadlines else None


class Forgetful(Clockwork):
    """Never gets over its first deadline."""

    def handle_timeout(self, now: float) -> None:
        pass


class Chatterbox(Probe):
    """Has always one more thing to say."""

    def poll_event(self) -> Event | None:
        return Event()
