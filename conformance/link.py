"""What a row has open, with a record of what went over it: sockets, associations, connections."""

from __future__ import annotations

from transport import TransportAddress

from .outcome import Direction, Frame, NotOffered
from .wire import AssociationLink, DatagramLink, StreamLink, StreamListener, Wire

MAX_FRAMES = 2000
"""Kept of one row: what a flood consists of need not be shown whole."""

MAX_BYTES = 1 << 20
"""Kept of one row, for the same reason."""

MAX_RECORD = 1 << 14
"""Bytes that a record of DTLS holds (RFC 6347 section 4.1)."""


class Record:
    """What one row has sent and received."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._bytes_left = MAX_BYTES
        self.frames: list[Frame] = []
        self.is_whole = True
        """Nothing was left out."""

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
        if len(self.frames) < MAX_FRAMES and len(data) <= self._bytes_left:
            self._bytes_left -= len(data)
            frame = Frame(self._wire.now(), direction, local, remote, data, is_stream)
            self.frames.append(frame)
        else:
            self.is_whole = False


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


class SecuredPort:
    """A DTLS association that records what its records hold; below ``ServerLink``."""

    def __init__(self, link: AssociationLink, record: Record) -> None:
        self._link = link
        self._record = record

    @property
    def local(self) -> TransportAddress:
        return self._link.local

    @property
    def protocol(self) -> str | None:
        return self._link.protocol

    async def send(self, data: bytes) -> None:
        """Raises:
        NotOffered: no record holds that.
        """
        if not 0 < len(data) <= MAX_RECORD:
            raise NotOffered(f"a record of DTLS holds 1 to {MAX_RECORD} bytes, not {len(data)}")
        self._record.add(Direction.SENT, self.local, self._link.remote, data)
        await self._link.send(data)

    async def receive(self, seconds: float) -> bytes | None:
        """The next datagram; empty at the end, None if nothing comes in time."""
        data = await self._link.receive(seconds)
        if data:
            self._record.add(Direction.RECEIVED, self.local, self._link.remote, data)
        return data

    def close(self) -> None:
        self._link.close()


class ClosedStream:
    """A connection that was reset before anything could be done with it."""

    def __init__(self, local: TransportAddress, remote: TransportAddress) -> None:
        self.local = local
        self.remote = remote
        self.protocol: str | None = None

    async def send(self, data: bytes) -> None:
        """It is lost."""

    async def offer(self, data: bytes, seconds: float) -> bool:
        return True

    async def receive(self, seconds: float) -> bytes | None:
        return b""

    async def end(self) -> None:
        """It has ended."""

    def close(self) -> None:
        """It is closed."""


class StreamPort:
    """A peer's TCP connection that records."""

    def __init__(self, link: StreamLink, record: Record) -> None:
        self._link = link
        self._record = record

    @property
    def local(self) -> TransportAddress:
        return self._link.local

    @property
    def remote(self) -> TransportAddress:
        return self._link.remote

    async def send(self, data: bytes) -> None:
        self._add(Direction.SENT, data)
        await self._link.send(data)

    async def offer(self, data: bytes, seconds: float) -> bool:
        """Write, and wait until more would be taken; False if that is not so in time."""
        self._add(Direction.SENT, data)
        return await self._link.offer(data, seconds)

    async def receive(self, seconds: float) -> bytes | None:
        """What comes next; empty at the end, None if nothing comes in time."""
        data = await self._link.receive(seconds)
        if data:
            self._add(Direction.RECEIVED, data)
        return data

    def close(self) -> None:
        self._link.close()

    def _add(self, direction: Direction, data: bytes) -> None:
        self._record.add(direction, self.local, self.remote, data, is_stream=True)


class ListeningPort:
    """A peer that can be connected to over TCP."""

    def __init__(self, listener: StreamListener, record: Record) -> None:
        self._listener = listener
        self._record = record
        self._accepted: list[StreamPort] = []

    @property
    def local(self) -> TransportAddress:
        return self._listener.local

    async def accept(self, seconds: float) -> StreamPort | None:
        """The next connection, or None if none comes in time; it is closed with this port."""
        link = await self._listener.accept(seconds)
        if link is None:
            return None
        self._accepted.append(StreamPort(link, self._record))
        return self._accepted[-1]

    def close(self) -> None:
        self._listener.close()
        for each in self._accepted:
            each.close()
