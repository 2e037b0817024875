"""A party in a process of its own, and the pump between two of them.

What is measured is the time on the CPU of the thread that runs the event loop. Frames go
as fast as the receiving side takes them: it acknowledges each over a pipe, and only
a window of them is on their way, so that none is lost in a socket's buffer.
"""

from __future__ import annotations

import asyncio
import contextlib
import cProfile
import dataclasses
import gc
import io
import multiprocessing
import os
import pstats
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

from media.fanout import MAX_PAYLOAD_BYTES
from transport.dtls import SrtpProfile

from .parties import CLOCK_RATE, PARTIES, Party, vp8_frame

SENDING_CORE, RECEIVING_CORE = 0, 1
LAG = 1
"""Frames that are never acknowledged at the end: aiortc's come out with the next one."""

PAYLOAD_BYTES = MAX_PAYLOAD_BYTES - 5
"""Behind what VP8 puts in front of it: datagrams of nearly 1200 bytes."""

FRAME_TICKS = CLOCK_RATE // 500
"""Two milliseconds of media: the bitrate is so high that a frame goes in one burst."""

WARM_UP_FRAMES = 300
"""Of which the first come slowly: it takes half a second of media to know the bitrate."""

PATIENCE = 10.0
SETTLING = 0.05


@dataclasses.dataclass(frozen=True, slots=True)
class Load:
    """What is sent in a run: frames of ``packets`` payloads to each connection.

    Up to ``window`` frames are on their way. If ``is_counted``, receivers only count what
    comes but for the first of them.
    """

    connections: int
    frames: int
    packets: int
    window: int = 4
    is_counted: bool = False

    @property
    def frame_bytes(self) -> int:
        return self.packets * PAYLOAD_BYTES

    @property
    def total_packets(self) -> int:
        return self.connections * self.frames * self.packets

    @property
    def acknowledged_by(self) -> int:
        """How many units, or packets if they are counted, make a frame that all have."""
        return self.connections * (self.packets if self.is_counted else 1)


