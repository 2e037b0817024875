"""The data plane between real sockets, with entries as the machine publishes them."""

from __future__ import annotations

import asyncio
import errno
import functools
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.closed import closed_port
from transport import Path, TransportAddress, TransportProtocol
from transport.aio import MAX_DATAGRAMS_PER_WAKE_UP, DatagramSocket, DropReason, KernelSockets
from turn.aio import UserSpacePlane
from turn.channel_data import ChannelData
from turn.server import ForwardingEntry, Meter, SwitchTarget

CHANNEL = 0x4001
UDP_SEGMENT = 103


def has_ipv6() -> bool:
    try:
        KernelSockets().bind(TransportAddress.parse("::1", 0)).close()
    except OSError:
        return False
    return True


IPV6 = pytest.mark.skipif(not has_ipv6(), reason="this host has no ::1")

WORLDS = [
    pytest.param(("127.0.0.1", 256), id="ipv4"),
    pytest.param(("::1", 256), id="ipv6", marks=IPV6),
    pytest.param(("127.0.0.1", 0), id="ipv4-shared"),
    pytest.param(("::1", 0), id="ipv6-shared", marks=IPV6),
]
"""Where it is, and how many clients have a socket of their own."""


def bound(host: str = "127.0.0.1") -> socket.socket:
    return KernelSockets().bind(TransportAddress.parse(host, 0))


def address(sock: socket.socket) -> TransportAddress:
    return TransportAddress.parse(*sock.getsockname()[:2])


def framed(data: bytes, channel: int = CHANNEL) -> bytes:
    return ChannelData(channel, data).encode()


async def receive(sock: socket.socket, count: int) -> list[bytes]:
    loop = asyncio.get_running_loop()
    return [await loop.sock_recv(sock, 65_535) for _ in range(count)]


class World:
    """A listening and a relayed socket in a plane; a client and a peer that know them."""

    def __init__(
        self, host: str, connected: int = 256, *, listening: socket.socket | None = None
    ) -> None:
        self.plane = UserSpacePlane(max_connected_clients=connected)
        self.listening = self.plane.add_listening(listening or bound(host))
        self.relayed = self.plane.add_relayed(bound(host))
        self.client, self.peer = bound(host), bound(host)
        self.client.connect((host, self.listening.local.port))
        self.peer.connect((host, self.relayed.local.port))
        self.meter = Meter()
        self.for_machine: asyncio.Queue[tuple[bytes, TransportAddress]] = asyncio.Queue()
        for sock in (self.listening, self.relayed):
            sock.start(functools.partial(self._read, sock))

    @property
    def path(self) -> Path:
        return Path(TransportProtocol.UDP, self.listening.local, address(self.client))

    def entry(self, switched_to: SwitchTarget | None = None) -> ForwardingEntry:
        relayed, peer = self.relayed.local, address(self.peer)
        return ForwardingEntry(self.path, CHANNEL, relayed, peer, self.meter, switched_to)

    def close(self) -> None:
        self.plane.close()
        for sock in (self.listening, self.relayed, self.client, self.peer):
            sock.close()

    def _read(self, sock: DatagramSocket) -> None:
        for item in sock.receive():
            self.for_machine.put_nowait(item)


@pytest_asyncio.fixture(params=WORLDS)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    world = World(*request.param)
    world.plane.upsert(world.entry())
    yield world
    world.close()


SIZES = [
    pytest.param([160], id="one"),
    pytest.param([160, 160, 160], id="run"),
    pytest.param([1200, 1200, 300], id="the-last-shorter"),
    pytest.param([1200, 300, 1200, 1200, 7], id="shorter-between"),
    pytest.param([1, 2, 3, 2, 1], id="every-size"),
    pytest.param([0], id="empty"),
    pytest.param([5, 0, 0, 5], id="empty-between"),
    pytest.param([1200] * 63, id="more-than-one-call-carries"),
    pytest.param([100] * (MAX_DATAGRAMS_PER_WAKE_UP + 9), id="more-than-a-wake-up-takes"),
    pytest.param([8000, 8000], id="longer-than-a-link"),
]


@pytest.mark.requirement("stun-turn:TURN-CDATA-01")
@pytest.mark.requirement("stun-turn:TURN-CDATA-02")
@pytest.mark.parametrize("sizes", SIZES)
async def test_channel_data_goes_to_the_peer_as_it_is_and_in_order(
    world: World, sizes: list[int]
) -> None:
    payloads = [os.urandom(size) for size in sizes]

    for payload in payloads:
        world.client.send(framed(payload))

    assert await receive(world.peer, len(sizes)) == payloads
    assert (world.meter.sent_packets, world.meter.sent_bytes) == (len(sizes), sum(sizes))


@pytest.mark.requirement("stun-turn:TURN-CDATA-07")
@pytest.mark.parametrize("sizes", SIZES)
async def test_what_the_peer_sends_goes_to_the_client_as_channel_data_and_in_order(
    world: World, sizes: list[int]
) -> None:
    payloads = [os.urandom(size) for size in sizes]

    for payload in payloads:
        world.peer.send(payload)

    assert await receive(world.client, len(sizes)) == [framed(payload) for payload in payloads]
    assert (world.meter.received_packets, world.meter.received_bytes) == (len(sizes), sum(sizes))


