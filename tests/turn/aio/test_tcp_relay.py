"""TCP allocations on loopback (RFC 6062), with a client that speaks every message itself."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import pathlib
import socket
from collections.abc import AsyncIterator

import pytest

from stun import IpProtocol, Lifetime, Method, RequestedTransport
from transport import TransportAddress, TransportProtocol
from turn.aio import Endpoint, RelayServer
from turn.aio.joint import JOINED_BUFFER_BYTES, READ_BYTES

from .over import ANYWHERE, LOOPBACK, TCP, TLS, config
from .tcp_client import Peer, Stream, code, tcp_relay, trust


def source(writer: asyncio.StreamWriter) -> TransportAddress:
    """Where a peer sees the connection come from."""
    return TransportAddress.parse(*writer.get_extra_info("peername"))


def most_in_kernel() -> int:
    """Bytes that the kernel may keep between two ends of a connection."""
    folder = pathlib.Path("/proc/sys/net/ipv4")
    return sum(int((folder / name).read_text().split()[2]) for name in ("tcp_wmem", "tcp_rmem"))


@contextlib.asynccontextmanager
async def streams(
    folder: pathlib.Path, transport: TransportProtocol = TCP
) -> AsyncIterator[tuple[RelayServer, Stream, Stream]]:
    """A relay, a control connection, and a stream that is to be a data connection."""
    tls = trust(folder)
    async with tcp_relay(folder, transport) as server:
        control, data = await Stream.open(server, tls), await Stream.open(server, tls)
        yield server, control, data
        control.close()
        data.close()


@pytest.mark.requirement("stun-turn:TURN-TCP-11", "stun-turn:TURN-TCP-16")
@pytest.mark.parametrize("transport", [TCP, TLS], ids=["tcp", "tls"])
async def test_a_client_connects_to_a_peer_from_the_relayed_address(
    tmp_path: pathlib.Path, transport: TransportProtocol
) -> None:
    payload = os.urandom(200_000)
    async with streams(tmp_path, transport) as (server, control, data), Peer.listening() as peer:
        relayed = await control.allocate()
        connection_id = await control.connect(peer.address)
        reads, writes = await peer.accept()
        assert source(writes) == relayed

        assert await data.bind(connection_id) == 0
        data.writer.write(payload)
        assert await reads.readexactly(len(payload)) == payload
        writes.write(payload)
        assert await data.reader.readexactly(len(payload)) == payload

        (allocation,) = server.allocations()
        assert allocation.meter.sent_bytes == allocation.meter.received_bytes == len(payload)
        assert server.stats().connections == 1


@pytest.mark.requirement("stun-turn:TURN-TCP-16")
async def test_what_a_peer_sends_before_the_bind_comes_after_it_in_order(
    tmp_path: pathlib.Path,
) -> None:
    async with streams(tmp_path) as (_, control, data), Peer.listening() as peer:
        await control.allocate()
        connection_id = await control.connect(peer.address)
        reads, writes = await peer.accept()
        writes.write(b"early, ")
        await data.challenge(Method.CONNECTION_BIND)

        # 0x4000 is a channel number, and no framing must see it.
        assert await data.bind(connection_id, behind=b"\x40\x00\xff\xff also early") == 0
        writes.write(b"late")
        writes.write_eof()

        assert await data.reader.read() == b"early, late"
        data.writer.write_eof()
        assert await reads.read() == b"\x40\x00\xff\xff also early"


async def test_a_stream_whose_bind_was_refused_goes_on(tmp_path: pathlib.Path) -> None:
    async with streams(tmp_path) as (_, control, data), Peer.listening() as peer:
        await control.allocate()
        connection_id = await control.connect(peer.address)
        await data.challenge(Method.CONNECTION_BIND)
        data.writer.write(data.request(Method.CONNECTION_BIND) + data.request(Method.BINDING))

        refused, bound = await data.receive(), await data.receive()

        assert (refused.method, bound.method) == (Method.CONNECTION_BIND, Method.BINDING)
        assert await data.bind(connection_id) == 0


@pytest.mark.requirement("stun-turn:TURN-TCP-14")
async def test_a_peer_with_permission_connects_to_the_client(tmp_path: pathlib.Path) -> None:
    async with streams(tmp_path) as (_, control, data):
        relayed = await control.allocate()
        await control.permit(TransportAddress(LOOPBACK, 1))
        reads, writes = await asyncio.open_connection(relayed.host, relayed.port)
        writes.write(b"hello")

        told, connection_id = await control.attempt()

        assert told == TransportAddress.parse(*writes.get_extra_info("sockname"))
        assert await data.bind(connection_id) == 0
        assert await data.reader.readexactly(5) == b"hello"
        data.writer.write(b"welcome")
        assert await reads.readexactly(7) == b"welcome"
        writes.close()
        assert await data.reader.read() == b""


@pytest.mark.requirement("stun-turn:TURN-TCP-03", "stun-turn:TURN-TCP-14")
async def test_a_peer_without_permission_is_accepted_and_closed(tmp_path: pathlib.Path) -> None:
    async with streams(tmp_path) as (server, control, _):
        relayed = await control.allocate()

        reads, writes = await asyncio.open_connection(relayed.host, relayed.port)

        assert await reads.read() == b""
        writes.close()
        assert server.stats().connections == 0


@pytest.mark.requirement("stun-turn:TURN-TCP-10")
async def test_a_closed_port_is_447_at_once(tmp_path: pathlib.Path) -> None:
    async with streams(tmp_path) as (server, control, _):
        await control.allocate()
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            nobody = TransportAddress.parse(*sock.getsockname())

            assert await control.connect(nobody) == 447

        assert server.stats().connections == 0


async def test_two_clients_of_the_relay_connect_to_each_other(tmp_path: pathlib.Path) -> None:
    async with streams(tmp_path) as (server, ann, ann_data):
        other, other_data = await Stream.open(server), await Stream.open(server)
        ann_relayed, other_relayed = await ann.allocate(), await other.allocate()
        await other.permit(ann_relayed)

        connection_id = await ann.connect(other_relayed)
        told, attempt = await other.attempt()

        assert told == ann_relayed
        assert await ann_data.bind(connection_id) == 0
        assert await other_data.bind(attempt) == 0
        ann_data.writer.write(b"from relay to relay")
        assert await other_data.reader.readexactly(19) == b"from relay to relay"
        other.close()
        other_data.close()


@pytest.mark.requirement("stun-turn:TURN-TCP-17")
@pytest.mark.parametrize("end", ["refresh", "disconnect"])
@pytest.mark.parametrize("is_bound", [True, False], ids=["bound", "pending"])
async def test_the_end_of_the_allocation_closes_both_sides(
    tmp_path: pathlib.Path, end: str, is_bound: bool
) -> None:
    async with streams(tmp_path) as (server, control, data), Peer.listening() as peer:
        relayed = await control.allocate()
        connection_id = await control.connect(peer.address)
        reads, _ = await peer.accept()
        if is_bound:
            await data.bind(connection_id)

        if end == "refresh":
            await control.ask(Method.REFRESH, Lifetime(0))
        else:
            control.close()

        assert await reads.read() == b""
        if is_bound:
            assert await data.reader.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(relayed.host, relayed.port)
        assert server.stats().connections == 0


@pytest.mark.requirement("stun-turn:TURN-TCP-17")
async def test_a_peer_may_be_connected_to_again_when_both_sides_are_closed(
    tmp_path: pathlib.Path,
) -> None:
    async with streams(tmp_path) as (server, control, data), Peer.listening() as peer:
        await control.allocate()
        await data.bind(await control.connect(peer.address))
        reads, writes = await peer.accept()
        assert await control.connect(peer.address) == 446

        writes.close()
        assert await data.reader.read() == b""
        data.writer.close()
        await reads.read()
        while server.stats().connections:  # noqa: ASYNC110 - the machine tells nobody
            await asyncio.sleep(0)

        again = await Stream.open(server)
        assert await again.bind(await control.connect(peer.address)) == 0
        again.close()


@pytest.mark.requirement("stun-turn:TURN-TCP-19")
async def test_a_client_that_does_not_read_bounds_what_its_peer_can_send(
    tmp_path: pathlib.Path,
) -> None:
    """What is taken from the peer stays below the kernel's buffers and our own bound."""
    kernel = most_in_kernel()
    sent = bytes(kernel + (16 << 20))
    async with streams(tmp_path) as (server, control, data), Peer.listening() as peer:
        await control.allocate()
        await data.bind(await control.connect(peer.address))
        _, writes = await peer.accept()
        writes.write(sent)

        # asyncio stops reading for a client that does not, at 128 KiB.
        (allocation,) = server.allocations()
        taken = -1
        while allocation.meter.received_bytes > taken:
            taken = allocation.meter.received_bytes
            for _ in range(1000):
                await asyncio.sleep(0)

        assert taken <= kernel + JOINED_BUFFER_BYTES + READ_BYTES + 128 * 1024
        assert len(await data.reader.readexactly(len(sent))) == len(sent)


async def test_closing_the_server_leaves_nothing(tmp_path: pathlib.Path) -> None:
    async with Peer.listening() as peer:
        async with streams(tmp_path) as (server, control, data):
            await control.allocate()
            await data.bind(await control.connect(peer.address))
            reads, _ = await peer.accept()
            pending = await Stream.open(server)
            await pending.allocate()
            await pending.connect(peer.address)
            left, _ = await peer.accept()
            await server.aclose()

        assert await reads.read() == await left.read() == b""
        assert server.stats().connections == 0
        pending.close()


async def test_a_port_of_another_program_is_not_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings = dataclasses.replace(config(), tcp_relay=True, min_port=port, max_port=port)
        async with RelayServer.open(settings, endpoints=[Endpoint(TCP, ANYWHERE)]) as server:
            client = await Stream.open(server)
            requested = RequestedTransport(IpProtocol.TCP)
            assert code(await client.ask(Method.ALLOCATE, requested)) == 508
            client.close()
