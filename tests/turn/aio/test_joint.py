"""Two connections joined: on loopback, with a client over TCP or TLS, and a peer over TCP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from tests.transport.aio.test_streams import make_certificate
from turn.aio.joint import JOINED_BUFFER_BYTES, READ_BYTES, Joint
from turn.server import Meter

MUCH = 32 << 20
"""More than the kernel's buffers hold."""


class Accepted(asyncio.Protocol):
    """Keeps an accepted connection, unread, until it is joined."""

    def __init__(self, arrived: asyncio.Future[asyncio.Transport]) -> None:
        self._arrived = arrived

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast(asyncio.Transport, transport)
        stream.pause_reading()
        self._arrived.set_result(stream)


class World:
    """The far ends, as asyncio's streams, and what is between them."""

    def __init__(self) -> None:
        self.meter = Meter()
        self.gone = asyncio.Event()
        self.joint = Joint(self.meter, self.gone.set)
        self.client_side: asyncio.Transport
        self.peer_side: asyncio.Transport
        self.client: tuple[asyncio.StreamReader, asyncio.StreamWriter]
        self.peer: tuple[asyncio.StreamReader, asyncio.StreamWriter]
        self._peer_socket: socket.socket

    async def connect_client(
        self, tls: tuple[ssl.SSLContext, ssl.SSLContext] | None, early: bytes
    ) -> None:
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[asyncio.Transport] = loop.create_future()
        server_tls, client_tls = tls or (None, None)
        server = await loop.create_server(lambda: Accepted(arrived), "127.0.0.1", 0, ssl=server_tls)
        port = server.sockets[0].getsockname()[1]
        name = "relay.example" if tls else None
        self.client = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client_tls, server_hostname=name
        )
        self.client_side = await arrived
        server.close()
        self.client_side.set_protocol(self.joint.client)
        self.joint.attach_client(self.client_side, early)

    async def connect_peer(self) -> None:
        here, there = socket.socketpair()
        self.peer = await asyncio.open_connection(sock=there)
        self._peer_socket = here

    async def attach_peer(self) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: self.joint.peer, sock=self._peer_socket)
        self.peer_side = transport

    async def aclose(self) -> None:
        for _, writer in (self.client, self.peer):
            writer.transport.abort()
        await self.gone.wait()


@contextlib.asynccontextmanager
async def joined(
    tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None, *, early: bytes = b""
) -> AsyncIterator[World]:
    world = World()
    await world.connect_client(tls, early)
    await world.connect_peer()
    await world.attach_peer()
    yield world
    await world.aclose()


def stop_reading(writer: asyncio.StreamWriter) -> None:
    cast(asyncio.Transport, writer.transport).pause_reading()


def go_on_reading(writer: asyncio.StreamWriter) -> None:
    cast(asyncio.Transport, writer.transport).resume_reading()


async def is_stopped(transport: asyncio.Transport) -> None:
    while transport.is_reading():  # noqa: ASYNC110 - nobody is told that it was paused
        await asyncio.sleep(0)


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    folder: Path = tmp_path_factory.mktemp("tls")
    certificate, key = make_certificate(folder)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=str(certificate))


@pytest.mark.requirement("stun-turn:TURN-TCP-16")
async def test_bytes_go_both_ways_as_they_are_and_are_counted() -> None:
    data = os.urandom(300_000)
    async with joined(early=b"behind the request") as world:
        (client_reads, client_writes), (peer_reads, peer_writes) = world.client, world.peer
        client_writes.write(data)
        assert await peer_reads.readexactly(18 + len(data)) == b"behind the request" + data
        peer_writes.write(data)
        assert await client_reads.readexactly(len(data)) == data

        assert world.meter.sent_bytes == 18 + len(data)
        assert world.meter.received_bytes == len(data)


@pytest.mark.requirement("stun-turn:TURN-TCP-17")
@pytest.mark.parametrize("first", ["client", "peer"])
async def test_the_end_of_one_side_is_passed_on_and_the_other_may_go_on(first: str) -> None:
    async with joined() as world:
        one, other = world.client, world.peer
        if first == "peer":
            one, other = other, one
        one[1].write(b"last words")
        one[1].write_eof()

        assert await other[0].read() == b"last words"
        other[1].write(b"an answer")
        other[1].write_eof()
        assert await one[0].read() == b"an answer"
        await world.gone.wait()


