"""Our STUN and TURN clients with Debian's coturn: every procedure over UDP, and data and
Binding requests over UDP, TCP, TLS and DTLS."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import ipaddress
import os
import sqlite3
import time
from pathlib import Path

import pytest

import stun.aio
from stun import AccessGrant
from tests.closed import closed_port
from tests.turn.aio.peer import PAYLOADS, TIMEOUT, exchange, peer_at
from transport import TransportAddress, TransportProtocol
from turn.aio import Relay, connect, connect_tcp
from turn.client import (
    AllocationError,
    ClientConfig,
    ClientStateError,
    FailureReason,
    PeerRefused,
    ServerMemory,
)
from turn.tokens import TokenContents, TokenKey, grant_access

from .conftest import need
from .coturn import PASSWORD, REALM, USER, Coturn, coturn

pytestmark = pytest.mark.interop

LOOPBACK = ipaddress.ip_address("127.0.0.1")
SCHEMA = Path("/usr/share/coturn/schema.sql")


def connect_to(server: Coturn) -> contextlib.AbstractAsyncContextManager[Relay]:
    return connect(server.uri, USER, PASSWORD)


TRANSPORTS = {
    "udp": ("turn:127.0.0.1:{server.port}?transport=udp", "stun:127.0.0.1:{server.port}"),
    "tcp": ("turn:127.0.0.1:{server.port}?transport=tcp", "stun:127.0.0.1:{server.port}"),
    "tls": ("turns:localhost:{server.secured}?transport=tcp", "stuns:localhost:{server.secured}"),
    "dtls": ("turns:localhost:{server.secured}?transport=udp", "stuns:localhost:{server.secured}"),
}


@pytest.mark.parametrize("transport", TransportProtocol, ids=lambda each: each.value)
async def test_data_and_bindings_pass_over_every_transport(
    tmp_path: Path, transport: TransportProtocol
) -> None:
    async with coturn(tmp_path) as server:
        turn_uri, stun_uri = (each.format(server=server) for each in TRANSPORTS[transport.value])
        async with (
            peer_at() as peer,
            connect(turn_uri, USER, PASSWORD, ca=server.certificate) as relay,
        ):
            assert relay.client.path.transport is transport
            await relay.permit(LOOPBACK)
            await exchange(relay, peer, *PAYLOADS)
            await relay.bind_channel(peer.address)
            await exchange(relay, peer, *PAYLOADS)
        async with stun.aio.connect(
            stun_uri, transports=(transport,), ca=server.certificate
        ) as client:
            assert client.path.transport is transport
            assert (await client.binding()).mapped == client.path.local


@pytest.mark.parametrize("transport", ["tls", "dtls"])
async def test_a_server_that_nobody_vouches_for_is_told_nothing(
    tmp_path: Path, transport: str
) -> None:
    async with coturn(tmp_path) as server:
        with pytest.raises(AllocationError) as refused:
            async with connect(TRANSPORTS[transport][0].format(server=server), USER, PASSWORD):
                pass

    assert refused.value.failure.reason is FailureReason.UNREACHABLE


async def test_a_uri_without_a_transport_leads_from_udp_to_tcp(tmp_path: Path) -> None:
    async with (
        coturn(tmp_path, "--no-udp") as server,
        connect(server.uri, USER, PASSWORD) as relay,
    ):
        assert relay.client.path.transport is TransportProtocol.TCP


async def test_many_permissions_fit_in_few_requests(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server, connect_to(server) as relay:
        await relay.permit(*(LOOPBACK + number for number in range(60)))


async def test_a_forbidden_peer_costs_the_others_nothing(tmp_path: Path) -> None:
    options = "--denied-peer-ip=127.0.0.9"
    async with coturn(tmp_path, options) as server, connect_to(server) as relay:
        with pytest.raises(PeerRefused) as refused:
            await relay.permit(LOOPBACK + 8, LOOPBACK)
        await relay.permit(LOOPBACK)

        assert refused.value.code == 403


async def test_the_wrong_password_is_told(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        with pytest.raises(AllocationError) as error:
            async with connect(server.uri, USER, "wrong"):
                pass

        assert error.value.failure.reason is FailureReason.UNAUTHENTICATED


async def test_a_released_allocation_frees_the_quota(tmp_path: Path) -> None:
    """An allocation that was left to expire would hold it for ten minutes."""
    async with coturn(tmp_path, "--user-quota=1") as server:
        async with connect_to(server):
            with pytest.raises(AllocationError) as error:
                async with connect_to(server):
                    pass
        relayed = await _allocate_once_there_is_room(server)

        assert error.value.failure.code == 486
        assert relayed.ip == LOOPBACK


async def _allocate_once_there_is_room(server: Coturn) -> TransportAddress:
    """coturn counts a deleted allocation until its session ends, a little later."""
    async with asyncio.timeout(TIMEOUT):
        while True:
            try:
                async with connect_to(server) as relay:
                    return relay.relayed
            except AllocationError as error:
                if error.failure.code != 486:
                    raise
                await asyncio.sleep(0.1)  # of a foreign program there is no other sign


async def test_a_nonce_that_went_stale_is_replaced(tmp_path: Path) -> None:
    """What a client of a former life was given is answered with 438, or 401."""
    async with coturn(tmp_path) as server:
        memory = ServerMemory()
        memory.preset(server.address, realm=REALM, nonce="0123456789abcdef")
        async with connect(server.uri, USER, PASSWORD, memory=memory) as relay:
            await relay.permit(LOOPBACK)


async def test_a_shared_memory_serves_a_second_client(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        memory = ServerMemory()
        uri = server.uri
        async with (
            peer_at() as peer,
            connect(uri, USER, PASSWORD, memory=memory) as first,
            connect(uri, USER, PASSWORD, memory=memory) as second,
        ):
            await first.permit(LOOPBACK)
            await second.permit(LOOPBACK)
            await exchange(first, peer, b"first")
            await exchange(second, peer, b"second")
            assert first.send(second.relayed, b"from relay to relay")
            async with asyncio.timeout(TIMEOUT):
                assert await second.receive() == (first.relayed, b"from relay to relay")


async def test_an_allocation_is_taken_to_another_port(tmp_path: Path) -> None:
    """Over UDP: on a new TCP connection coturn 4.6.1 answers with the end of a message."""
    async with coturn(tmp_path, "--mobility") as server:
        uri = f"{server.uri}?transport=udp"
        config = ClientConfig(mobility=True)
        async with (
            peer_at() as peer,
            connect(uri, USER, PASSWORD, config=config) as relay,
        ):
            await relay.bind_channel(peer.address)
            await exchange(relay, peer, b"before")
            relayed, path = relay.relayed, relay.client.path

            await relay.move()

            assert relay.client.path != path
            await exchange(relay, peer, b"after")
            assert relay.relayed == relayed


async def test_a_server_that_offers_no_mobility_is_used_without(tmp_path: Path) -> None:
    """coturn answers 405 unless it is told to have it."""
    async with coturn(tmp_path) as server:
        config = ClientConfig(mobility=True)
        async with connect(server.uri, USER, PASSWORD, config=config) as relay:
            await relay.permit(LOOPBACK)
            with pytest.raises(ClientStateError):
                await relay.move()


TOKEN_KEY = TokenKey("north", b"01234567890123456789012345678901")


def database(folder: Path) -> None:
    """What coturn knows of authorization servers is in its database alone."""
    schema = SCHEMA.read_text()
    with contextlib.closing(sqlite3.connect(folder / "turndb")) as turndb:
        turndb.executescript(schema)
        encoded = base64.b64encode(TOKEN_KEY.key).decode()
        turndb.execute(
            "insert into oauth_key (kid, ikm_key, timestamp, lifetime, as_rs_alg, realm)"
            " values (?, ?, 0, 0, 'A256GCM', ?)",
            (TOKEN_KEY.kid, encoded, REALM),
        )
        turndb.commit()


async def authorize(server_name: str) -> AccessGrant:
    """An authorization server that knows coturn: of 20 bytes it signs with 16."""
    contents = TokenContents(os.urandom(20), time.time(), 3600)
    grant = grant_access(TOKEN_KEY, server_name, contents, nonce=os.urandom(12))
    return dataclasses.replace(grant, mac_key=contents.mac_key[:16])


async def test_an_access_token_opens_the_relay(tmp_path: Path) -> None:
    need("turnserver")
    database(tmp_path)
    async with (
        coturn(tmp_path, "--oauth", "--server-name=turn.example") as server,
        peer_at() as peer,
        connect(server.uri, grants=authorize) as relay,
    ):
        await relay.permit(LOOPBACK)
        await exchange(relay, peer, *PAYLOADS)
        await relay.bind_channel(peer.address)
        await exchange(relay, peer, *PAYLOADS)


@pytest.mark.requirement("stun-turn:TURNC-TCP-02", "stun-turn:TURNC-TCP-04")
@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_tcp_connections_are_opened_and_accepted(tmp_path: Path, transport: str) -> None:
    async with coturn(tmp_path) as server:
        uri = TRANSPORTS[transport][0].format(server=server)
        async with (
            connect_tcp(uri, USER, PASSWORD, ca=server.certificate) as first,
            connect_tcp(uri, USER, PASSWORD, ca=server.certificate) as other,
        ):
            await other.permit(LOOPBACK)
            async with asyncio.timeout(TIMEOUT):
                (reads, writes), (peer, there, back) = await asyncio.gather(
                    first.open_connection(other.relayed), other.accept()
                )
            assert peer == first.relayed
            for payload in PAYLOADS:
                writes.write(payload)
                async with asyncio.timeout(TIMEOUT):
                    assert await there.readexactly(len(payload)) == payload
                back.write(payload)
                async with asyncio.timeout(TIMEOUT):
                    assert await reads.readexactly(len(payload)) == payload
            back.close()
            async with asyncio.timeout(TIMEOUT):
                with contextlib.suppress(ConnectionResetError):  # coturn passes no FIN on
                    assert await reads.read() == b""


async def test_a_peer_that_coturn_cannot_reach_over_tcp_is_447(tmp_path: Path) -> None:
    with closed_port() as nobody:
        async with (
            coturn(tmp_path) as server,
            connect_tcp(f"{server.uri}?transport=tcp", USER, PASSWORD) as relay,
        ):
            with pytest.raises(PeerRefused) as refused:
                await relay.open_connection(nobody)

    assert refused.value.code == 447
