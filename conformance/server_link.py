"""Messages to and from the server under test, over one 5-tuple."""

from __future__ import annotations

import collections

from transport import TransportAddress

from .codes import HEADER_BYTES
from .link import DatagramPort, Record, SecuredPort
from .outcome import Direction
from .wire import StreamLink


class ServerLink:
    """Messages to and from the server under test, whatever carries them.

    Over a stream messages are found by their length; what is neither STUN nor
    ChannelData is handed out as it came.
    """

    def __init__(
        self,
        carrier: DatagramPort | SecuredPort | StreamLink,
        server: TransportAddress,
        record: Record,
    ) -> None:
        self._carrier = carrier
        self._record = record
        self._buffer = b""
        self.server = server
        self.strangers: collections.deque[tuple[bytes, TransportAddress]] = collections.deque()
        """Datagrams that came from elsewhere than the server was asked at."""
        self.has_ended = False
        """The server has closed the stream, or the DTLS association."""

    @property
    def local(self) -> TransportAddress:
        return self._carrier.local

    @property
    def is_stream(self) -> bool:
        return not isinstance(self._carrier, DatagramPort | SecuredPort)

    @property
    def can_end(self) -> bool:
        """Whether the server can close it."""
        return not isinstance(self._carrier, DatagramPort)

    @property
    def protocol(self) -> str | None:
        """What ALPN has agreed on, if anything."""
        return None if isinstance(self._carrier, DatagramPort) else self._carrier.protocol

    async def send(self, data: bytes) -> None:
        """Send a datagram, or write to the stream.

        Raises:
            NotOffered: no record of DTLS holds that.
        """
        if isinstance(self._carrier, DatagramPort):
            await self._carrier.send(data, self.server)
            return
        if isinstance(self._carrier, SecuredPort):
            await self._carrier.send(data)
            return
        self._record.add(Direction.SENT, self.local, self.server, data, is_stream=True)
        await self._carrier.send(data)

    def may_have_sent(self, piece: bytes) -> bool:
        """Whether these bytes have gone to the server; if not all is recorded, they may have."""
        sent = (
            frame.data
            for frame in self._record.frames
            if frame.direction is Direction.SENT and frame.local == self.local
        )
        return not self._record.is_whole or piece in b"".join(sent)

    async def end(self) -> None:
        """Half-close the stream."""
        if not isinstance(self._carrier, DatagramPort | SecuredPort):
            await self._carrier.end()

    async def receive(self, seconds: float) -> bytes | None:
        """The next message, or None if none is whole in time."""
        deadline = self._record.now() + seconds
        if isinstance(self._carrier, DatagramPort):
            return await self._receive_datagram(self._carrier, deadline)
        if isinstance(self._carrier, SecuredPort):
            return await self._receive_record(self._carrier, seconds)
        return await self._receive_from_stream(self._carrier, deadline)

    async def receive_bytes(self, seconds: float) -> bytes | None:
        """What a stream has next, message or not; empty at its end, None if nothing comes.

        For streams that carry a peer's bytes (RFC 6062 section 5.4).

        Raises:
            ValueError: it is no stream.
        """
        carrier = self._carrier
        if isinstance(carrier, DatagramPort | SecuredPort):
            raise ValueError("datagrams are received whole")
        if not self._buffer and not self.has_ended and not await self._read(carrier, seconds):
            return None
        data, self._buffer = self._buffer, b""
        return data

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

    async def _receive_record(self, port: SecuredPort, seconds: float) -> bytes | None:
        data = await port.receive(seconds)
        self.has_ended = self.has_ended or data == b""
        return data or None

    async def _receive_from_stream(self, stream: StreamLink, deadline: float) -> bytes | None:
        while (size := _message_size(self._buffer)) is None or len(self._buffer) < size:
            if self.has_ended:
                return None
            if not await self._read(stream, max(0.0, deadline - self._record.now())):
                return None
        message, self._buffer = self._buffer[:size], self._buffer[size:]
        return message

    async def _read(self, stream: StreamLink, seconds: float) -> bool:
        """Read once; False if nothing comes in time."""
        data = await stream.receive(seconds)
        if data is None:
            return False
        if data:
            self._record.add(Direction.RECEIVED, self.local, self.server, data, is_stream=True)
        self.has_ended = not data
        self._buffer += data
        return True


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
