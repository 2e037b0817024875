"""Shapes of load. Each sends through flows of one relay for a while, and counts."""

from __future__ import annotations

import dataclasses
import enum
import select
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Protocol

from .flow import Flow
from .mmsg import Burst, Inbox
from .stream_load import StreamBurst, StreamInbox

STALL = 0.05
"""Seconds without a packet after which what is under way in a closed loop counts as lost."""

SETTLE = 0.1
"""Seconds for what is still under way when the load ends."""


class Direction(enum.Enum):
    """Which way the packets go."""

    TO_PEER = "c2p"
    TO_CLIENT = "p2c"


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """What came of a load."""

    sent: int
    delivered: int
    seconds: float
    slowest_share: float
    """Of the slowest flow, beside an equal one."""


class Lane:
    """One flow in one direction: where datagrams go in, and where they come out."""

    def __init__(self, flow: Flow, direction: Direction, size: int, burst: int) -> None:
        payload = bytes(range(256)) * (size // 256 + 1)
        payload = payload[:size]
        framed = flow.frame(payload)
        self.burst: Burst | StreamBurst
        self._stream: StreamInbox | None = None
        if direction is Direction.TO_PEER:
            self.source, self.sink = flow.client, flow.peer
            self.burst = (StreamBurst if flow.way.is_stream else Burst)(framed, burst)
            self._expected = size
        else:
            self.source, self.sink = flow.peer, flow.client
            self.burst = Burst(payload, burst)
            self._expected = flow.size_at_client(payload)
            if flow.way.is_stream:
                self._stream = StreamInbox(framed)
        self.credit = 0
        self.sent = 0
        self.received = 0

    def send(self) -> None:
        self.sent += self.burst.send(self.source)

    def send_as_run(self) -> None:
        self.sent += self.burst.send_as_run(self.source)

    def take(self, inbox: Inbox) -> int:
        if self._stream is None:
            count = inbox.receive(self.sink, self._expected)
        else:
            count = self._stream.receive(self.sink)
        self.received += count
        return count


class Lanes:
    """All lanes of a run, and who of them has something to take."""

    def __init__(
        self, flows: Sequence[Flow], direction: Direction, *, size: int, burst: int
    ) -> None:
        self.all = [Lane(flow, direction, size, burst) for flow in flows]
        self._by_fd = {lane.sink.fileno(): lane for lane in self.all}
        self._inbox = Inbox()
        self._epoll = select.epoll()
        for lane in self.all:
            _empty(lane.sink)
            self._epoll.register(lane.sink.fileno(), select.EPOLLIN)

    def take(self, timeout: float) -> list[tuple[Lane, int]]:
        """Wait for packets; who got how many."""
        ready = self._epoll.poll(timeout)
        lanes = [self._by_fd[fd] for fd, _ in ready]
        return [(lane, lane.take(self._inbox)) for lane in lanes]

    def settle(self) -> None:
        while self.take(SETTLE):
            pass

    def count(self, seconds: float) -> Count:
        self._epoll.close()
        received = [lane.received for lane in self.all]
        share = min(received) * len(received) / (sum(received) or 1)
        return Count(sum(lane.sent for lane in self.all), sum(received), seconds, share)


class Shape(Protocol):
    """A load, and the flows that it needs."""

    @property
    def name(self) -> str: ...

    @property
    def flows(self) -> int: ...

    def run(self, flows: Sequence[Flow], direction: Direction, seconds: float) -> Count: ...


@dataclasses.dataclass(frozen=True)
class Saturated:
    """A closed loop: as much as the relay delivers, a window of packets on their way."""

    name: str
    size: int
    flows: int = 16
    window: int = 32
    burst: int = 4

    def run(self, flows: Sequence[Flow], direction: Direction, seconds: float) -> Count:
        lanes = Lanes(flows, direction, size=self.size, burst=self.burst)
        self._fill(lanes.all)
        start = time.perf_counter()
        end = start + seconds
        while time.perf_counter() < end:
            taken = lanes.take(STALL)
            for lane, count in taken:
                lane.credit += count
                while lane.credit >= self.burst:
                    lane.credit -= self.burst
                    lane.send_as_run()
            if not taken:
                self._fill(lanes.all)
        elapsed = time.perf_counter() - start
        lanes.settle()
        return lanes.count(elapsed)

    def _fill(self, lanes: Sequence[Lane]) -> None:
        for lane in lanes:
            lane.credit = 0
        for _ in range(self.window // self.burst):
            for lane in lanes:
                lane.send_as_run()


@dataclasses.dataclass(frozen=True)
class Paced:
    """An open loop: each flow sends a burst at a fixed rate, the flows one after the other."""

    name: str
    size: int
    flows: int
    burst: int
    bursts_per_second: float

    def run(self, flows: Sequence[Flow], direction: Direction, seconds: float) -> Count:
        lanes = Lanes(flows, direction, size=self.size, burst=self.burst)
        interval = 1 / (self.bursts_per_second * len(flows))
        start = time.perf_counter()
        bursts = round(seconds / interval)
        done = 0
        while done < bursts:
            due = min(bursts, int((time.perf_counter() - start) / interval) + 1)
            while done < due:
                lanes.all[done % len(flows)].send()
                done += 1
            for _ in lanes.take(0):
                pass
            pause = start + done * interval - time.perf_counter()
            if pause > 0:
                time.sleep(pause)
        elapsed = time.perf_counter() - start
        lanes.settle()
        return lanes.count(elapsed)


def _empty(sock: socket.socket) -> None:
    """Forget what an earlier run has left."""
    while True:
        try:
            sock.recv(2048)
        except (BlockingIOError, ssl.SSLWantReadError):
            return


SHAPES: tuple[Shape, ...] = (
    Saturated("saturated, 172 B", 172),
    Saturated("saturated, 1200 B", 1200),
    Paced("video bursts, 10 x 1200 B", 1200, flows=20, burst=10, bursts_per_second=60),
    Paced("light audio, 172 B", 172, flows=200, burst=1, bursts_per_second=50),
)
