"""What a stream does with what its peer does not read, over real connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from transport import Path, TransportAddress, TransportProtocol
from transport.aio import MachineDriver
from transport.aio.connection import ANSWER_RESERVE_BYTES, MAX_UNSENT_BYTES
from transport.aio.streams import MAX_ACCEPTED_PER_NETWORK

from .machines import Connected, Disconnected, Events, LineFramer, SilentMachine

KERNELS_BUFFER_BYTES = 4096
"""Asked for; a kernel takes its least, and somewhat more."""

DATA = b"x" * 1023 + b"\n"
RESPONSE = b"\x01" + b"y" * 1022 + b"\n"
PLENTY = 16 * 1024
"""More messages than kernel and driver keep together."""


class Server:
    """A listening machine that says what a test wants."""

    def __init__(self) -> None:
        self.machine = SilentMachine()
        self.events = Events()
        self.driver = MachineDriver(self.machine, self.events, framer=LineFramer)
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNELS_BUFFER_BYTES)
        self.address = listener.getsockname()
        self.driver.add_listener(listener)

    async def connected(self) -> Path:
        event = await self.events.next()
        assert isinstance(event, Connected)
        return event.path

    def send(self, path: Path, *messages: bytes) -> int:
        """How many of them were dropped."""
        before = self.driver.stats().dropped_messages
        self.driver.call(lambda _: self.machine.send(path, *messages))
        return self.driver.stats().dropped_messages - before


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    yield server
    await server.driver.aclose()


def reader_of_nothing(address: tuple[str, int]) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNELS_BUFFER_BYTES)
    sock.connect(address)
    return sock


@pytest.mark.requirement("stun-turn:SEC-14")
async def test_a_peer_that_does_not_read_costs_a_bounded_buffer_and_loses_data(
    server: Server,
) -> None:
    with reader_of_nothing(server.address) as peer:
        path = await server.connected()

        dropped = sum(server.send(path, DATA) for _ in range(PLENTY))

        kept = (PLENTY - dropped) * len(DATA)
        assert kept >= MAX_UNSENT_BYTES
        assert server.send(path, DATA) == 1
        received = 0
        peer.setblocking(False)
        loop = asyncio.get_running_loop()
        while received < kept:
            received += len(await loop.sock_recv(peer, 1 << 16))
        assert received == kept
        assert server.send(path, DATA) == 0


@pytest.mark.requirement("stun-turn:SEC-14")
async def test_who_reads_too_slowly_still_gets_responses(server: Server) -> None:
    with reader_of_nothing(server.address):
        path = await server.connected()
        while not server.send(path, DATA):
            pass

        kept = 0
        while not server.send(path, RESPONSE):
            kept += 1

    assert ANSWER_RESERVE_BYTES // len(RESPONSE) - 1 <= kept
    assert kept <= ANSWER_RESERVE_BYTES // len(RESPONSE) + 1


@pytest.mark.requirement("stun-turn:STUNS-TCP-03")
async def test_who_sends_no_more_still_gets_what_waits_for_it(server: Server) -> None:
    with reader_of_nothing(server.address) as peer:
        path = await server.connected()
        kept = 0
        while not server.send(path, DATA):
            kept += 1

        peer.shutdown(socket.SHUT_WR)

        received = 0
        peer.setblocking(False)
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(peer, 1 << 16):
            received += len(data)
    assert received == kept * len(DATA)
    assert await server.events.next() == Disconnected(path, "closed by the peer")


async def test_a_burst_within_one_drain_is_bounded_as_well(server: Server) -> None:
    with reader_of_nothing(server.address):
        path = await server.connected()

        dropped = server.send(path, *[DATA] * PLENTY)

    assert (PLENTY - dropped) * len(DATA) == MAX_UNSENT_BYTES


@pytest.mark.requirement("stun-turn:SEC-14")
async def test_one_address_has_so_many_connections(server: Server) -> None:
    peers = [socket.create_connection(server.address) for _ in range(MAX_ACCEPTED_PER_NETWORK)]
    paths = [await server.connected() for _ in peers]
    loop = asyncio.get_running_loop()
    with socket.create_connection(server.address) as one_too_many:
        one_too_many.setblocking(False)
        assert await loop.sock_recv(one_too_many, 1) == b""
    elsewhere = socket.create_connection(server.address, source_address=("127.0.0.77", 0))
    assert (await server.connected()).remote.host == "127.0.0.77"

    peers.pop().close()
    assert isinstance(await server.events.next(), Disconnected)
    with socket.create_connection(server.address) as again:
        here = TransportAddress.parse(*again.getsockname())
        assert (await server.connected()).remote == here
    assert {path.transport for path in paths} == {TransportProtocol.TCP}
    for peer in (*peers, elsewhere):
        peer.close()