@pytest.mark.requirement("stun-turn:TURN-CDATA-04")
async def test_padding_behind_the_data_is_not_relayed(world: World) -> None:
    world.client.send(framed(b"12345") + b"pad")

    assert await receive(world.peer, 1) == [b"12345"]


@pytest.mark.parametrize(
    "datagram",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x40\x01\x00", id="shorter-than-a-header"),
        pytest.param(framed(bytes(100))[:-1], id="shorter-than-it-says"),
        pytest.param(framed(b"data", 0x4002), id="another-channel"),
        pytest.param(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12), id="stun"),
    ],
)
async def test_what_finds_no_entry_is_left_to_the_machine(world: World, datagram: bytes) -> None:
    world.client.send(datagram)

    assert await world.for_machine.get() == (datagram, address(world.client))
    assert world.meter.sent_packets == 0


async def test_another_clients_channel_of_the_same_number_is_not_this_one(world: World) -> None:
    with bound(world.listening.local.host) as stranger:
        stranger.connect(world.client.getpeername())
        stranger.send(framed(b"data"))

        assert await world.for_machine.get() == (framed(b"data"), address(stranger))


@pytest.mark.requirement("stun-turn:TURN-CHAN-12")
async def test_another_port_of_the_peer_is_left_to_the_machine(world: World) -> None:
    with bound(world.listening.local.host) as other:
        other.connect(world.peer.getpeername())
        other.send(b"data")

        assert await world.for_machine.get() == (b"data", address(other))


async def test_flows_and_the_machine_share_a_wake_up(world: World) -> None:
    for datagram in (framed(b"one"), b"\x00stun", framed(b"two"), b"\x00more"):
        world.client.send(datagram)

    assert await receive(world.peer, 2) == [b"one", b"two"]
    assert [(await world.for_machine.get())[0] for _ in range(2)] == [b"\x00stun", b"\x00more"]


async def test_what_a_client_sent_before_its_entry_went_still_reaches_the_machine(
    world: World,
) -> None:
    world.client.send(b"\x00last words")
    world.plane.remove(world.path, CHANNEL)

    assert await world.for_machine.get() == (b"\x00last words", address(world.client))


async def test_without_its_entry_the_machine_gets_both_directions(world: World) -> None:
    world.plane.remove(world.path, CHANNEL)
    world.plane.remove(world.path, CHANNEL)

    world.client.send(framed(b"out"))
    out = await world.for_machine.get()
    world.peer.send(b"back")
    back = await world.for_machine.get()

    assert out == (framed(b"out"), address(world.client))
    assert back == (b"back", address(world.peer))
    assert world.plane.stats().entries == 0


async def test_an_entry_takes_the_place_of_the_one_before(world: World) -> None:
    with bound(world.listening.local.host) as other:
        entry = world.entry()
        changed = ForwardingEntry(entry.client, CHANNEL, entry.relayed, address(other), world.meter)
        world.plane.upsert(changed)

        world.client.send(framed(b"to the new peer"))
        world.peer.send(b"from the old peer")

        assert await receive(other, 1) == [b"to the new peer"]
        assert (await world.for_machine.get())[0] == b"from the old peer"
        assert world.plane.stats().entries == 1


async def test_an_entry_that_no_socket_can_serve_is_left_to_the_machine() -> None:
    world = World("127.0.0.1")
    on_tcp = Path(TransportProtocol.TCP, world.path.local, world.path.remote)
    entry = world.entry()
    nowhere = TransportAddress.parse("127.0.0.1", 9)

    world.plane.upsert(ForwardingEntry(on_tcp, 1, entry.relayed, entry.peer, entry.meter))
    world.plane.upsert(ForwardingEntry(entry.client, 2, nowhere, entry.peer, entry.meter))
    no_zone = TransportAddress.parse("fe80::1%nosuch0", 9)
    world.plane.upsert(ForwardingEntry(entry.client, 3, entry.relayed, no_zone, entry.meter))
    ipv6 = TransportAddress.parse("::1", 9)
    world.plane.upsert(ForwardingEntry(entry.client, 4, entry.relayed, ipv6, entry.meter))
    world.plane.upsert(world.entry(SwitchTarget(on_tcp, CHANNEL, Meter())))

    world.close()
    assert world.plane.stats().entries == 0


async def test_two_clients_of_one_relay_are_switched_without_a_datagram_between(
    world: World,
) -> None:
    sizes = [100, 100, 50, 0, 200]
    payloads = [os.urandom(size) for size in sizes]
    with bound(world.listening.local.host) as neighbour:
        neighbour.connect(world.client.getpeername())
        path = Path(TransportProtocol.UDP, world.listening.local, address(neighbour))
        target = SwitchTarget(path, 0x4ABC, Meter())
        world.plane.upsert(world.entry(target))

        for payload in payloads:
            world.client.send(framed(payload))

        assert await receive(neighbour, 5) == [framed(data, 0x4ABC) for data in payloads]
    assert (world.meter.sent_packets, world.meter.sent_bytes) == (5, sum(sizes))
    assert (target.meter.received_packets, target.meter.received_bytes) == (5, sum(sizes))


