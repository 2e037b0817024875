"""What the data plane passes on for clients on streams, without the machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from stun import MessageClass, Method, encode_message
from tests.transport.aio.machines import Connected, Events, Received, SilentMachine
from transport import Path, TransportAddress, TransportProtocol
from transport.aio import KernelSockets, MachineDriver, from_sockaddr, stream_socket
from turn.aio import UserSpacePlane
from turn.channel_data import ChannelData
from turn.framing import TurnFramer
from turn.server import ForwardingEntry, Meter, SwitchTarget

LOOPBACK = TransportAddress.parse("127.0.0.1", 0)
CHANNEL = 0x4001
BINDING = encode_message(Method.BINDING, MessageClass.REQUEST, bytes(12), ())

SIZES = [
    pytest.param([160], id="one"),
    pytest.param([160, 160, 160], id="run"),
    pytest.param([1200, 300, 1200, 1200, 7], id="shorter-between"),
    pytest.param([1, 2, 3, 2, 1], id="every-size"),
    pytest.param([5, 0, 0, 5], id="empty-between"),
    pytest.param([100] * 150, id="more-than-one-call-carries"),
]


def framed(data: bytes, channel: int = CHANNEL) -> bytes:
    return ChannelData(channel, data).encode_padded()


class Client:
    """One stream, and what comes on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._framer = TurnFramer()
        self.writer = writer
        writer.write(BINDING)  # a stream of TURN begins with STUN
        self._framer.push(BINDING)

    @property
    def address(self) -> TransportAddress:
        return from_sockaddr(self.writer.get_extra_info("sockname"))

    async def receive(self, count: int) -> list[bytes]:
        messages: list[bytes] = []
        while len(messages) < count:
            messages += self._framer.push(await self._reader.read(65_536))
        return messages


class World:
    """A plane with streams and a relayed socket, and a peer that knows it."""

    def __init__(self) -> None:
        self.events = Events()
        self.plane = UserSpacePlane()
        streams = self.plane.add_streams(lambda path: self.driver.stream_writer(path))
        self.driver = MachineDriver(SilentMachine(), self.events, framer=TurnFramer, switch=streams)
        listener = stream_socket(LOOPBACK)
        listener.bind(("127.0.0.1", 0))
        self.local = from_sockaddr(listener.getsockname())
        self.driver.add_listener(listener)
        self.relayed = self.plane.add_relayed(KernelSockets().bind(LOOPBACK))
        self.peer = KernelSockets().bind(LOOPBACK)
        self.peer.connect(("127.0.0.1", self.relayed.local.port))
        self.meter = Meter()
        self._writers: list[asyncio.StreamWriter] = []

    async def client(self, *, port: int = 0) -> tuple[Client, Path]:
        streams = await asyncio.open_connection(
            self.local.host, self.local.port, local_addr=("127.0.0.1", port)
        )
        client = Client(*streams)
        self._writers.append(client.writer)
        path = Path(TransportProtocol.TCP, self.local, client.address)
        assert await self.events.next() == Connected(path)
        assert await self.events.next() == Received(BINDING, path)
        return client, path

    def entry(self, path: Path, *, switched_to: SwitchTarget | None = None) -> ForwardingEntry:
        peer = from_sockaddr(self.peer.getsockname())
        return ForwardingEntry(
            path, CHANNEL, self.relayed.local, peer, self.meter, switched_to=switched_to
        )

    async def at_peer(self, count: int) -> list[bytes]:
        loop = asyncio.get_running_loop()
        return [await loop.sock_recv(self.peer, 65_535) for _ in range(count)]

    async def aclose(self) -> None:
        await self.driver.aclose()
        self.plane.close()
        self.relayed.close()
        self.peer.close()
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(OSError):  # reset
                await writer.wait_closed()


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.aclose()


@pytest.mark.requirement("stun-turn:TURN-CDATA-01")
@pytest.mark.parametrize("sizes", SIZES)
async def test_channel_data_goes_to_the_peer_without_its_padding_and_in_order(
    world: World, sizes: list[int]
) -> None:
    client, path = await world.client()
    world.plane.upsert(world.entry(path))
    payloads = [os.urandom(size) for size in sizes]

    client.writer.write(b"".join(map(framed, payloads)))

    assert await world.at_peer(len(sizes)) == payloads
    assert (world.meter.sent_packets, world.meter.sent_bytes) == (len(sizes), sum(sizes))


@pytest.mark.requirement("stun-turn:TURN-CDATA-07")
@pytest.mark.parametrize("sizes", SIZES)
async def test_what_the_peer_sends_goes_to_the_client_with_padding_and_in_order(
    world: World, sizes: list[int]
) -> None:
    client, path = await world.client()
    world.plane.upsert(world.entry(path))
    payloads = [os.urandom(size) for size in sizes]

    for payload in payloads:
        world.peer.send(payload)

    assert await client.receive(len(sizes)) == list(map(framed, payloads))
    assert (world.meter.received_packets, world.meter.received_bytes) == (len(sizes), sum(sizes))


async def test_what_stands_behind_anything_else_is_left_to_the_machine_with_it(
    world: World,
) -> None:
    """A Refresh that deletes the allocation may stand between two messages with data."""
    client, path = await world.client()
    world.plane.upsert(world.entry(path))

    client.writer.write(framed(b"before") + BINDING + framed(b"behind"))

    assert await world.events.next() == Received(BINDING, path)
    assert await world.events.next() == Received(framed(b"behind"), path)
    assert await world.at_peer(1) == [b"before"]
    assert world.meter.sent_packets == 1


async def test_a_channel_without_an_entry_is_left_to_the_machine(world: World) -> None:
    client, path = await world.client()
    world.plane.upsert(world.entry(path))
    world.plane.remove(path, CHANNEL)

    client.writer.write(framed(b"late"))

    assert await world.events.next() == Received(framed(b"late"), path)
    assert world.plane.stats().entries == 0


async def test_two_clients_on_streams_are_switched_without_a_datagram_between(
    world: World,
) -> None:
    ann, from_ann = await world.client()
    bob, to_bob = await world.client()
    theirs = Meter()
    target = SwitchTarget(to_bob, 0x4777, theirs)
    world.plane.upsert(world.entry(from_ann, switched_to=target))
    payloads = [b"same size", b"same size", b"longer than that", b""]

    ann.writer.write(b"".join(map(framed, payloads)))

    assert await bob.receive(4) == [framed(payload, 0x4777) for payload in payloads]
    assert theirs.received_bytes == world.meter.sent_bytes == sum(map(len, payloads))


async def test_an_entry_outlives_the_stream_it_was_made_for(world: World) -> None:
    """As where a client with a mobility ticket is back at the same port."""
    client, path = await world.client()
    world.plane.upsert(world.entry(path))
    sock = client.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.writer.transport.abort()
    await world.events.next()
    world.peer.send(b"to nobody")
    while not world.driver.stats().dropped_messages:  # noqa: ASYNC110 - the plane tells nobody
        await asyncio.sleep(0)

    again, back = await world.client(port=path.remote.port)
    world.peer.send(b"here again")

    assert back == path
    assert await again.receive(1) == [framed(b"here again")]


async def test_no_entry_is_made_for_a_stream_that_is_gone(world: World) -> None:
    nobody = Path(TransportProtocol.TCP, world.local, TransportAddress.parse("127.0.0.1", 9))

    world.plane.upsert(world.entry(nobody))

    assert world.plane.stats().entries == 0
