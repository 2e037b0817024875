"""Clients of a relay over TCP, TLS and DTLS (RFC 8656 section 5), on loopback."""

from __future__ import annotations

import asyncio
import os
import pathlib
import socket
import ssl
import warnings
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from stun import Message, MessageClass, Method, XorMappedAddress, encode_message
from tests.transport.aio.machines import Events
from transport import Path, TransportAddress, TransportProtocol
from transport.aio import ClientTls, KernelSockets, MachineDriver
from turn.aio import Endpoint, EndpointUnavailable, RelayServer, connect
from turn.client import ClientConfig, PeerRefused, TurnClient
from turn.framing import TurnFramer
from turn.server import AllocationCreated, AllocationEnd, AllocationEnded

from .over import (
    ANYWHERE,
    DTLS,
    LOOPBACK,
    TCP,
    TLS,
    UDP,
    config,
    relay_over,
    uri,
    write_certificate,
)

BINDING = encode_message(Method.BINDING, MessageClass.REQUEST, bytes(12), ())
REFUSED = "alert|reset|^$"
"""asyncio may cut a connection before the alert has left."""

EVERY = pytest.mark.parametrize("transport", TransportProtocol, ids=lambda each: each.value)


def trust(folder: pathlib.Path) -> ssl.SSLContext:
    return ClientTls(write_certificate(folder).chain).context()


def address_of(server: RelayServer, transport: TransportProtocol) -> TransportAddress:
    return next(each.address for each in server.endpoints if each.transport is transport)


@pytest.mark.requirement("stun-turn:TURN-GEN-01")
@EVERY
async def test_a_client_relays_over_every_transport(
    tmp_path: pathlib.Path, transport: TransportProtocol
) -> None:
    loop = asyncio.get_running_loop()
    peer = KernelSockets().bind(ANYWHERE)
    there = TransportAddress.parse(*peer.getsockname())
    with peer:
        async with (
            relay_over(tmp_path, transport) as server,
            connect(uri(server, transport), "ann", "secret", tls=trust(tmp_path)) as relay,
        ):
            (allocation,) = server.allocations()
            assert allocation.client.transport is transport
            relayed = (relay.relayed.host, relay.relayed.port)
            await relay.permit(there.ip)
            for binds in (False, True):
                if binds:
                    await relay.bind_channel(there)
                for size in (1, 2, 3, 4, 1400):
                    data = os.urandom(size)
                    relay.send(there, data)
                    assert await loop.sock_recvfrom(peer, 2000) == (data, relayed)
                    peer.sendto(data, relayed)
                    assert await relay.receive() == (there, data)


@pytest.mark.parametrize("first", [TCP, TLS, DTLS], ids=lambda each: each.value)
async def test_clients_of_different_transports_reach_each_other(
    tmp_path: pathlib.Path, first: TransportProtocol
) -> None:
    async with (
        relay_over(tmp_path, UDP, first) as server,
        connect(uri(server, UDP), "ann", "secret") as ann,
        connect(uri(server, first), "ann", "secret", tls=trust(tmp_path)) as bob,
    ):
        await ann.bind_channel(bob.relayed)
        await bob.bind_channel(ann.relayed)
        ann.send(bob.relayed, b"there", b"again")
        bob.send(ann.relayed, b"back")

        assert [await bob.receive() for _ in range(2)] == [
            (ann.relayed, b"there"),
            (ann.relayed, b"again"),
        ]
        assert await ann.receive() == (bob.relayed, b"back")


@pytest.mark.requirement("stun-turn:SEC-07")
@pytest.mark.parametrize("transport", [TCP, TLS, DTLS], ids=lambda each: each.value)
async def test_no_listening_address_is_a_peer(
    tmp_path: pathlib.Path, transport: TransportProtocol
) -> None:
    async with (
        relay_over(tmp_path, UDP, transport) as server,
        connect(uri(server, UDP), "ann", "secret") as relay,
    ):
        with pytest.raises(PeerRefused, match="403"):
            await relay.bind_channel(address_of(server, transport))


@pytest.mark.parametrize("transport", [TCP, TLS, DTLS], ids=lambda each: each.value)
async def test_the_end_of_a_connection_is_the_end_of_its_allocation(
    tmp_path: pathlib.Path, transport: TransportProtocol
) -> None:
    at_server = Events()
    async with relay_over(tmp_path, transport, on_event=at_server) as server:
        client = TurnClient(
            Path(transport, ANYWHERE, address_of(server, transport)),
            username="ann",
            password="secret",
            random_bytes=os.urandom,
            config=ClientConfig(server_name="localhost"),
        )
        driver = MachineDriver(client, Events(), framer=TurnFramer, tls=trust(tmp_path))
        driver.call(client.allocate)
        assert isinstance(await at_server.next(), AllocationCreated)

        await driver.aclose()

        ended = await at_server.next()
        assert isinstance(ended, AllocationEnded)
        assert ended.reason is AllocationEnd.DISCONNECTED


@pytest_asyncio.fixture
async def over_tcp(tmp_path: pathlib.Path) -> AsyncIterator[RelayServer]:
    async with relay_over(tmp_path, TCP) as server:
        yield server


