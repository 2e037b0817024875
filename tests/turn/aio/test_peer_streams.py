"""``connect_tcp`` on loopback, with our own server (RFC 6062)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import socket
from collections.abc import AsyncIterator

import pytest

from stun import IpProtocol
from transport import TransportAddress, TransportProtocol
from turn.aio import Endpoint, RelayServer, TcpRelay, connect_tcp
from turn.client import (
    AllocationError,
    AllocationGone,
    ClientConfig,
    ClientStateError,
    FailureReason,
    PeerRefused,
)

from .over import ANYWHERE, LOOPBACK, TCP, TLS, config, uri, write_certificate
from .tcp_client import Peer, tcp_relay


@contextlib.asynccontextmanager
async def relayed(
    folder: pathlib.Path, transport: TransportProtocol = TCP
) -> AsyncIterator[tuple[RelayServer, TcpRelay]]:
    """A server, and a client with an allocation there."""
    async with tcp_relay(folder, transport) as server:
        ca = write_certificate(folder).chain
        where = uri(server, transport)
        async with connect_tcp(where, "ann", "secret", ca=ca, server_name="localhost") as relay:
            yield server, relay


@pytest.mark.requirement("stun-turn:TURNC-TCP-02")
@pytest.mark.parametrize("transport", [TCP, TLS], ids=["tcp", "tls"])
async def test_a_peer_is_connected_to_from_the_relayed_address(
    tmp_path: pathlib.Path, transport: TransportProtocol
) -> None:
    data = os.urandom(200_000)
    async with relayed(tmp_path, transport) as (server, relay), Peer.listening() as peer:
        reader, writer = await relay.open_connection(peer.address)
        theirs, back = await peer.accept()

        assert TransportAddress.parse(*back.get_extra_info("peername")) == relay.relayed
        (allocation,) = server.allocations()
        assert allocation.client.transport is transport
        ours = TransportAddress.parse(*writer.get_extra_info("sockname"))
        assert ours != allocation.client.remote
        assert writer.get_extra_info("peername")[1] == allocation.client.local.port
        writer.write(data)
        assert await theirs.readexactly(len(data)) == data
        back.write(data)
        assert await reader.readexactly(len(data)) == data
        back.close()
        assert await reader.read() == b""
        writer.close()


@pytest.mark.requirement("stun-turn:TURN-TCP-16")
async def test_what_the_peer_says_at_once_is_there(tmp_path: pathlib.Path) -> None:
    """It may come in the segment of the answer, and begins like a channel."""
    early = b"\x40\x01" + os.urandom(300_000)
    async with relayed(tmp_path) as (_, relay), Peer.listening() as peer:
        opening = asyncio.create_task(relay.open_connection(peer.address))
        _, back = await peer.accept()
        back.write(early)
        back.write_eof()

        reader, writer = await opening

        assert await reader.read() == early
        writer.close()


@pytest.mark.requirement("stun-turn:TURNC-TCP-04")
async def test_a_peer_that_was_let_in_is_accepted(tmp_path: pathlib.Path) -> None:
    async with relayed(tmp_path) as (_, relay):
        await relay.permit(LOOPBACK)
        there, back = await asyncio.open_connection(relay.relayed.host, relay.relayed.port)

        peer, reader, writer = await relay.accept()

        assert peer == TransportAddress.parse(*back.get_extra_info("sockname"))
        back.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.write(b"welcome")
        writer.write_eof()
        assert await there.read() == b"welcome"
        back.close()


async def test_many_connections_at_once(tmp_path: pathlib.Path) -> None:
    async with relayed(tmp_path) as (_, relay), contextlib.AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(Peer.listening()) for _ in range(12)]
        opened = await asyncio.gather(*(relay.open_connection(each.address) for each in peers))

        for number, (peer, (_, writer)) in enumerate(zip(peers, opened, strict=True)):
            theirs, _ = await peer.accept()
            writer.write(b"%02d" % number)
            assert await theirs.readexactly(2) == b"%02d" % number


@pytest.mark.requirement("stun-turn:TURN-TCP-10")
async def test_a_peer_that_refuses_is_told(tmp_path: pathlib.Path) -> None:
    async with relayed(tmp_path) as (_, relay):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            nobody = TransportAddress.parse(*sock.getsockname())

            with pytest.raises(PeerRefused) as refused:
                await relay.open_connection(nobody)

        assert refused.value.code == 447


async def test_a_connection_to_one_peer_is_made_once_at_a_time(tmp_path: pathlib.Path) -> None:
    async with relayed(tmp_path) as (_, relay), Peer.listening() as peer:
        opening = asyncio.create_task(relay.open_connection(peer.address))
        await asyncio.sleep(0)
        with pytest.raises(ClientStateError):
            await relay.open_connection(peer.address)
        await opening

        with pytest.raises(PeerRefused) as refused:
            await relay.open_connection(peer.address)

        assert refused.value.code == 446


async def test_who_does_not_wait_any_longer_leaves_no_connection(tmp_path: pathlib.Path) -> None:
    async with relayed(tmp_path) as (_, relay), Peer.listening() as peer:
        opening = asyncio.create_task(relay.open_connection(peer.address))
        await asyncio.sleep(0)
        opening.cancel()

        theirs, _ = await peer.accept()

        assert await theirs.read() == b""


async def test_the_end_of_the_block_ends_all(tmp_path: pathlib.Path) -> None:
    async with (
        Peer.listening() as peer,
        Peer.listening() as other,
        relayed(tmp_path) as (server, relay),
    ):
        _, writer = await relay.open_connection(peer.address)
        theirs, _ = await peer.accept()
        accepting = asyncio.create_task(relay.accept())
        opening = asyncio.create_task(relay.open_connection(other.address))
        await asyncio.sleep(0)
        await relay.aclose()

        with pytest.raises(AllocationGone):
            await accepting
        with pytest.raises(AllocationGone):
            await opening
        with pytest.raises(AllocationGone):
            await relay.open_connection(peer.address)
        assert await theirs.read() == b""
        assert writer.is_closing()
        assert server.stats().allocations == 0


async def test_a_server_that_goes_takes_the_connections_along(tmp_path: pathlib.Path) -> None:
    async with relayed(tmp_path) as (server, relay), Peer.listening() as peer:
        reader, writer = await relay.open_connection(peer.address)
        accepting = asyncio.create_task(relay.accept())
        await asyncio.sleep(0)

        await server.aclose()

        assert await reader.read() == b""
        with pytest.raises(AllocationGone) as gone:
            await accepting
        assert gone.value.reason is FailureReason.UNREACHABLE
        writer.close()


async def test_a_server_that_does_not_offer_it_says_so(tmp_path: pathlib.Path) -> None:
    async with RelayServer.open(config(), endpoints=[Endpoint(TCP, ANYWHERE)]) as server:
        with pytest.raises(AllocationError) as error:
            async with connect_tcp(uri(server, TCP), "ann", "secret"):
                pass

    assert error.value.failure.code == 442


@pytest.mark.requirement("stun-turn:TURNC-TCP-01")
async def test_a_server_is_not_reached_over_udp() -> None:
    with pytest.raises(ValueError, match="udp"):
        async with connect_tcp("turn:127.0.0.1:1?transport=udp", "ann", "secret"):
            pass

    assert ClientConfig().protocol is IpProtocol.UDP
