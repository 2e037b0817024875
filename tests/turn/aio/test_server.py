"""A relay on loopback with our own client: allocations, both clients on it, and its end."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine

import pytest
import pytest_asyncio

from stun import Message, MessageClass, Method, XorMappedAddress, encode_message
from transport import Event, TransportAddress
from transport.aio import KernelSockets
from turn.aio import Relay, RelayEventLoop, RelayServer, connect
from turn.client import AllocationError
from turn.credentials import CredentialVerifier
from turn.server import AllocationCreated, AllocationEnd, AllocationEnded, ServerConfig

LOOPBACK = ipaddress.ip_address("127.0.0.1")
ANYWHERE = TransportAddress(LOOPBACK, 0)


def config(
    *listening: TransportAddress, min_port: int = 49152, max_port: int = 65535
) -> ServerConfig:
    return ServerConfig(
        realm="relay.example",
        credentials=CredentialVerifier(users={"ann": "secret"}),
        listening=listening or (ANYWHERE,),
        relay_addresses=(LOOPBACK,),
        allow_peers=(ipaddress.ip_network("127.0.0.0/8"),),
        min_port=min_port,
        max_port=max_port,
    )


def uri(server: RelayServer) -> str:
    return f"turn:{server.addresses[0]}"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[RelayServer]:
    async with RelayServer.open(config()) as server:
        yield server


@pytest_asyncio.fixture
async def relay(server: RelayServer) -> AsyncIterator[Relay]:
    async with connect(uri(server), "ann", "secret") as relay:
        yield relay


def peer_socket() -> tuple[socket.socket, TransportAddress]:
    sock = KernelSockets().bind(ANYWHERE)
    return sock, TransportAddress.parse(*sock.getsockname())


async def readable(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
    has_come = asyncio.Event()
    loop.add_reader(sock, has_come.set)
    try:
        await has_come.wait()
    finally:
        loop.remove_reader(sock)


def under_asyncio(main: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(main())


def under_the_relays_own_loop(main: Callable[[], Coroutine[None, None, None]]) -> None:
    with asyncio.Runner(loop_factory=RelayEventLoop) as runner:
        runner.run(main())


@pytest.mark.parametrize("run", [under_asyncio, under_the_relays_own_loop])
def test_data_goes_both_ways_by_indications_and_by_a_channel(
    run: Callable[[Callable[[], Coroutine[None, None, None]]], None],
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        sock, peer = peer_socket()
        data = os.urandom(1000)
        async with RelayServer.open(config()) as server:
            async with connect(uri(server), "ann", "secret") as relay:
                await relay.permit(peer.ip)
                relay.send(peer, data)
                assert await loop.sock_recvfrom(sock, 2000) == (
                    data,
                    (relay.relayed.host, relay.relayed.port),
                )
                sock.sendto(data, (relay.relayed.host, relay.relayed.port))
                assert await relay.receive() == (peer, data)
                assert server.plane_stats().entries == 0

                await relay.bind_channel(peer)
                assert server.plane_stats().entries == 1
                relay.send(peer, data, data)
                assert [await loop.sock_recv(sock, 2000) for _ in range(2)] == [data, data]
                sock.sendto(data, (relay.relayed.host, relay.relayed.port))
                assert await relay.receive() == (peer, data)

                (allocation,) = server.allocations()
                assert allocation.meter.sent_packets == 3
                assert allocation.meter.received_bytes == 2000
            assert server.plane_stats().entries == server.plane_stats().relayed_sockets == 0
        sock.close()

    run(main)


@pytest.mark.requirement("stun-turn:STUNS-BASE-02", "stun-turn:STUNS-BASE-03")
async def test_a_binding_request_is_answered_from_where_it_was_asked() -> None:
    loop = asyncio.get_running_loop()
    async with RelayServer.open(config(ANYWHERE, ANYWHERE)) as server:
        for address in server.addresses:
            sock, client = peer_socket()
            with sock:
                sock.connect((address.host, address.port))
                sock.send(encode_message(Method.BINDING, MessageClass.REQUEST, bytes(12), ()))
                response = Message.decode(await loop.sock_recv(sock, 2000))
            mapped = response.get(XorMappedAddress)
            assert mapped is not None
            assert mapped.address == client


@pytest.mark.requirement("stun-turn:SEC-07")
@pytest.mark.parametrize("channels", [0, 1, 2], ids=["no-channel", "one-channel", "both-channels"])
async def test_two_clients_of_one_relay_reach_each_other(
    server: RelayServer, relay: Relay, channels: int
) -> None:
    async with connect(uri(server), "ann", "secret") as other:
        await relay.permit(other.relayed.ip)
        await other.permit(relay.relayed.ip)
        if channels > 0:
            await relay.bind_channel(other.relayed)
        if channels > 1:
            await other.bind_channel(relay.relayed)

        relay.send(other.relayed, b"there", b"there")
        other.send(relay.relayed, b"back")

        assert [await other.receive() for _ in range(2)] == [(relay.relayed, b"there")] * 2
        assert await relay.receive() == (other.relayed, b"back")
        assert server.plane_stats().entries == (2 if channels == 2 else 0)


async def test_who_may_not_log_in_gets_no_socket(server: RelayServer) -> None:
    with pytest.raises(AllocationError):
        async with connect(uri(server), "ann", "wrong"):
            pass

    assert server.plane_stats().relayed_sockets == 0


async def test_a_port_that_is_taken_is_passed_over() -> None:
    sock, taken = peer_socket()
    ports = []
    with sock:
        async with RelayServer.open(config(min_port=taken.port, max_port=taken.port + 4)) as server:
            for _ in range(3):
                async with connect(uri(server), "ann", "secret") as relay:
                    ports.append(relay.relayed.port)

    assert taken.port not in ports


async def test_where_no_port_is_left_the_client_is_told() -> None:
    sock, taken = peer_socket()
    with sock:
        async with RelayServer.open(config(min_port=taken.port, max_port=taken.port)) as server:
            with pytest.raises(AllocationError, match="508"):
                async with connect(uri(server), "ann", "secret"):
                    pass


async def test_allocations_are_reported() -> None:
    events: list[Event] = []
    async with (
        RelayServer.open(config(), on_event=events.append) as server,
        connect(uri(server), "ann", "secret") as relay,
    ):
        relayed = relay.relayed

    assert [type(event) for event in events] == [AllocationCreated, AllocationEnded]
    ended = events[1]
    assert isinstance(ended, AllocationEnded)
    assert (ended.relayed, ended.reason) == (relayed, AllocationEnd.DELETED)


async def test_a_relay_that_drains_takes_nobody_and_waits_for_those_it_has(
    server: RelayServer, relay: Relay
) -> None:
    draining = asyncio.ensure_future(server.drain(10.0))
    await asyncio.sleep(0)

    with pytest.raises(AllocationError, match="508"):
        async with connect(uri(server), "ann", "secret"):
            pass
    assert not draining.done()
    await relay.aclose()
    await draining


async def test_a_relay_waits_no_longer_than_it_was_told_to(
    server: RelayServer, relay: Relay
) -> None:
    await server.drain(0.0)

    assert server.stats().allocations == 1


async def test_closing_ends_allocations_and_frees_every_port() -> None:
    server = RelayServer.open(config())
    async with connect(uri(server), "ann", "secret") as relay:
        relayed = relay.relayed
        await server.aclose()
        await server.aclose()

        KernelSockets().bind(relayed).close()
        # One who knows nothing of the allocation tells the client that it has gone.
        async with RelayServer.open(config(*server.addresses)):
            await relay.aclose()


async def test_an_address_in_use_is_an_os_error_and_leaves_nothing_open() -> None:
    sock, taken = peer_socket()
    other, free = peer_socket()
    other.close()
    with sock, pytest.raises(OSError, match="in use"):
        RelayServer.open(config(free, taken))

    KernelSockets().bind(free).close()


@pytest.mark.parametrize("has_channel", [False, True], ids=["indications", "channel"])
@pytest.mark.requirement("stun-turn:TURN-IP-01", "stun-turn:TURN-IP-02", "stun-turn:TURN-IP-05")
async def test_what_is_relayed_has_fixed_dscp_and_ecn_and_may_be_fragmented(
    server: RelayServer, relay: Relay, has_channel: bool
) -> None:
    loop = asyncio.get_running_loop()
    sock, peer = peer_socket()
    with sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        if has_channel:
            await relay.bind_channel(peer)
        else:
            await relay.permit(peer.ip)

        relay.send(peer, bytes(8000), dscp=46)
        await readable(loop, sock)
        data, control, _, source = sock.recvmsg(9000, 100)

    assert data == bytes(8000)
    assert source == (relay.relayed.host, relay.relayed.port)
    assert [value[0] for *_, value in control] == [0]