@pytest.mark.requirement("stun-turn:STUNS-TCP-03", "stun-turn:STUNS-TCP-04")
async def test_who_sends_a_request_and_no_more_is_answered_on_its_connection(
    over_tcp: RelayServer,
) -> None:
    at = address_of(over_tcp, TCP)
    reader, writer = await asyncio.open_connection(at.host, at.port)
    writer.write(BINDING)
    writer.write_eof()

    response = Message.decode(await reader.read())

    mapped = response.get(XorMappedAddress)
    assert mapped is not None
    assert mapped.address == TransportAddress.parse(*writer.get_extra_info("sockname"))
    writer.close()
    await writer.wait_closed()


@pytest.mark.requirement("stun-turn:STUNS-TCP-08")
@pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["1.0", "1.1"]
)
async def test_old_versions_of_tls_are_refused(
    tmp_path: pathlib.Path, version: ssl.TLSVersion
) -> None:
    context = trust(tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    async with relay_over(tmp_path, TLS) as server:
        at = address_of(server, TLS)
        with pytest.raises(OSError, match=REFUSED):
            await asyncio.open_connection(at.host, at.port, ssl=context)


@pytest.mark.requirement("stun-turn:STUNS-TCP-08")
@pytest.mark.parametrize("cipher", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "kRSA"])
async def test_ciphers_without_forward_secrecy_or_authenticated_encryption_are_refused(
    tmp_path: pathlib.Path, cipher: str
) -> None:
    context = trust(tmp_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(cipher)
    async with relay_over(tmp_path, TLS) as server:
        at = address_of(server, TLS)
        with pytest.raises(OSError, match=REFUSED):
            await asyncio.open_connection(at.host, at.port, ssl=context)


@pytest.mark.requirement("stun-turn:STUNS-TCP-11")
@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        pytest.param(["stun.turn"], "stun.turn", id="turn"),
        pytest.param(["stun.nat-discovery"], "stun.nat-discovery", id="nat-discovery"),
        pytest.param(["h2", "http/1.1"], None, id="others"),
        pytest.param([], None, id="none"),
    ],
)
async def test_a_client_may_name_what_it_speaks(
    tmp_path: pathlib.Path, offered: list[str], chosen: str | None
) -> None:
    context = trust(tmp_path)
    if offered:
        context.set_alpn_protocols(offered)
    async with relay_over(tmp_path, TLS) as server:
        at = address_of(server, TLS)
        reader, writer = await asyncio.open_connection(at.host, at.port, ssl=context)
        tls = writer.get_extra_info("ssl_object")
        writer.write(BINDING)
        answer = await reader.readexactly(20)
        writer.close()
        await writer.wait_closed()

    assert tls.selected_alpn_protocol() == chosen
    assert tls.compression() is None
    assert answer[:2] == b"\x01\x01"


@pytest.mark.requirement("stun-turn:STUNS-TCP-10")
async def test_udp_and_dtls_share_a_port(tmp_path: pathlib.Path) -> None:
    free = KernelSockets().bind(ANYWHERE)
    at = TransportAddress.parse(*free.getsockname())
    free.close()
    async with RelayServer.open(
        config(at),
        endpoints=[Endpoint(DTLS, at)],
        certificate=write_certificate(tmp_path),
    ) as server:
        assert server.endpoints == (Endpoint(UDP, at), Endpoint(DTLS, at))
        async with (
            connect(uri(server, UDP), "ann", "secret") as one,
            connect(uri(server, DTLS), "ann", "secret", tls=trust(tmp_path)) as other,
        ):
            await one.bind_channel(other.relayed)
            await other.bind_channel(one.relayed)
            one.send(other.relayed, b"hello")
            assert await other.receive() == (one.relayed, b"hello")


async def test_plain_stun_is_not_answered_where_dtls_alone_is_spoken(
    tmp_path: pathlib.Path,
) -> None:
    async with relay_over(tmp_path, DTLS) as server:
        with KernelSockets().bind(ANYWHERE) as sock:
            sock.connect((LOOPBACK.exploded, address_of(server, DTLS).port))
            sock.send(BINDING)
            async with connect(uri(server, DTLS), "ann", "secret", tls=trust(tmp_path)):
                pass  # by now it would have been

            with pytest.raises(BlockingIOError):
                sock.recv(100)


async def test_secure_transports_need_a_certificate() -> None:
    for transport in (TLS, DTLS):
        with pytest.raises(ValueError, match="need a certificate"):
            RelayServer.open(config(), endpoints=[Endpoint(transport, ANYWHERE)])


async def test_an_endpoint_in_use_is_named_and_nothing_stays_open(tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, KernelSockets().bind(ANYWHERE) as free:
        at = TransportAddress.parse(*taken.getsockname())
        udp = TransportAddress.parse(*free.getsockname())
        free.close()
        with pytest.raises(EndpointUnavailable, match="in use") as raised:
            RelayServer.open(config(udp), endpoints=[Endpoint(TCP, at)])

        assert raised.value.endpoint == Endpoint(TCP, at)
        KernelSockets().bind(udp).close()
