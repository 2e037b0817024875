"""DTLS associations that a machine asks its driver for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import ssl
from collections.abc import AsyncIterator

import pytest

from tests.closed import closed_port
from tests.transport.dtls.issued import IDENTITY, NAME, SELF_ISSUED, pem
from transport import (
    CloseRequested,
    ConnectRequested,
    Event,
    Path,
    TransportAddress,
    TransportProtocol,
)
from transport.aio import ClientTls, KernelSockets, MachineDriver
from transport.dtls import (
    ClientConnected,
    ClientDataReceived,
    ClientDisconnected,
    DtlsServer,
)

from .machines import (
    Connected,
    Disconnected,
    Events,
    LineFramer,
    Received,
    SilentMachine,
)

DTLS = TransportProtocol.DTLS
LOOPBACK = TransportAddress.parse("127.0.0.1", 0)


class Echo:
    """A DTLS server that says what it hears, as the machine of a driver."""

    def __init__(self) -> None:
        self.server = DtlsServer(IDENTITY, random_bytes=os.urandom, protocols=["stun.turn"])
        self.receive = self.server.receive
        self.handle_timeout = self.server.handle_timeout
        self.next_timeout = self.server.next_timeout
        self.poll_transmit = self.server.poll_transmit

    def poll_event(self) -> Event | None:
        event = self.server.poll_event()
        if isinstance(event, ClientDataReceived):
            self.server.send(event.path, [event.data])
        return event


@contextlib.asynccontextmanager
async def echo() -> AsyncIterator[tuple[TransportAddress, Events, MachineDriver, Echo]]:
    machine, events = Echo(), Events()
    driver = MachineDriver(machine, events)
    sock = await KernelSockets().open(LOOPBACK)
    driver.add_socket(sock)
    yield sock.local, events, driver, machine
    await driver.aclose()


class Client:
    """A machine with a driver that trusts the test's certificate, or what it is told."""

    def __init__(self, tls: ssl.SSLContext | ClientTls) -> None:
        self.machine = SilentMachine()
        self.events = Events()
        self.driver = MachineDriver(self.machine, self.events, framer=LineFramer, tls=tls)

    def connect(self, remote: TransportAddress, name: str | None = NAME) -> None:
        self.driver.call(lambda _: self.machine.want(ConnectRequested(DTLS, remote, name)))

    def send(self, path: Path, *messages: bytes) -> None:
        self.driver.call(lambda _: self.machine.send(path, *messages))


@pytest.fixture
def ca(tmp_path: pathlib.Path) -> str:
    file = tmp_path / "ca.pem"
    file.write_bytes(pem(SELF_ISSUED))
    return str(file)


async def test_a_machine_has_an_association_and_each_record_is_a_message(ca: str) -> None:
    async with echo() as (remote, heard, _, _):
        client = Client(ClientTls(ca, alpn=("stun.turn",)))
        client.connect(remote)
        connected = await client.events.next()
        assert isinstance(connected, Connected)
        path = connected.path
        client.send(path, b"one", b"two")

        assert await client.events.next() == Received(b"one", path)
        assert await client.events.next() == Received(b"two", path)
        assert path == Path(DTLS, path.local, remote)
        assert path.local.ip == LOOPBACK.ip
        there = Path(DTLS, remote, path.local)
        assert heard.all[0] == ClientConnected(there, "stun.turn")

        client.driver.call(lambda _: client.machine.want(CloseRequested(path)))
        assert await client.events.next() == Disconnected(path, "closed")
        while heard.all[-1] != ClientDisconnected(there, "closed"):
            await heard.next()
        client.send(path, b"three")
        assert client.driver.stats().dropped_messages == 1
        await client.driver.aclose()


async def test_the_machine_hears_when_the_server_ends_it(ca: str) -> None:
    async with echo() as (remote, heard, driver, machine):
        client = Client(ClientTls(ca))
        client.connect(remote)
        connected = await client.events.next()
        await heard.next()

        driver.call(machine.server.close)

        assert isinstance(connected, Connected)
        assert await client.events.next() == Disconnected(connected.path, "closed")
        await client.driver.aclose()


async def refusal(client: Client) -> str:
    event = await client.events.next()
    assert isinstance(event, Disconnected)
    assert event.path.transport is DTLS
    await client.driver.aclose()
    return event.reason


@pytest.mark.requirement("stun-turn:STUNC-TCP-07")
async def test_nothing_is_sent_to_a_server_with_another_name(ca: str) -> None:
    async with echo() as (remote, heard, _, _):
        client = Client(ClientTls(ca))
        client.connect(remote, "other.example")

        assert await refusal(client) == "the certificate is for another name than other.example"
        assert heard.all == []


@pytest.mark.requirement("stun-turn:STUNC-TCP-07")
async def test_nothing_is_sent_to_a_server_that_the_system_does_not_know() -> None:
    async with echo() as (remote, heard, _, _):
        client = Client(ClientTls())
        client.connect(remote)

        assert "not known here" in await refusal(client)
        assert heard.all == []


async def test_a_context_of_the_ssl_module_says_whom_to_trust(ca: str) -> None:
    known, anybody = ssl.create_default_context(cafile=ca), ssl.create_default_context()
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    async with echo() as (remote, _, _, _):
        for tls, name in ((known, NAME), (anybody, "other.example")):
            client = Client(tls)
            client.connect(remote, name)
            assert isinstance(await client.events.next(), Connected)
            await client.driver.aclose()


async def test_a_port_that_nobody_listens_on_is_known_at_once(ca: str) -> None:
    client = Client(ClientTls(ca))

    with closed_port() as nobody:
        client.connect(nobody)

        assert await refusal(client) == "nobody takes datagrams there"


@pytest.mark.parametrize(
    ("tls", "name", "reason"),
    [
        pytest.param(ClientTls("/nowhere"), NAME, "No such file", id="no-such-file"),
        pytest.param(ClientTls(), "a" * 300, "label", id="impossible-name"),
    ],
)
async def test_what_cannot_be_tried_is_reported(tls: ClientTls, name: str, reason: str) -> None:
    client = Client(tls)

    client.connect(TransportAddress.parse("127.0.0.1", 9), name)

    assert reason in await refusal(client)


async def test_closing_gives_up_a_handshake_and_leaves_nothing(ca: str) -> None:
    silent = await KernelSockets().open(LOOPBACK)
    client = Client(ClientTls(ca))
    client.connect(silent.local)
    hello = asyncio.Event()
    silent.start(hello.set)
    await hello.wait()

    await client.driver.aclose()

    assert client.events.all == []
    assert asyncio.all_tasks() == {asyncio.current_task()}
    silent.close()


async def test_closing_says_goodbye(ca: str) -> None:
    async with echo() as (remote, heard, _, _):
        client = Client(ClientTls(ca))
        client.connect(remote)
        await client.events.next()
        await heard.next()

        await client.driver.aclose()

        assert isinstance(await heard.next(), ClientDisconnected)