async def test_a_peer_that_is_not_there_costs_its_own_datagrams_and_no_others(
    world: World,
) -> None:
    entry = world.entry()
    with closed_port(world.listening.local.host) as nowhere:
        dead = ForwardingEntry(entry.client, 0x4002, entry.relayed, nowhere, Meter())
        world.plane.upsert(dead)

        for data in (b"one", b"two", b"three"):
            world.client.send(framed(data, 0x4002))
            world.client.send(framed(data))

        assert await receive(world.peer, 3) == [b"one", b"two", b"three"]


async def test_channels_of_a_client_come_and_go_each_by_itself(world: World) -> None:
    entry = world.entry()
    with bound(world.listening.local.host) as other:
        second = ForwardingEntry(entry.client, 0x4002, entry.relayed, address(other), Meter())
        world.plane.upsert(second)
        world.plane.upsert(second)
        world.plane.remove(world.path, CHANNEL)

        world.client.send(framed(b"first"))
        world.client.send(framed(b"second", 0x4002))

        assert await receive(other, 1) == [b"second"]
        assert (await world.for_machine.get())[0] == framed(b"first")


async def test_no_other_relay_gets_an_address_that_connected_sockets_share(world: World) -> None:
    world.client.send(framed(b"one"))
    await receive(world.peer, 1)

    for taken in (world.listening.local, world.relayed.local):
        with pytest.raises(OSError, match="in use"):
            KernelSockets().bind(taken)


async def test_a_client_or_peer_that_no_socket_can_be_connected_to_is_left_to_the_machine() -> None:
    world = World("127.0.0.1")
    entry = world.entry()
    # Nobody but root may send to it, and even root must ask first.
    broadcast = TransportAddress.parse("255.255.255.255", 9)
    world.plane.upsert(ForwardingEntry(entry.client, 5, entry.relayed, broadcast, entry.meter))

    stats = world.plane.stats()
    world.close()
    assert (stats.entries, stats.connected_sockets) == (0, 0)


class Failing(socket.socket):
    """A socket above an interface that takes no runs, and now and then reports an error."""

    attempts = 0
    errors: tuple[int, ...] = ()

    def sendmsg(self, buffers: Any, ancdata: Any = (), flags: int = 0, address: Any = None) -> int:
        if any(kind == UDP_SEGMENT for _, kind, _ in ancdata):
            self.attempts += 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().sendmsg(buffers, ancdata, flags, address)

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        if self.errors:
            error, *rest = self.errors
            self.errors = tuple(rest)
            raise OSError(error, os.strerror(error))
        return super().recvfrom_into(buffer, nbytes, flags)


@pytest_asyncio.fixture
async def failing() -> AsyncIterator[tuple[World, Failing]]:
    sock = Failing(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    world = World("127.0.0.1", 0, listening=sock)
    world.plane.upsert(world.entry())
    yield world, sock
    world.close()


async def test_where_runs_are_refused_datagrams_leave_singly_and_it_is_remembered(
    failing: tuple[World, Failing],
) -> None:
    world, sock = failing

    for _ in range(3):
        for _ in range(4):
            world.peer.send(bytes(500))
        await receive(world.client, 4)

    # Once by the plane, once by the socket that knows what to make of it.
    assert sock.attempts == 2
    assert world.plane.stats().drops == {}


async def test_an_error_in_place_of_a_datagram_ends_no_drain(
    failing: tuple[World, Failing],
) -> None:
    world, sock = failing
    sock.errors = (errno.ECONNREFUSED, errno.EHOSTUNREACH)

    world.client.send(framed(b"one"))
    world.client.send(framed(b"two"))

    assert await receive(world.peer, 2) == [b"one", b"two"]
    assert world.listening.stats().receive_errors == 2


async def test_what_is_too_long_with_a_header_in_front_is_dropped(world: World) -> None:
    longest = 65_527 if world.path.local.is_ipv6 else 65_507

    world.peer.send(bytes(longest))
    world.peer.send(b"next")

    assert await receive(world.client, 1) == [framed(b"next")]
    assert world.plane.stats().drops == {DropReason.TOO_LONG: 1}


async def test_what_a_socket_dropped_is_remembered_when_it_is_gone(world: World) -> None:
    world.relayed.send([bytes(65_535)], address(world.peer), None)

    world.plane.remove_relayed(world.relayed.local)
    world.plane.remove_relayed(world.relayed.local)

    stats = world.plane.stats()
    assert (stats.relayed_sockets, stats.drops) == (0, {DropReason.TOO_LONG: 1})
    assert not world.plane.is_relayed(world.relayed.local)


async def test_a_closed_socket_does_nothing_and_says_nothing(world: World) -> None:
    world.listening.close()
    world.listening.close()
    world.listening.start(lambda: None)

    assert world.listening.receive() == []
