"""TCP connections in memory: bytes in order, ends, and a sender that has to wait."""

from __future__ import annotations

import asyncio
import collections
from typing import Final

from transport import TransportAddress

CAPACITY_BYTES: Final = 1 << 18
"""On the way from one end to the other, before a sender has to wait."""


class Pipe:
    """One direction of a connection."""

    def __init__(self) -> None:
        self._chunks: collections.deque[bytes] = collections.deque()
        self._waiting_bytes = 0
        self._is_ended = False
        self._is_abandoned = False
        self._changed = asyncio.Event()

    def put(self, data: bytes) -> None:
        """Write without waiting; behind the end it is lost."""
        if data and not self._is_ended and not self._is_abandoned:
            self._chunks.append(data)
            self._waiting_bytes += len(data)
            self._wake()

    async def write(self, data: bytes) -> None:
        """Write, and wait until there is room for more."""
        self.put(data)
        while self._waiting_bytes > CAPACITY_BYTES and not self._is_abandoned:
            await self._changed.wait()

    def end(self) -> None:
        """Nothing more is written."""
        self._is_ended = True
        self._wake()

    def abandon(self) -> None:
        """Nothing more is read."""
        self._is_abandoned = True
        self._chunks.clear()
        self._waiting_bytes = 0
        self._wake()

    async def read(self) -> bytes:
        """What was written next; empty at the end."""
        while not self._chunks:
            if self._is_ended or self._is_abandoned:
                return b""
            await self._changed.wait()
        data = self._chunks.popleft()
        self._waiting_bytes -= len(data)
        self._wake()
        return data

    async def read_within(self, seconds: float) -> bytes | None:
        try:
            return await asyncio.wait_for(self.read(), max(seconds, 0))
        except TimeoutError:
            return None

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class MemoryEnd:
    """One end of a connection; ``conformance.wire.StreamLink``."""

    def __init__(
        self, local: TransportAddress, remote: TransportAddress, incoming: Pipe, outgoing: Pipe
    ) -> None:
        self.local = local
        self.remote = remote
        self.protocol: str | None = None
        self.incoming = incoming
        self.outgoing = outgoing

    async def send(self, data: bytes) -> None:
        await self.outgoing.write(data)

    async def offer(self, data: bytes, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.outgoing.write(data), seconds)
        except TimeoutError:
            return False
        return True

    async def receive(self, seconds: float) -> bytes | None:
        return await self.incoming.read_within(seconds)

    async def end(self) -> None:
        self.outgoing.end()

    def close(self) -> None:
        self.outgoing.end()
        self.incoming.abandon()


def connection(one: TransportAddress, other: TransportAddress) -> tuple[MemoryEnd, MemoryEnd]:
    """A connection between two addresses: the end of each."""
    there, back = Pipe(), Pipe()
    return MemoryEnd(one, other, back, there), MemoryEnd(other, one, there, back)


class MemoryListener:
    """A peer that listens; ``conformance.wire.StreamListener``. A deaf one is never reached."""

    def __init__(self, local: TransportAddress, *, is_deaf: bool) -> None:
        self.local = local
        self.is_deaf = is_deaf
        self.is_open = True
        self._accepted: asyncio.Queue[MemoryEnd] = asyncio.Queue()

    def arrive(self, end: MemoryEnd) -> None:
        self._accepted.put_nowait(end)

    async def accept(self, seconds: float) -> MemoryEnd | None:
        try:
            return await asyncio.wait_for(self._accepted.get(), max(seconds, 0))
        except TimeoutError:
            return None

    def close(self) -> None:
        self.is_open = False
