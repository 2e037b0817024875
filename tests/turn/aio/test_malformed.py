"""Malformed input over real sockets, UDP and TCP: the table is that of the machine's tests."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from stun import ErrorCode, Message, Nonce
from tests.turn.server.malformed import ALLOCATE, BINDING, CASES, UDP, Malformed, Session, message
from transport import TransportAddress, TransportProtocol
from turn.aio import Endpoint, RelayServer, connect
from turn.credentials import CredentialVerifier
from turn.server import ServerConfig

LOOPBACK = ipaddress.ip_address("127.0.0.1")
ANYWHERE = TransportAddress(LOOPBACK, 0)
PROBE_ID = b"are you well"
HEADER_BYTES = 20

STRANGERS = [case for case in CASES if not case.allocates]
"""Those without an allocation: no test of ours sends to peers out in the world."""


@pytest_asyncio.fixture
async def server() -> AsyncIterator[RelayServer]:
    config = ServerConfig(
        realm="relay.example",
        credentials=CredentialVerifier(
            users={"alice": "alice's password", "bob": "bob's password"}
        ),
        listening=(ANYWHERE,),
        relay_addresses=(LOOPBACK,),
    )
    over_tcp = Endpoint(TransportProtocol.TCP, ANYWHERE)
    async with RelayServer.open(config, endpoints=[over_tcp]) as server:
        yield server


def place(server: RelayServer, transport: TransportProtocol) -> tuple[str, int]:
    (found,) = (each.address for each in server.endpoints if each.transport is transport)
    return found.host, found.port


def told(answer: bytes) -> str:
    error = Message.decode(answer).get(ErrorCode)
    return "I" if error is None else str(error.code)


def nonce_in(answer: bytes) -> bytes:
    nonce = Message.decode(answer).get(Nonce)
    assert nonce is not None
    return nonce.nonce.encode()


class Datagrams:
    """A client over UDP."""

    def __init__(self, server: RelayServer) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.connect(place(server, TransportProtocol.UDP))

    async def ask(self, data: bytes) -> bytes:
        self._socket.send(data)
        return await self._loop.sock_recv(self._socket, 2000)

    async def outcome(self, data: bytes) -> str:
        """What comes back beside the answers to two good requests that follow.

        Two, for an Allocate is answered after what came right behind it.
        """
        found = []
        self._socket.send(data)
        for _ in range(2):
            self._socket.send(message(BINDING, id=PROBE_ID))
            while PROBE_ID not in (answer := await self._loop.sock_recv(self._socket, 2000)):
                found.append(told(answer))
        return "+".join(found) or "D"

    def close(self) -> None:
        self._socket.close()


class Stream:
    """A client over TCP; ``nonce`` is good on this stream alone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.nonce = b""

    @classmethod
    async def open(cls, server: RelayServer, *, with_nonce: bool) -> Stream:
        stream = cls(*await asyncio.open_connection(*place(server, TransportProtocol.TCP)))
        if with_nonce:
            stream._writer.write(message(ALLOCATE, UDP))
            answer = await read_message(stream._reader)
            assert answer is not None
            stream.nonce = nonce_in(answer)
        return stream

    async def outcome(self, data: bytes, *, stalls: bool) -> str:
        """What a server makes of all that the stream has brought.

        Where a message is never finished nothing is told until we close our side;
        otherwise the server ends the stream itself, or answers a good request that follows.
        """
        self._writer.write(data)
        if stalls:
            self._writer.write_eof()
        else:
            self._writer.write(message(BINDING, id=PROBE_ID))
        found, is_well = [], False
        while (answer := await read_message(self._reader)) is not None:
            if PROBE_ID in answer:
                # An Allocate is answered after what came right behind it.
                is_well = True
                self._writer.write_eof()
            else:
                found.append(told(answer))
        self._writer.close()
        found += ["?"] if stalls else [] if is_well else ["X"]
        return "+".join(found) or "D"


async def read_message(reader: asyncio.StreamReader) -> bytes | None:
    """The next message; None at the end, which may be a reset."""
    try:
        head = await reader.readexactly(HEADER_BYTES)
        return head + await reader.readexactly(int.from_bytes(head[2:4], "big"))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def is_alive(server: RelayServer) -> bool:
    """Whether the server serves a client that comes now."""
    host, port = place(server, TransportProtocol.UDP)
    async with connect(f"turn:{host}:{port}", "bob", "bob's password") as relay:
        return relay.relayed.ip == LOOPBACK


@pytest.mark.parametrize("case", STRANGERS, ids=str)
@pytest.mark.requirement("stun-turn:SEC-15")
async def test_datagrams_have_the_outcome_of_their_class_and_harm_nobody(
    server: RelayServer, case: Malformed
) -> None:
    client, other = Datagrams(server), Datagrams(server)
    allocate = message(ALLOCATE, UDP)
    session = Session(nonce_in(await client.ask(allocate)), nonce_in(await other.ask(allocate)))

    outcomes = {await client.outcome(data) for data in case.make(session)}

    client.close()
    other.close()
    assert outcomes <= case.expected(is_stream=False)
    assert await is_alive(server)


MOST_STREAMS = 12
"""Variants that are tried, each on a stream of its own."""


@pytest.mark.parametrize("case", STRANGERS, ids=str)
@pytest.mark.requirement("stun-turn:SEC-15", "stun-turn:STUNS-TCP-01", "stun-turn:STUNS-TCP-06")
async def test_streams_have_the_outcome_of_their_class_and_harm_nobody(
    server: RelayServer, case: Malformed
) -> None:
    expected = case.expected(is_stream=True)
    stalls = any("?" in each for each in expected)
    variants = list(case.make(Session(b"nonce", b"")))
    is_signed = any(b"nonce" in data for data in variants)

    outcomes = set()
    for index in range(min(len(variants), MOST_STREAMS)):
        stream = await Stream.open(server, with_nonce=is_signed)
        data = list(case.make(Session(stream.nonce, b"")))[index]
        outcomes.add(await stream.outcome(data, stalls=stalls))

    # What stood before nonsense in one segment may be lost with it.
    lost = {"X" for each in expected if each.endswith("+X")}
    assert outcomes <= expected | lost
    assert await is_alive(server)
