"""One 5-tuple between the harness and another host, with a record of what went over it."""

from __future__ import annotations

import collections

from transport import TransportAddress

from .codes import HEADER_BYTES
from .outcome import Direction, Frame
from .wire import DatagramLink, StreamLink, Wire

MAX_FRAMES = 2000
"""Kept of one row: what a flood consists of need not be shown whole."""


class Record:
    """What one row has sent and received."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.frames: list[Frame] = []

    def now(self) -> float:
        return self._wire.now()

    def add(
        self,
        direction: Direction,
        local: TransportAddress,
        remote: TransportAddress,
        data: bytes,
        *,
        is_stream: bool = False,
    ) -> None:
        if len(self.frames) < MAX_FRAMES:
            frame = Frame(self._wire.now(), direction, local, remote, data, is_stream)
            self.frames.append(frame)


class DatagramPort:
    """A UDP socket that records; for peers, and below ``ServerLink``."""

    def __init__(self, link: DatagramLink, record: Record) -> None:
        self._link = link
        self._record = record

    @property
    def local(self) -> TransportAddress:
        return self._link.local

    async def send(self, data: bytes, remote: TransportAddress) -> None:
        self._record.add(Direction.SENT, self.local, remote, data)
        await self._link.send(data, remote)

    async def receive(self, seconds: float) -> tuple[bytes, TransportAddress] | None:
        """The next datagram and its source, or None."""
        received = await self._link.receive(seconds)
        if received is not None:
            data, source = received
            self._record.add(Direction.RECEIVED, self.local, source, data)
        return received

    def close(self) -> None:
        self._link.close()


class ServerLink:
    """Messages to and from the server under test, whatever carries them.

    Over a stream messages are found by their length; what is neither STUN nor
    ChannelData is handed out as it came.
    """

    def __init__(
        self, carrier: DatagramPort | StreamLink, server: TransportAddress, record: Record
    ) -> None:
        self._carrier = carrier
        self._record = record
        self._buffer = b""
        self.server = server
        self.strangers: collections.deque[tuple[bytes, TransportAddress]] = collections.deque()
        """Datagrams that came from elsewhere than the server was asked at."""
        self.has_ended = False
        """The server has closed the stream."""

    @property
    def local(self) -> TransportAddress:
        return self._carrier.local

    @property
    def is_stream(self) -> bool:
        return not isinstance(self._carrier, DatagramPort)

    async def send(self, data: bytes) -> None:
        """Send a datagram, or write to the stream."""
        if isinstance(self._carrier, DatagramPort):
            await self._carrier.send(data, self.server)
            return
        self._record.add(Direction.SENT, self.local, self.server, data, is_stream=True)
        await self._carrier.send(data)

    async def end(self) -> None:
        """Half-close the stream."""
        if not isinstance(self._carrier, DatagramPort):
            await self._carrier.end()

    async def receive(self, seconds: float) -> bytes | None:
        """The next message, or None if none is whole in time."""
        deadline = self._record.now() + seconds
        if isinstance(self._carrier, DatagramPort):
            return await self._receive_datagram(self._carrier, deadline)
        return await self._receive_from_stream(self._carrier, deadline)

    def close(self) -> None:
        self._carrier.close()

    async def _receive_datagram(self, port: DatagramPort, deadline: float) -> bytes | None:
        while (left := deadline - self._record.now()) >= 0:
            received = await port.receive(left)
            if received is None:
                return None
            data, source = received
            if source == self.server:
                return data
            self.strangers.append((data, source))
        return None

    async def _receive_from_stream(self, stream: StreamLink, deadline: float) -> bytes | None:
        while (size := _message_size(self._buffer)) is None or len(self._buffer) < size:
            if self.has_ended:
                return None
            data = await stream.receive(max(0.0, deadline - self._record.now()))
            if data is None:
                return None
            if not data:
                self.has_ended = True
                return None
            self._record.add(Direction.RECEIVED, self.local, self.server, data, is_stream=True)
            self._buffer += data
        message, self._buffer = self._buffer[:size], self._buffer[size:]
        return message


def _message_size(data: bytes) -> int | None:
    """Of the message that ``data`` begins with; None if too little is there to tell."""
    if len(data) < 4:
        return None
    size = int.from_bytes(data[2:4], "big")
    if data[0] < 0x40:
        return HEADER_BYTES + size
    if data[0] < 0x50:
        return 4 + size + -size % 4
    return len(data)
