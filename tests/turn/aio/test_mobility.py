"""Moving a relay on loopback (RFC 8016), with our own server."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import Callable

import pytest

from transport import Path, TransportAddress, TransportProtocol
from turn.aio import Endpoint, Relay, RelayServer, connect
from turn.client import ClientConfig, ClientStateError, MoveRefused
from turn.server import ServerConfig

from .peer import TIMEOUT, exchange, peer_at
from .test_client import ANYWHERE, LOOPBACK, PASSWORD, USER, config, uri

MOBILE = ClientConfig(mobility=True)


def mobile_server() -> ServerConfig:
    return dataclasses.replace(config(), mobility=True)


async def until(happens: Callable[[], bool]) -> None:
    """Let the loop run until a machine has read what was sent to it."""
    async with asyncio.timeout(TIMEOUT):
        while not happens():  # noqa: ASYNC110 - of the other side there is no event
            await asyncio.sleep(0)


async def move_again_and_again(relay: Relay, paths: list[Path]) -> None:
    """Ten times are allowed at once, and more as time passes."""
    for _ in range(1000):
        paths.append(relay.client.path)
        await relay.move()


@pytest.mark.requirement("stun-turn:TURN-MOB-03")
async def test_a_relay_goes_on_from_another_port_with_its_channels() -> None:
    async with (
        RelayServer.open(mobile_server()) as server,
        connect(uri(server.addresses[0]), USER, PASSWORD, config=MOBILE) as relay,
        peer_at() as peer,
    ):
        await relay.bind_channel(peer.address)
        await exchange(relay, peer, b"before")
        before, relayed = relay.client.path, relay.relayed

        await relay.move()

        assert relay.client.path != before
        assert relay.relayed == relayed
        await exchange(relay, peer, b"after")
        (snapshot,) = server.allocations()
        assert snapshot.client.remote.port == relay.client.path.local.port
        assert server.plane_stats().entries == 1


@pytest.mark.requirement("stun-turn:TURN-MOB-03")
async def test_a_client_that_only_listens_is_found_at_its_new_port() -> None:
    async with (
        RelayServer.open(mobile_server()) as server,
        connect(uri(server.addresses[0]), USER, PASSWORD, config=MOBILE) as relay,
        peer_at() as peer,
    ):
        await relay.permit(LOOPBACK)

        await relay.move()
        port = relay.client.path.local.port
        await until(lambda: server.allocations()[0].client.remote.port == port)
        peer.send(b"news", relay.relayed)
        async with asyncio.timeout(TIMEOUT):
            assert await relay.receive() == (peer.address, b"news")


async def test_a_server_without_mobility_is_stayed_with() -> None:
    async with (
        RelayServer.open(config()) as server,
        connect(uri(server.addresses[0]), USER, PASSWORD, config=MOBILE) as relay,
    ):
        path = relay.client.path

        with pytest.raises(ClientStateError):
            await relay.move()

        assert relay.client.path == path
        await relay.permit(LOOPBACK)


async def test_a_move_that_the_server_refuses_is_told_and_changes_nothing() -> None:
    async with (
        RelayServer.open(mobile_server()) as server,
        connect(uri(server.addresses[0]), USER, PASSWORD, config=MOBILE) as relay,
    ):
        paths: list[Path] = []

        with pytest.raises(MoveRefused) as refused:
            await move_again_and_again(relay, paths)

        assert refused.value.code == 508
        assert relay.client.path == paths[-1]
        await relay.permit(LOOPBACK)


@pytest.mark.requirement("stun-turn:TURN-MOB-03")
async def test_a_stream_that_breaks_is_opened_again_and_data_goes_on() -> None:
    settings = mobile_server()
    async with (
        RelayServer.open(settings, endpoints=[Endpoint(TransportProtocol.TCP, ANYWHERE)]) as server,
        _Proxy(server.endpoints[-1].address) as proxy,
        connect(f"turn:{proxy.address}?transport=tcp", USER, PASSWORD, config=MOBILE) as relay,
        peer_at() as peer,
    ):
        await relay.bind_channel(peer.address)
        await exchange(relay, peer, b"before")
        path = relay.client.path

        proxy.cut()
        await until(lambda: relay.client.path != path)  # it asks for the stream by itself
        await exchange(relay, peer, b"after")


class _Proxy:
    """Between a client and its server, over TCP; cuts both off with a reset."""

    def __init__(self, server: TransportAddress) -> None:
        self._server = server
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> _Proxy:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        host, port = self._listener.sockets[0].getsockname()
        self.address = TransportAddress.parse(host, port)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.cut()
        self._listener.close()
        await self._listener.wait_closed()

    def cut(self) -> None:
        for writer in self._writers:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.transport.abort()
        self._writers.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = str(self._server.ip), self._server.port
        far_reader, far_writer = await asyncio.open_connection(host, port)
        self._writers += [writer, far_writer]
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except OSError:
        pass
