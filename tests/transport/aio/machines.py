"""Small machines that show what a driver does."""

from __future__ import annotations

import asyncio
import collections
import dataclasses

from transport import DecodeError, Event, Path, Transmit


@dataclasses.dataclass(frozen=True, slots=True)
class Received(Event):
    data: bytes
    path: Path


@dataclasses.dataclass(frozen=True, slots=True)
class Connected(Event):
    path: Path


@dataclasses.dataclass(frozen=True, slots=True)
class Disconnected(Event):
    path: Path
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class TimedOut(Event):
    at: float


class EchoMachine:
    """Answers each datagram with itself, and reports all that befalls it."""

    def __init__(self) -> None:
        self.transmits: collections.deque[Transmit] = collections.deque()
        self.events: collections.deque[Event] = collections.deque()
        self.deadlines: list[float] = []

    def receive(self, data: bytes, path: Path, now: float) -> None:
        self.transmits.append(Transmit(path, (data,)))
        self.events.append(Received(data, path))

    def handle_timeout(self, now: float) -> None:
        while self.deadlines and self.deadlines[0] <= now:
            self.events.append(TimedOut(self.deadlines.pop(0)))

    def next_timeout(self) -> float | None:
        return self.deadlines[0] if self.deadlines else None

    def poll_transmit(self) -> Transmit | None:
        return self.transmits.popleft() if self.transmits else None

    def poll_event(self) -> Event | None:
        return self.events.popleft() if self.events else None

    def send(self, path: Path, *segments: bytes) -> None:
        self.transmits.append(Transmit(path, segments))

    def set_deadline(self, deadline: float) -> None:
        self.deadlines = sorted([*self.deadlines, deadline])

    def want(self, event: Event) -> None:
        """Report an event, as a machine does that wants something of its driver."""
        self.events.append(event)


class StreamEchoMachine(EchoMachine):
    """The same over streams."""

    def connected(self, path: Path, now: float) -> None:
        self.events.append(Connected(path))

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        self.events.append(Disconnected(path, reason))


class SilentMachine(StreamEchoMachine):
    """Answers nothing."""

    def receive(self, data: bytes, path: Path, now: float) -> None:
        self.events.append(Received(data, path))


class BrokenMachine(EchoMachine):
    """Has a bug that one kind of datagram, and every timeout, brings out."""

    def receive(self, data: bytes, path: Path, now: float) -> None:
        if data == b"bug":
            raise ZeroDivisionError("bug in receive")
        super().receive(data, path, now)

    def handle_timeout(self, now: float) -> None:
        raise ZeroDivisionError("bug in handle_timeout")


class LineFramer:
    """Messages end with a newline; a NUL makes no sense."""

    def __init__(self) -> None:
        self._rest = b""

    def push(self, data: bytes) -> list[bytes]:
        if b"\0" in data:
            raise DecodeError("line", "a NUL")
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line + b"\n" for line in lines]


class Events:
    """An event handler that keeps what it is given, for a test to wait for."""

    def __init__(self) -> None:
        self.all: list[Event] = []
        self._queue: asyncio.Queue[Event] = asyncio.Queue()

    def __call__(self, event: Event) -> None:
        self.all.append(event)
        self._queue.put_nowait(event)

    async def next(self) -> Event:
        return await self._queue.get()
