"""The loop that drains sockets inside its selector, and still is asyncio's loop."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator

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


def test_a_drain_is_called_whenever_there_is_something_to_read(
    loop: RelayEventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    one, other = pair
    received: list[bytes] = []
    done = loop.create_future()

    def drain() -> None:
        received.append(other.recv(10))
        if len(received) < 3:
            one.send(b"another")
        else:
            done.set_result(None)

    loop.add_drain(other.fileno(), drain)
    one.send(b"first")
    loop.run_until_complete(done)

    loop.remove_drain(other.fileno())
    assert received == [b"first", b"another", b"another"]


def test_timers_fire_while_a_socket_never_falls_silent(
    loop: RelayEventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    one, other = pair

    def drain() -> None:
        one.send(other.recv(10))

    loop.add_drain(other.fileno(), drain)
    one.send(b"round")
    loop.run_until_complete(asyncio.sleep(0.005))

    loop.remove_drain(other.fileno())


def test_what_a_drain_schedules_runs(
    loop: RelayEventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    one, other = pair
    happened: list[str] = []
    done = loop.create_future()

    def drain() -> None:
        other.recv(10)
        loop.call_soon(happened.append, "soon")
        loop.call_later(0.001, done.set_result, None)

    loop.add_drain(other.fileno(), drain)
    one.send(b"x")
    loop.run_until_complete(done)

    loop.remove_drain(other.fileno())
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


def test_a_drain_that_was_removed_is_not_called_any_more(
    loop: RelayEventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    one, other = pair
    called: list[None] = []
    loop.add_drain(other.fileno(), lambda: called.append(None))

    loop.remove_drain(other.fileno())
    loop.remove_drain(other.fileno())
    one.send(b"x")
    loop.run_until_complete(asyncio.sleep(0))

    assert called == []


def test_a_drain_that_raises_is_logged_and_ends_nothing(
    loop: RelayEventLoop,
    pair: tuple[socket.socket, socket.socket],
    caplog: pytest.LogCaptureFixture,
) -> None:
    one, other = pair
    done = loop.create_future()

    def drain() -> None:
        if other.recv(10) == b"bad":
            raise ZeroDivisionError
        done.set_result(None)

    loop.add_drain(other.fileno(), drain)
    one.send(b"bad")
    one.send(b"good")
    with caplog.at_level(logging.ERROR):
        loop.run_until_complete(done)

    loop.remove_drain(other.fileno())
    assert "ZeroDivisionError" in caplog.text
