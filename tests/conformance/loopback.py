"""Servers on loopback: one that is right, and some that cannot be tested."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address, ip_network
from typing import cast

from conformance.building import MessageBuilder
from conformance.codes import Class, Method
from transport import Event, TransportAddress, TransportProtocol
from turn import CredentialVerifier
from turn.aio import Endpoint, RelayServer, ServerCertificate
from turn.server import ServerConfig
from turn.tokens import TokenVerifier

LOOPBACK = TransportAddress.parse("127.0.0.1", 0)
USERS = {"ann": "secret", "bob": "other"}

Answer = Callable[[bytes], bytes | None]


@contextlib.asynccontextmanager
async def relay(
    on_event: Callable[[Event], None] | None = None,
    *,
    certificate: ServerCertificate | None = None,
    third_party_auth: TokenVerifier | None = None,
) -> AsyncIterator[RelayServer]:
    """Our own server, which relays to this host alone; with a certificate also over TLS and
    DTLS (see ``secured_at``), with a verifier of tokens to who has one, too.
    """
    config = ServerConfig(
        realm="loopback",
        credentials=CredentialVerifier(USERS),
        listening=(LOOPBACK,),
        relay_addresses=(ip_address("127.0.0.1"),),
        allow_peers=(ip_network("127.0.0.1/32"),),
        third_party_auth=third_party_auth,
    )
    secured = () if certificate is None else (TransportProtocol.TLS, TransportProtocol.DTLS)
    endpoints = [Endpoint(kind, LOOPBACK) for kind in (TransportProtocol.TCP, *secured)]
    async with RelayServer.open(
        config, endpoints=endpoints, certificate=certificate, on_event=on_event
    ) as server:
        yield server


def secured_at(server: RelayServer, transport: TransportProtocol) -> TransportAddress:
    """Where it is reached over that."""
    return next(each.address for each in server.endpoints if each.transport is transport)


class _Answering(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer, delay: float) -> None:
        self._answer = answer
        self._delay = delay
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answer(data)
        if answer is not None and self._transport is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(self._delay, self._transport.sendto, answer, addr)


@contextlib.asynccontextmanager
async def answering(answer: Answer, *, delay: float = 0.0) -> AsyncIterator[TransportAddress]:
    """A UDP server that answers so; None is silence."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Answering(answer, delay), local_addr=("127.0.0.1", 0)
    )
    try:
        yield TransportAddress.parse(*transport.get_extra_info("sockname"))
    finally:
        transport.close()


def success(data: bytes) -> bytes:
    """A Binding success, with nothing in it."""
    return MessageBuilder(Method.BINDING, Class.SUCCESS, data[8:20]).build()


@contextlib.asynccontextmanager
async def hanging_up(greeting: bytes = b"") -> AsyncIterator[TransportAddress]:
    """A TCP server that says something, and closes at once."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield TransportAddress.parse(*server.sockets[0].getsockname())


@contextlib.asynccontextmanager
async def two_at_a_time(late: float) -> AsyncIterator[TransportAddress]:
    """A TCP server of two connections, which sees the end of each ``late`` seconds afterwards."""
    places = 2

    def free() -> None:
        nonlocal places
        places += 1

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal places
        if places > 0:
            places -= 1
            while request := await reader.read(20):
                writer.write(success(request))
            asyncio.get_running_loop().call_later(late, free)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield TransportAddress.parse(*server.sockets[0].getsockname())


CLOSED = TransportAddress.parse("127.0.0.1", 9)
"""Where nobody listens: discard, which is on no machine any more."""
