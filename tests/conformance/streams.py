"""The harness's ends of streams and DTLS associations to the simulated server."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING

from conformance.reading import ReceivedMessage
from netsim import Process
from transport import DecodeError, Path, TransportAddress
from turn.framing import TurnFramer

from .mutants.mutant import Segments
from .pipes import MemoryEnd, Pipe

if TYPE_CHECKING:
    from .world import MutantMachine

BINDING = b"\x00\x01\x00\x00\x21\x12\xa4\x42"
"""The beginning of a Binding request without attributes."""

DELETED = bytes([0, 0x0D, 0, 4, 0, 0, 0, 0])
"""LIFETIME 0."""


class MemoryStream:
    """The harness's end of a stream; ``conformance.wire.StreamLink``."""

    protocol: str | None = None

    def __init__(self, path: Path, process: Process[MutantMachine], segments: Segments) -> None:
        self._path = path
        self._segments = segments
        self._process = process
        self._framer = TurnFramer()
        self._received = Pipe()
        self._sent: Pipe | None = None
        self._is_open = True

    @property
    def local(self) -> TransportAddress:
        return self._path.remote

    @property
    def remote(self) -> TransportAddress:
        return self._path.local

    async def send(self, data: bytes) -> None:
        if self._sent is not None:
            await self._sent.write(data)
        if not self._is_open:
            return
        try:
            messages = self._messages(data)
        except DecodeError as error:
            self.lose(str(error))
            return
        for message in messages:
            self._process.call(functools.partial(_receive, message, self._path))

    def _messages(self, data: bytes) -> list[bytes]:
        match self._segments:
            case Segments.WHOLE:
                return [data]
            case Segments.SILENT:
                return []
            case Segments.RESYNCHRONISES if data[0] > 3:
                return []
            case Segments.LOSES_PIECES if _is_piece(data):
                return []
            case Segments.FIRST_ALONE:
                return self._framer.push(data)[:1]
            case Segments.SEARCHES if _is_piece(data) and BINDING in data:
                at = data.index(BINDING)
                return [data[at : at + 20]]
            case _:
                return self._framer.push(data)

    async def offer(self, data: bytes, seconds: float) -> bool:
        await self.send(data)
        return True

    async def receive(self, seconds: float) -> bytes | None:
        return await self._received.read_within(seconds)

    async def end(self) -> None:
        """The server may still answer what was sent before."""
        if self._segments is Segments.ENDS_WITH_CLIENT:
            self._received = Pipe()
            self.lose("ended by the client")

        elif self._sent is not None:
            self._sent.end()

    def close(self) -> None:
        self.lose("closed by the client")
        if self._sent is not None:
            self._sent.end()
            self._received.abandon()

    def detach(self) -> MemoryEnd:
        """It carries messages no more: the server's end of it, for bytes (RFC 6062)."""
        self._is_open = False
        self._sent = Pipe()
        return MemoryEnd(self.remote, self.local, self._sent, self._received)

    def deliver(self, data: bytes) -> None:
        """What the server writes."""
        if not self._is_open:
            return
        self._received.put(data)
        is_last = self._segments is Segments.CLOSES_AFTER_DELETION and DELETED in data
        if self._segments is Segments.CLOSES_AFTER_ANSWER or is_last:
            asyncio.get_running_loop().call_soon(self.lose, "closed after an answer")

    def lose(self, reason: str) -> None:
        """The connection is over, for both."""
        if self._is_open:
            self._is_open = False
            self._received.end()
            self._process.call(lambda machine, now: machine.disconnected(self._path, reason, now))


def _is_piece(data: bytes) -> bool:
    """Whether there is less than the length of the message that it begins with says."""
    header = 20 if data[0] < 0x40 else 4
    return len(data) < 4 or len(data) < header + int.from_bytes(data[2:4], "big")


class MemoryAssociation:
    """The harness's end of a DTLS association; ``conformance.wire.AssociationLink``.

    What is in the records is all that there is: the server has no certificate.
    """

    def __init__(
        self,
        path: Path,
        process: Process[MutantMachine],
        segments: Segments,
        protocol: str | None,
    ) -> None:
        self.protocol = protocol
        self._path = path
        self._segments = segments
        self._process = process
        self._received: asyncio.Queue[bytes] = asyncio.Queue()
        self._is_open = True

    @property
    def local(self) -> TransportAddress:
        return self._path.remote

    @property
    def remote(self) -> TransportAddress:
        return self._path.local

    async def send(self, data: bytes) -> None:
        if not self._is_open:
            return
        if self._segments is Segments.ENDS_AT_GARBAGE and _is_garbage(data):
            self.lose("closed by the server")
        else:
            self._process.call(functools.partial(_receive, data, self._path))

    async def receive(self, seconds: float) -> bytes | None:
        if not self._received.empty() or not self._is_open:
            return b"" if self._received.empty() else self._received.get_nowait()
        try:
            return await asyncio.wait_for(self._received.get(), max(seconds, 0))
        except TimeoutError:
            return None

    def close(self) -> None:
        self.lose("closed by the client")

    def deliver(self, data: bytes) -> None:
        """One datagram of the server."""
        if not self._is_open:
            return
        self._received.put_nowait(data)
        is_last = self._segments is Segments.CLOSES_AFTER_DELETION and DELETED in data
        if is_last:
            asyncio.get_running_loop().call_soon(self.lose, "closed by the server")

    def lose(self, reason: str) -> None:
        """The association is over, for both."""
        if self._is_open:
            self._is_open = False
            self._received.put_nowait(b"")
            self._process.call(lambda machine, now: machine.disconnected(self._path, reason, now))


def _is_garbage(data: bytes) -> bool:
    if 0x40 <= data[0] < 0x50:
        return False
    try:
        ReceivedMessage.parse(data)
    except DecodeError:
        return True
    return False


def _receive(message: bytes, path: Path, machine: MutantMachine, now: float) -> None:
    machine.receive(message, path, now)
