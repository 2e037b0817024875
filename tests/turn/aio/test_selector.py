"""The loop that reads sockets inside its selector, and still is asyncio's loop."""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import types
from collections.abc import Callable, Iterator

import pytest

from turn.aio import RelayEventLoop


@pytest.fixture
def loop() -> Iterator[RelayEventLoop]:
    loop = RelayEventLoop()
    yield loop
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.setblocking(False)
    other.setblocking(False)
    with one, other:
        yield one, other


class Reader:
    """Reads datagrams one by one, and remembers how it was asked to."""

    def __init__(self, sock: socket.socket, on_data: Callable[[bytes], object]) -> None:
        self._socket = sock
        self._on_data = on_data
        self.asked: list[str] = []

    def fileno(self) -> int:
        return self._socket.fileno()

    def take_one(self) -> None:
        self.asked.append("one")
        self._on_data(self._socket.recv(10))

    def drain(self) -> None:
        self.asked.append("many")
        self._on_data(self._socket.recv(10))


def test_a_socket_is_read_whenever_there_is_something_to_read(
    loop: RelayEventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    one, other = pair
    received: list[bytes] = []
    done = loop.create_future()

    def on_data(data: bytes) -> None:
        received.append(data)
        if len(received) < 3:
            one.send(b"another")
        else:
            done.set_result(None)

    reader = Reader(other, on_data)
    loop.watch(reader)
    one.send(b"first")
    loop.run_until_complete(done)

    loop.unwatch(reader)
    assert received == [b"first", b"another", b"another"]


@pytest.mark.parametrize(("seconds", "asked"), [(1e-3, "one"), (1e-6, "many")])
def test_who_was_waited_for_is_asked_for_one_datagram_alone(
    loop: RelayEventLoop,
    pair: tuple[socket.socket, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    asked: str,
) -> None:
    one, other = pair
    done = loop.create_future()
    reader = Reader(other, done.set_result)
    loop.watch(reader)

    one.send(b"x")
    clock = itertools.count(0.0, seconds)  # what a poll takes
    monkeypatch.setattr("turn.aio.selector.time", types.SimpleNamespace(monotonic=clock.__next__))
    loop.run_until_complete(done)

    loop.unwatch(reader)
    assert reader.asked == [asked]


def test_timers_fire_while_a_socket_never_falls_silent(
    loop: RelayEventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    one, other = pair

    reader = Reader(other, one.send)
    loop.watch(reader)
    one.send(b"round")
    loop.run_until_complete(asyncio.sleep(0.005))
    while len(reader.asked) < 2:
        loop.run_until_complete(asyncio.sleep(0.001))

    loop.unwatch(reader)


def test_what_a_reader_schedules_runs(
    loop: RelayEventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    one, other = pair
    happened: list[str] = []
    done = loop.create_future()

    def on_data(data: bytes) -> None:
        loop.call_soon(happened.append, "soon")
        loop.call_later(0.001, done.set_result, None)

    reader = Reader(other, on_data)
    loop.watch(reader)
    one.send(b"x")
    loop.run_until_complete(done)

    loop.unwatch(reader)
    assert happened == ["soon"]


def test_ordinary_readers_and_writers_work_beside_drains(
    loop: RelayEventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    one, other = pair

    async def exchange() -> bytes:
        await loop.sock_sendall(one, b"hello")
        return await loop.sock_recv(other, 10)

    writable = loop.create_future()
    loop.add_writer(one.fileno(), writable.set_result, None)
    loop.run_until_complete(writable)
    loop.remove_writer(one.fileno())

    assert loop.run_until_complete(exchange()) == b"hello"


def test_a_socket_that_was_taken_away_is_not_read_any_more(
    loop: RelayEventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    one, other = pair
    reader = Reader(other, print)
    loop.watch(reader)

    loop.unwatch(reader)
    loop.unwatch(reader)
    one.send(b"x")
    loop.run_until_complete(asyncio.sleep(0))

    assert reader.asked == []


def test_a_reader_that_raises_is_logged_and_ends_nothing(
    loop: RelayEventLoop,
    pair: tuple[socket.socket, socket.socket],
    caplog: pytest.LogCaptureFixture,
) -> None:
    one, other = pair
    done = loop.create_future()

    def on_data(data: bytes) -> None:
        if data == b"bad":
            raise ZeroDivisionError
        done.set_result(None)

    reader = Reader(other, on_data)
    loop.watch(reader)
    one.send(b"bad")
    one.send(b"good")
    with caplog.at_level(logging.ERROR):
        loop.run_until_complete(done)

    loop.unwatch(reader)
    assert "ZeroDivisionError" in caplog.text
