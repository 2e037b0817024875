"""Streams that are given away by their driver."""

from __future__ import annotations

import asyncio
import functools
import socket

import pytest

from transport import CloseRequested, Path, TransportAddress, TransportProtocol
from transport.aio import DetachedStream, MachineDriver
from transport.aio.connection import CLOSE_TIMEOUT

from .machines import (
    Connected,
    Disconnected,
    Events,
    LineFramer,
    Received,
    SilentMachine,
    StreamEchoMachine,
)


class PausingFramer(LineFramer):
    """Holds back what stands behind a line that says so."""

    def __init__(self) -> None:
        super().__init__()
        self.held = b""

    def push(self, data: bytes) -> list[bytes]:
        data, self.held = self.held + data, b""
        before, pause, behind = data.partition(b"wait\n")
        self.held = behind
        return super().push(before + pause)


class Taker(asyncio.Protocol):
    """Keeps what comes."""

    def __init__(self) -> None:
        self.received = b""
        self.changed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.received += data
        self.changed.set()

    def eof_received(self) -> None:
        self.changed.set()


class Side:
    """A driver that accepts streams, and gives one away when a line says so."""

    def __init__(self, taker: Taker | None = None) -> None:
        self.machine = StreamEchoMachine() if taker else SilentMachine()
        self.events = Events()
        self.taker = taker
        self.detached: DetachedStream | None = None
        self.driver = MachineDriver(self.machine, self._on_event, framer=PausingFramer)

    async def listen(self) -> TransportAddress:
        sock = socket.create_server(("127.0.0.1", 0))
        address = TransportAddress.parse(*sock.getsockname()[:2])
        self.driver.add_listener(sock)
        return address

    def _on_event(self, event: object) -> None:
        match event:
            case Received(data=b"wait\n", path=path) if self.taker is not None:
                self.detached = self.driver.detach_stream(path, self.taker)
            case Received() | Connected() | Disconnected():
                pass
        assert isinstance(event, Received | Connected | Disconnected)
        self.events(event)


async def test_bytes_behind_the_last_message_are_left_and_the_rest_goes_to_who_took_it() -> None:
    side = Side(Taker())
    assert side.taker is not None
    address = await side.listen()
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(b"first\nwait\n\0raw")
    assert await reader.readexactly(11) == b"first\nwait\n"

    assert side.detached is not None
    framer = side.detached.framer
    assert isinstance(framer, PausingFramer)
    assert framer.held == b"\0raw"
    writer.write(b"\0more\n")
    side.detached.transport.resume_reading()
    await side.taker.changed.wait()
    side.detached.transport.write(b"\0back")
    side.detached.transport.close()

    assert side.taker.received == b"\0more\n"
    assert await reader.read() == b"\0back"
    writer.close()
    received = [each.data for each in side.events.all if isinstance(each, Received)]
    assert received == [b"first\n", b"wait\n"]
    assert not [each for each in side.events.all if isinstance(each, Disconnected)]
    await side.driver.aclose()


async def test_a_stream_that_nobody_takes_goes_on_behind_the_message() -> None:
    side = Side()
    address = await side.listen()
    _, writer = await asyncio.open_connection(address.host, address.port)

    writer.write(b"first\nwait\nsecond\nwait\nthird\n")

    await side.events.next()
    lines = [await side.events.next() for _ in range(5)]
    assert [each.data for each in lines if isinstance(each, Received)] == [
        *(b"first\n", b"wait\n", b"second\n", b"wait\n", b"third\n"),
    ]
    writer.close()
    await side.driver.aclose()


async def test_a_stream_that_is_gone_or_closing_cannot_be_given_away() -> None:
    side = Side()
    address = await side.listen()
    reader, writer = await asyncio.open_connection(address.host, address.port)
    event = await side.events.next()
    assert isinstance(event, Connected)
    unknown = Path(TransportProtocol.TCP, address, address)
    assert side.driver.detach_stream(unknown, Taker()) is None

    side.driver.call(lambda now: side.machine.want(CloseRequested(event.path)))

    assert side.driver.detach_stream(event.path, Taker()) is None
    assert await reader.read() == b""
    writer.close()
    await side.driver.aclose()


@pytest.mark.long
@pytest.mark.parametrize("who", ["we", "peer"])
async def test_who_reads_nothing_delays_the_end_by_a_second_at_most(who: str) -> None:
    side = Side()
    address = await side.listen()
    sock = socket.create_connection((address.host, address.port))
    connected = await side.events.next()
    assert isinstance(connected, Connected)
    send = functools.partial(side.machine.send, connected.path, bytes(100_000))
    while not side.driver.stats().dropped_messages:
        side.driver.call(lambda now: send())

    if who == "we":
        side.driver.call(lambda now: side.machine.want(CloseRequested(connected.path)))
    else:
        sock.shutdown(socket.SHUT_WR)

    assert CLOSE_TIMEOUT == 1.0
    gone = await side.events.next()
    assert gone == Disconnected(connected.path, "closed" if who == "we" else "closed by the peer")
    sock.close()
    await side.driver.aclose()
