"""Scripted servers on loopback, over UDP and over streams, and names that lead to them."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import Callable, Mapping, Sequence

from stun import (
    AnyAttribute,
    ErrorCode,
    Message,
    MessageClass,
    StunFramer,
    XorMappedAddress,
    encode_message,
)
from stun.resolution import Record, RecordType
from transport import TransportAddress
from transport.aio import KernelSockets, from_sockaddr

LOOPBACK = ipaddress.ip_address("127.0.0.1")
ANYWHERE = TransportAddress(LOOPBACK, 0)

Answer = Callable[[Message, TransportAddress], list[bytes]]


def mapped(request: Message, source: TransportAddress) -> list[bytes]:
    """A Binding success response."""
    return [respond(request, XorMappedAddress(source))]


def silence(request: Message, source: TransportAddress) -> list[bytes]:
    return []


def respond(request: Message, *attributes: AnyAttribute) -> bytes:
    is_error = any(isinstance(attribute, ErrorCode) for attribute in attributes)
    return encode_message(
        request.method,
        MessageClass.ERROR if is_error else MessageClass.SUCCESS,
        request.transaction_id,
        attributes,
    )


class DatagramServer:
    """Answers each request with the datagrams that ``answer`` makes of it."""

    def __init__(self, answer: Answer = mapped) -> None:
        self.requests: list[Message] = []
        self._answer = answer

    async def __aenter__(self) -> DatagramServer:
        self._socket = await KernelSockets().open(ANYWHERE)
        self.address = self._socket.local
        self._socket.start(self._readable)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._socket.close()

    def _readable(self) -> None:
        for data, source in self._socket.receive():
            message = Message.decode(data)
            self.requests.append(message)
            for datagram in self._answer(message, source):
                self._socket.send([datagram], source, None)


class StreamServer:
    """The same over TCP, or TLS with a context; ``cut`` cuts what is to be written."""

    def __init__(
        self,
        answer: Answer = mapped,
        *,
        tls: ssl.SSLContext | None = None,
        cut: Callable[[bytes], list[bytes]] = lambda data: [data],
    ) -> None:
        self.requests: list[Message] = []
        self.protocols: list[str | None] = []
        self.connections: list[asyncio.StreamWriter] = []
        self.ended = 0
        self._answer = answer
        self._tls = tls
        self._cut = cut

    async def __aenter__(self) -> StreamServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.address = from_sockaddr(self._server.sockets[0].getsockname())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for writer in self.connections:
            writer.close()
        await self._server.wait_closed()

    def reset(self) -> None:
        """Cut all connections with a RST."""
        for writer in self.connections:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        if tls := writer.get_extra_info("ssl_object"):
            self.protocols.append(tls.selected_alpn_protocol())
        source = from_sockaddr(writer.get_extra_info("peername"))
        framer = StunFramer()
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                for message in map(Message.decode, framer.push(data)):
                    self.requests.append(message)
                    for piece in self._cut(b"".join(self._answer(message, source))):
                        writer.write(piece)
                        await writer.drain()
                        await asyncio.sleep(0)
        self.ended += 1
        writer.close()


class Names:
    """A resolver for tests: what is not in the zone has no records."""

    def __init__(self, zone: Mapping[str, Sequence[Record]]) -> None:
        self.asked: list[str] = []
        self._zone = zone

    async def look_up(self, name: str, record_type: RecordType) -> Sequence[Record]:
        question = f"{record_type.value} {name}"
        self.asked.append(question)
        return self._zone.get(question, ())


def everywhere(*hosts: str) -> Names:
    """All of these names are this host."""
    return Names({f"A {host}": [LOOPBACK] for host in hosts})
