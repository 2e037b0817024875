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
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import stun.aio
from stun import AccessGrant
from transport import TransportAddress, TransportProtocol
from transport.aio import KernelSocket, KernelSockets
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

from .certificate import Certificate
from .conftest import need
from .ports import free_port

pytestmark = pytest.mark.interop

LOOPBACK = ipaddress.ip_address("127.0.0.1")
USER, PASSWORD, REALM = "ann", "open sesame", "relay.example"
TIMEOUT = 10.0
SCHEMA = Path("/usr/share/coturn/schema.sql")


@contextlib.asynccontextmanager
async def secured_coturn(folder: Path) -> AsyncIterator[tuple[int, int, str]]:
    """A server with TLS and DTLS; its two ports, and the file of its certificate."""
    made, tls_port = Certificate.generate(folder), free_port()
    options = (
        f"--tls-listening-port={tls_port}",
        f"--cert={made.certificate}",
        f"--pkey={made.key}",
    )
    async with coturn(folder, *options, unsecured=()) as port:
        yield port, tls_port, str(made.certificate)


@contextlib.asynccontextmanager
async def coturn(
    folder: Path, *options: str, unsecured: tuple[str, ...] = ("--no-tls", "--no-dtls")
) -> AsyncIterator[int]:
    """A server of its own on loopback; gives its port."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        need("turnserver"),
        "-n",
        f"--listening-port={port}",
        "--listening-ip=127.0.0.1",
        "--relay-ip=127.0.0.1",
        "--lt-cred-mech",
        f"--user={USER}:{PASSWORD}",
        f"--realm={REALM}",
        "--allow-loopback-peers",
        *unsecured,
        "--no-cli",
        "--log-file=stdout",
        f"--pidfile={folder / 'turnserver.pid'}",
        f"--userdb={folder / 'turndb'}",
        *options,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _listening(port)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _listening(port: int) -> None:
    """coturn listens over TCP on the same port, last."""
    async with asyncio.timeout(TIMEOUT):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)  # of a foreign program there is no other sign
            else:
                writer.close()
                await writer.wait_closed()
                return


class Peer:
    """A plain UDP socket that is talked to through the relay."""

    def __init__(self, sock: KernelSocket) -> None:
        self.address = sock.local
        self._sock = sock
        self._readable = asyncio.Event()
        sock.start(self._readable.set)
        self._received: list[tuple[bytes, TransportAddress]] = []

    @classmethod
    async def open(cls) -> Peer:
        return cls(await KernelSockets().open(TransportAddress(LOOPBACK, 0)))

    async def receive(self) -> tuple[bytes, TransportAddress]:
        async with asyncio.timeout(TIMEOUT):
            while not self._received:
                await self._readable.wait()
                self._readable.clear()
                self._received += self._sock.receive()
        return self._received.pop(0)

    def send(self, data: bytes, remote: TransportAddress) -> None:
        self._sock.send([data], remote, None)

    def close(self) -> None:
        self._sock.close()


def connect_to(port: int) -> contextlib.AbstractAsyncContextManager[Relay]:
    return connect(f"turn:127.0.0.1:{port}", USER, PASSWORD)


async def exchange(relay: Relay, peer: Peer, *payloads: bytes) -> None:
    """Send each payload to the peer and have it back."""
    assert relay.send(peer.address, *payloads)
    for payload in payloads:
        assert await peer.receive() == (payload, relay.relayed)
    for payload in payloads:
        peer.send(payload, relay.relayed)
        async with asyncio.timeout(TIMEOUT):
            assert await relay.receive() == (peer.address, payload)


PAYLOADS = (b"", b"a", b"four", b"12345", bytes(1200), bytes(1200), b"end")


TRANSPORTS = {
    "udp": ("turn:127.0.0.1:{plain}?transport=udp", "stun:127.0.0.1:{plain}"),
    "tcp": ("turn:127.0.0.1:{plain}?transport=tcp", "stun:127.0.0.1:{plain}"),
    "tls": ("turns:localhost:{secured}?transport=tcp", "stuns:localhost:{secured}"),
    "dtls": ("turns:localhost:{secured}?transport=udp", "stuns:localhost:{secured}"),
}


@pytest.mark.parametrize("transport", TransportProtocol, ids=lambda each: each.value)
async def test_data_and_bindings_pass_over_every_transport(
    tmp_path: Path, transport: TransportProtocol
) -> None:
    async with secured_coturn(tmp_path) as (plain, secured, ca):
        turn_uri, stun_uri = (
            each.format(plain=plain, secured=secured) for each in TRANSPORTS[transport.value]
        )
        peer = await Peer.open()
        async with connect(turn_uri, USER, PASSWORD, ca=ca) as relay:
            assert relay.client.path.transport is transport
            await relay.permit(LOOPBACK)
            await exchange(relay, peer, *PAYLOADS)
            await relay.bind_channel(peer.address)
            await exchange(relay, peer, *PAYLOADS)
        async with stun.aio.connect(stun_uri, transports=(transport,), ca=ca) as client:
            assert client.path.transport is transport
            assert (await client.binding()).mapped == client.path.local
        peer.close()


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_a_server_that_nobody_vouches_for_is_told_nothing(
    tmp_path: Path, transport: str
) -> None:
    async with secured_coturn(tmp_path) as (_, secured, _):
        with pytest.raises(AllocationError) as refused:
            async with connect(f"turns:localhost:{secured}?transport={transport}", USER, PASSWORD):
                pass

    assert refused.value.failure.reason is FailureReason.UNREACHABLE


async def test_a_uri_without_a_transport_leads_from_udp_to_tcp(tmp_path: Path) -> None:
    async with (
        coturn(tmp_path, "--no-udp") as port,
        connect(f"turn:127.0.0.1:{port}", USER, PASSWORD) as relay,
    ):
        assert relay.client.path.transport is TransportProtocol.TCP


async def test_many_permissions_fit_in_few_requests(tmp_path: Path) -> None:
    async with coturn(tmp_path) as port, connect_to(port) as relay:
        await relay.permit(*(LOOPBACK + number for number in range(60)))


async def test_a_forbidden_peer_costs_the_others_nothing(tmp_path: Path) -> None:
    options = "--denied-peer-ip=127.0.0.9"
    async with coturn(tmp_path, options) as port, connect_to(port) as relay:
        with pytest.raises(PeerRefused) as refused:
            await relay.permit(LOOPBACK + 8, LOOPBACK)
        await relay.permit(LOOPBACK)

        assert refused.value.code == 403


async def test_the_wrong_password_is_told(tmp_path: Path) -> None:
    async with coturn(tmp_path) as port:
        with pytest.raises(AllocationError) as error:
            async with connect(f"turn:127.0.0.1:{port}", USER, "wrong"):
                pass

        assert error.value.failure.reason is FailureReason.UNAUTHENTICATED


async def test_a_released_allocation_frees_the_quota(tmp_path: Path) -> None:
    """An allocation that was left to expire would hold it for ten minutes."""
    async with coturn(tmp_path, "--user-quota=1") as port:
        async with connect_to(port):
            with pytest.raises(AllocationError) as error:
                async with connect_to(port):
                    pass
        relayed = await _allocate_once_there_is_room(port)

        assert error.value.failure.code == 486
        assert relayed.ip == LOOPBACK


async def _allocate_once_there_is_room(port: int) -> TransportAddress:
    """coturn counts a deleted allocation until its session ends, a little later."""
    async with asyncio.timeout(TIMEOUT):
        while True:
            try:
                async with connect_to(port) as relay:
                    return relay.relayed
            except AllocationError as error:
                if error.failure.code != 486:
                    raise
                await asyncio.sleep(0.1)  # of a foreign program there is no other sign


async def test_a_nonce_that_went_stale_is_replaced(tmp_path: Path) -> None:
    """What a client of a former life was given is answered with 438, or 401."""
    async with coturn(tmp_path) as port:
        memory = ServerMemory()
        server = TransportAddress(LOOPBACK, port)
        memory.preset(server, realm=REALM, nonce="0123456789abcdef")
        async with connect(f"turn:127.0.0.1:{port}", USER, PASSWORD, memory=memory) as relay:
            await relay.permit(LOOPBACK)


async def test_a_shared_memory_serves_a_second_client(tmp_path: Path) -> None:
    async with coturn(tmp_path) as port:
        memory = ServerMemory()
        uri = f"turn:127.0.0.1:{port}"
        peer = await Peer.open()
        async with (
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
        peer.close()


async def test_an_allocation_is_taken_to_another_port(tmp_path: Path) -> None:
    """Over UDP: on a new TCP connection coturn 4.6.1 answers with the end of a message."""
    async with coturn(tmp_path, "--mobility") as port:
        uri = f"turn:127.0.0.1:{port}?transport=udp"
        peer = await Peer.open()
        async with connect(uri, USER, PASSWORD, config=ClientConfig(mobility=True)) as relay:
            await relay.bind_channel(peer.address)
            await exchange(relay, peer, b"before")
            relayed, path = relay.relayed, relay.client.path

            await relay.move()

            assert relay.client.path != path
            await exchange(relay, peer, b"after")
            assert relay.relayed == relayed
        peer.close()


async def test_a_server_that_offers_no_mobility_is_used_without(tmp_path: Path) -> None:
    """coturn answers 405 unless it is told to have it."""
    async with coturn(tmp_path) as port:
        config = ClientConfig(mobility=True)
        async with connect(f"turn:127.0.0.1:{port}", USER, PASSWORD, config=config) as relay:
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
    async with coturn(tmp_path, "--oauth", "--server-name=turn.example") as port:
        peer = await Peer.open()
        async with connect(f"turn:127.0.0.1:{port}", grants=authorize) as relay:
            await relay.permit(LOOPBACK)
            await exchange(relay, peer, *PAYLOADS)
            await relay.bind_channel(peer.address)
            await exchange(relay, peer, *PAYLOADS)
        peer.close()


@pytest.mark.requirement("stun-turn:TURNC-TCP-02", "stun-turn:TURNC-TCP-04")
@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_tcp_connections_are_opened_and_accepted(tmp_path: Path, transport: str) -> None:
    async with secured_coturn(tmp_path) as (plain, secured, ca):
        uri = TRANSPORTS[transport][0].format(plain=plain, secured=secured)
        async with (
            connect_tcp(uri, USER, PASSWORD, ca=ca) as first,
            connect_tcp(uri, USER, PASSWORD, ca=ca) as other,
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
    async with (
        coturn(tmp_path) as port,
        connect_tcp(f"turn:127.0.0.1:{port}?transport=tcp", USER, PASSWORD) as relay,
    ):
        with pytest.raises(PeerRefused) as refused:
            await relay.open_connection(TransportAddress(LOOPBACK, free_port()))

    assert refused.value.code == 447