@pytest.mark.requirement("stun-turn:TURN-TCP-17")
@pytest.mark.parametrize("first", ["client", "peer"])
async def test_a_side_that_is_cut_takes_the_other_with_it(first: str) -> None:
    async with joined() as world:
        one, other = world.client, world.peer
        if first == "peer":
            one, other = other, one
        one[1].write(b"last words")
        await one[1].drain()
        assert await other[0].readexactly(10) == b"last words"

        one[1].transport.abort()

        assert await other[0].read() == b""
        other[1].transport.abort()
        await world.gone.wait()


async def test_over_tls_the_end_of_one_side_is_that_of_both(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    data = os.urandom(3 << 20)
    async with joined(contexts) as world:
        (client_reads, client_writes), (peer_reads, peer_writes) = world.client, world.peer
        client_writes.write(b"hello")
        assert await peer_reads.readexactly(5) == b"hello"
        peer_writes.write(data)
        peer_writes.write_eof()

        assert await client_reads.read() == data
        client_writes.close()
        assert await peer_reads.read() == b""
        await world.gone.wait()


async def test_a_client_that_leaves_over_tls_has_its_last_bytes_delivered(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    data = os.urandom(3 << 20)
    async with joined(contexts) as world:
        (_, client_writes), (peer_reads, _) = world.client, world.peer
        client_writes.write(data)
        client_writes.close()

        assert await peer_reads.read() == data


@pytest.mark.requirement("stun-turn:TURN-TCP-19")
@pytest.mark.parametrize("over_tls", [False, True], ids=["tcp", "tls"])
async def test_a_client_that_does_not_read_stops_the_peer(
    over_tls: bool, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    data = os.urandom(1 << 20) * (MUCH >> 20)
    async with joined(contexts if over_tls else None) as world:
        (client_reads, client_writes), (_, peer_writes) = world.client, world.peer
        stop_reading(client_writes)
        peer_writes.write(data)
        await is_stopped(world.peer_side)

        # Nothing is read from the peer now, so that is all there ever is here.
        assert world.client_side.get_write_buffer_size() <= JOINED_BUFFER_BYTES + READ_BYTES + 4096
        assert world.meter.received_bytes < MUCH
        go_on_reading(client_writes)
        assert await client_reads.readexactly(len(data)) == data


@pytest.mark.requirement("stun-turn:TURN-TCP-19")
async def test_a_peer_that_does_not_read_stops_the_client() -> None:
    data = os.urandom(1 << 20) * (MUCH >> 20)
    async with joined() as world:
        (_, client_writes), (peer_reads, peer_writes) = world.client, world.peer
        stop_reading(peer_writes)
        client_writes.write(data)
        await is_stopped(world.client_side)

        assert world.peer_side.get_write_buffer_size() <= JOINED_BUFFER_BYTES + READ_BYTES
        go_on_reading(peer_writes)
        assert await peer_reads.readexactly(len(data)) == data


@pytest.mark.parametrize("over_tls", [False, True], ids=["tcp", "tls"])
async def test_a_client_that_leaves_before_the_peer_is_attached_leaves_its_bytes(
    over_tls: bool, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    world = World()
    await world.connect_client(contexts if over_tls else None, b"all there is")
    await world.connect_peer()
    if over_tls:
        world.client[1].transport.abort()
    else:
        world.client[1].write_eof()

    await world.attach_peer()

    assert await world.peer[0].read() == b"all there is"
    await world.aclose()


async def test_what_is_closed_before_the_peer_is_attached_ends_then() -> None:
    world = World()
    await world.connect_client(None, b"")
    await world.connect_peer()
    world.joint.close(1.0)

    await world.attach_peer()

    assert await world.peer[0].read() == b""
    await world.gone.wait()
    world.client[1].close()
    world.peer[1].close()


async def test_a_side_that_reads_nothing_is_cut_when_patience_ends() -> None:
    async with joined() as world:
        (_, client_writes), (peer_reads, peer_writes) = world.client, world.peer
        stop_reading(client_writes)
        peer_writes.write(bytes(MUCH))
        await is_stopped(world.peer_side)

        world.joint.close(0.01)

        await world.gone.wait()
        with contextlib.suppress(ConnectionError):
            assert await peer_reads.read() == b""
