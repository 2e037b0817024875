"""A client of TCP allocations that does what a test says, one message after the other."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import pathlib
import ssl
from collections.abc import AsyncIterator

from stun import (
    AnyAttribute,
    ConnectionId,
    ErrorCode,
    IpProtocol,
    Message,
    MessageClass,
    Method,
    Nonce,
    Realm,
    RequestedTransport,
    Username,
    XorPeerAddress,
    XorRelayedAddress,
    encode_message,
    long_term_key,
)
from transport import TransportAddress, TransportProtocol
from transport.aio import ClientTls
from turn.aio import Endpoint, RelayServer

from .over import ANYWHERE, TLS, config, write_certificate

KEY = long_term_key("ann", "relay.example", password="secret")


@contextlib.asynccontextmanager
async def tcp_relay(
    folder: pathlib.Path, transport: TransportProtocol = TransportProtocol.TCP
) -> AsyncIterator[RelayServer]:
    """A relay on streams, with TCP to peers."""
    async with RelayServer.open(
        dataclasses.replace(config(), tcp_relay=True),
        endpoints=[Endpoint(transport, ANYWHERE)],
        certificate=write_certificate(folder),
    ) as server:
        yield server


def trust(folder: pathlib.Path) -> ssl.SSLContext:
    return ClientTls(write_certificate(folder).chain).context()


class Stream:
    """One stream to the relay."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._nonce: Nonce | None = None

    @classmethod
    async def open(cls, server: RelayServer, tls: ssl.SSLContext | None = None) -> Stream:
        (endpoint,) = server.endpoints
        host, port = endpoint.address.host, endpoint.address.port
        context = tls if endpoint.transport is TLS else None
        return cls(*await asyncio.open_connection(host, port, ssl=context))

    def request(self, method: int, *attributes: AnyAttribute) -> bytes:
        """A request, signed once there is a nonce."""
        if self._nonce is None:
            return encode_message(method, MessageClass.REQUEST, os.urandom(12), attributes)
        signed = (*attributes, Username("ann"), Realm("relay.example"), self._nonce)
        return encode_message(method, MessageClass.REQUEST, os.urandom(12), signed, key=KEY)

    async def receive(self) -> Message:
        head = await self.reader.readexactly(20)
        body = await self.reader.readexactly(int.from_bytes(head[2:4], "big"))
        return Message.decode(head + body)

    async def ask(self, method: int, *attributes: AnyAttribute, behind: bytes = b"") -> Message:
        """The answer to a signed request; ``behind`` goes in the same segment."""
        if self._nonce is None:
            await self.challenge(method, *attributes)
        self.writer.write(self.request(method, *attributes) + behind)
        return await self.receive()

    async def challenge(self, method: int, *attributes: AnyAttribute) -> None:
        self.writer.write(self.request(method, *attributes))
        self._nonce = (await self.receive()).get(Nonce)

    async def allocate(self) -> TransportAddress:
        response = await self.ask(Method.ALLOCATE, RequestedTransport(IpProtocol.TCP))
        relayed = response.get(XorRelayedAddress)
        assert relayed is not None
        return relayed.address

    async def connect(self, peer: TransportAddress) -> int:
        """The code of the error, or the CONNECTION-ID."""
        response = await self.ask(Method.CONNECT, XorPeerAddress(peer))
        if response.message_class is MessageClass.ERROR:
            return code(response)
        named = response.get(ConnectionId)
        assert named is not None
        return named.connection_id

    async def permit(self, peer: TransportAddress) -> None:
        await self.ask(Method.CREATE_PERMISSION, XorPeerAddress(peer))

    async def bind(self, connection_id: int, *, behind: bytes = b"") -> int:
        """The code of the error, or 0."""
        named = ConnectionId(connection_id)
        return code(await self.ask(Method.CONNECTION_BIND, named, behind=behind))

    async def attempt(self) -> tuple[TransportAddress, int]:
        """The next ConnectionAttempt."""
        message = await self.receive()
        assert message.method == Method.CONNECTION_ATTEMPT
        peer, named = message.get(XorPeerAddress), message.get(ConnectionId)
        assert peer is not None
        assert named is not None
        return peer.address, named.connection_id

    def close(self) -> None:
        self.writer.transport.abort()


def code(response: Message) -> int:
    if response.message_class is MessageClass.SUCCESS:
        return 0
    error = response.get(ErrorCode)
    assert error is not None
    return error.code


class Peer:
    """A peer that listens, and keeps who connects."""

    def __init__(self) -> None:
        self._accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            asyncio.Queue()
        )
        self._open: list[asyncio.StreamWriter] = []
        self.address: TransportAddress

    @classmethod
    @contextlib.asynccontextmanager
    async def listening(cls) -> AsyncIterator[Peer]:
        peer = cls()
        server = await asyncio.start_server(peer._connected, "127.0.0.1", 0)
        peer.address = TransportAddress.parse(*server.sockets[0].getsockname())
        try:
            yield peer
        finally:
            server.close()
            for writer in peer._open:
                writer.transport.abort()
            await server.wait_closed()

    async def accept(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await self._accepted.get()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.append(writer)
        self._accepted.put_nowait((reader, writer))