class Peer:
    """A party's process, seen from the one that compares."""

    def __init__(self, side: str, profile: SrtpProfile, load: Load, core: int | None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self.credit_reader, self.credit_writer = context.Pipe(duplex=False)
        self._side, self._profile, self._load, self._core = side, profile, load, core
        self._theirs = theirs
        self._context = context

    def start(self, credit: Connection, *, receives: bool) -> None:
        arguments = (self._theirs, credit, self._side, self._profile, self._load, receives)
        self._process = self._context.Process(
            target=_main, args=(self._core, *arguments), daemon=True
        )
        self._process.start()
        self._theirs.close()

    def call(self, verb: str, *arguments: object) -> object:
        """Have it done, and wait for what comes of it."""
        self._pipe.send((verb, arguments))
        if not self._pipe.poll(60):
            raise TimeoutError(f"{self._side} does not answer to {verb}")
        result = self._pipe.recv()
        if isinstance(result, Exception):
            raise result
        return result

    def cpu_seconds(self) -> float:
        """Of the thread that runs the event loop."""
        return self._seconds("cpu_seconds")

    def all_cpu_seconds(self) -> float:
        """Of all threads: encoders too."""
        return self._seconds("all_cpu_seconds")

    def arrived(self) -> int:
        """Units received, or packets if they are counted."""
        result = self.call("arrived")
        assert isinstance(result, int)
        return result

    def _seconds(self, verb: str) -> float:
        result = self.call(verb)
        assert isinstance(result, float)
        return result

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._pipe.send(("stop", ()))
        self._process.join(5)
        if self._process.is_alive():
            self._process.terminate()


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """A sending and a receiving process whose parties are connected."""

    sender: Peer
    receiver: Peer
    load: Load

    def warm_up(self) -> None:
        self.sender.call("pump", WARM_UP_FRAMES)

    def run(self) -> None:
        """Send the load once."""
        self.sender.call("pump", self.load.frames)
        time.sleep(SETTLING)


@contextlib.contextmanager
def link(
    sending: str, receiving: str, profile: SrtpProfile, load: Load, *, source: str | None = None
) -> Iterator[Link]:
    """Two processes with their parties connected; each has a core, but for encoders.

    With ``source`` the sending one plays that file of raw video.
    """
    sender = Peer(sending, profile, load, SENDING_CORE if source is None else None)
    receiver = Peer(receiving, profile, load, RECEIVING_CORE if source is None else None)
    sender.start(sender.credit_reader, receives=False)
    receiver.start(sender.credit_writer, receives=True)
    try:
        if source is not None:
            sender.call("play", source)
        offers = sender.call("offers")
        sender.call("take_answers", receiver.call("answers", offers))
        for peer in (sender, receiver):
            peer.call("connected")
        yield Link(sender, receiver, load)
    finally:
        sender.stop()
        receiver.stop()


class _Window:
    """How many frames are on their way."""

    def __init__(self, credit: Connection) -> None:
        self._outstanding = 0
        self._changed = asyncio.Event()
        self._descriptor = credit.fileno()
        os.set_blocking(self._descriptor, False)
        asyncio.get_running_loop().add_reader(self._descriptor, self._acknowledged)

    def _acknowledged(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._outstanding -= len(os.read(self._descriptor, 4096))
            self._changed.set()

    def take(self) -> None:
        self._outstanding += 1

    async def until(self, limit: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self._outstanding > limit:
                self._changed.clear()
                await self._changed.wait()


class _Arrivals:
    """What has come, and the other end of the window."""

    def __init__(self, acknowledged_by: int, credit: Connection) -> None:
        self.total = 0
        self._acknowledged_by = acknowledged_by
        self._descriptor = credit.fileno()

    def add(self, count: int) -> None:
        before = self.total // self._acknowledged_by
        self.total += count
        frames = self.total // self._acknowledged_by - before
        if frames:
            os.write(self._descriptor, bytes(frames))


class _Worker:
    """What runs in the process of a party."""

    def __init__(
        self, party: Party, load: Load, window: _Window | None, arrivals: _Arrivals
    ) -> None:
        self._party = party
        self._arrivals = arrivals
        self._load = load
        self._window = window
        self._index = 0
        self._profile = cProfile.Profile(time.thread_time)

    async def do(self, verb: str, arguments: tuple[object, ...]) -> object:
        match verb:
            case "cpu_seconds":
                return time.thread_time()
            case "all_cpu_seconds":
                return time.process_time()
            case "arrived":
                return self._arrivals.total
            case "profile":
                self._profile.enable()
                return None
            case "take_profile":
                return self._take_profile()
            case "pump":
                (frames,) = arguments
                assert isinstance(frames, int)
                await self._pump(frames)
                return None
            case _:
                return await getattr(self._party, verb)(*arguments)

    def _take_profile(self) -> str:
        self._profile.disable()
        text = io.StringIO()
        pstats.Stats(self._profile, stream=text).sort_stats("tottime").print_stats(60)
        return text.getvalue()

    async def _pump(self, frames: int) -> None:
        window = self._window
        assert window is not None
        for _ in range(frames):
            await window.until(self._load.window - 1)
            window.take()
            frame = vp8_frame(self._index, self._load.frame_bytes)
            self._party.send(self._index, frame, self._index * FRAME_TICKS)
            self._index += 1
        await window.until(LAG)


async def _serve(
    pipe: Connection,
    credit: Connection,
    side: str,
    profile: SrtpProfile,
    load: Load,
    receives: bool,
) -> None:
    arrivals = _Arrivals(load.acknowledged_by, credit)

    callbacks = {"arrived" if load.is_counted else "received": arrivals.add} if receives else {}
    party = PARTIES[side](load.connections, profile, **callbacks)
    worker = _Worker(party, load, None if receives else _Window(credit), arrivals)
    readable = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), readable.set)
    gc.freeze()
    while True:
        await readable.wait()
        readable.clear()
        while pipe.poll():
            verb, arguments = pipe.recv()
            if verb == "stop":
                await party.aclose()
                return
            try:
                pipe.send(await worker.do(verb, arguments))
            except Exception as error:
                pipe.send(error)


def _main(
    core: int | None,
    pipe: Connection,
    credit: Connection,
    side: str,
    profile: SrtpProfile,
    load: Load,
    receives: bool,
) -> None:
    if core is not None:
        os.sched_setaffinity(0, {core})
    asyncio.run(_serve(pipe, credit, side, profile, load, receives))
