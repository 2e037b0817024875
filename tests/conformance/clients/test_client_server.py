"""Scripts on sockets of this machine, with clients that are processes."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import sys
from collections.abc import AsyncIterator

import pytest

from conformance.aio import ClientCommand, ClientServer, Listener
from conformance.aio.client_server import PLAYS
from conformance.building import MessageBuilder
from conformance.clients import Script, Settings, Stage, scripts
from conformance.codes import Class, Method
from conformance.outcome import NotOffered, Verdict, Violated
from transport import TransportAddress, TransportProtocol

from .one_request import CLIENT

SCRIPTS = {each.id: each for each in scripts()}
ANYWHERE = TransportAddress.parse("127.0.0.1", 0)
REQUEST = MessageBuilder(Method.BINDING, Class.REQUEST, b"n" * 12).build()


class Playing:
    """A server, and how often it has started a client."""

    def __init__(self, protocol: TransportProtocol, *, settings: Settings) -> None:
        self.listener = Listener(protocol, ANYWHERE)
        self.starts = 0
        self.may_start = asyncio.Event()
        """A script may hold the client back."""
        self.may_start.set()
        self.server = ClientServer([self.listener], settings=settings, start=self._start)

    def _start(self, script: Script, listener: Listener) -> asyncio.Task[ClientCommand]:
        self.starts += 1
        return asyncio.create_task(self._command(script, listener))

    async def _command(self, script: Script, listener: Listener) -> ClientCommand:
        await self.may_start.wait()
        words = (str(listener.listening.port), listener.protocol.value, script.id)
        return await ClientCommand.start(
            [sys.executable, "-I", "-c", CLIENT, *words], status_tells=True
        )


@pytest.fixture
async def udp() -> AsyncIterator[Playing]:
    playing = Playing(TransportProtocol.UDP, settings=Settings())
    yield playing
    playing.server.close()


@pytest.fixture
async def tcp() -> AsyncIterator[Playing]:
    playing = Playing(TransportProtocol.TCP, settings=Settings())
    yield playing
    playing.server.close()


@pytest.mark.long
async def test_a_client_that_overlooks_what_it_must_not_fails_by_its_exit_status(
    udp: Playing,
) -> None:
    result = await udp.server.play(SCRIPTS["STUNC-RX-03"])

    assert result.outcome.verdict is Verdict.FAIL
    assert "family 3" in result.outcome.detail


@pytest.mark.long
async def test_a_reset_reaches_the_client(tcp: Playing) -> None:
    result = await tcp.server.play(SCRIPTS["STUNC-TCP-03"])

    assert result.outcome.verdict is Verdict.PASS


async def test_a_script_for_a_transport_that_nobody_listens_on_is_skipped(udp: Playing) -> None:
    result = await udp.server.play(SCRIPTS["STUNC-TCP-01"])

    assert result.outcome.verdict is Verdict.SKIP
    assert udp.starts == 0


async def test_a_port_is_closed_and_opened_again(udp: Playing) -> None:
    first = udp.listener.listening
    was_refused = []

    async def play(stage: Stage) -> None:
        stage.close_port()
        await stage.pause(0.001)
        was_refused.append(_is_refused(first))
        stage.open_port()
        await stage.pause(0.001)
        udp.may_start.set()
        stage.answer(await stage.first())

    away = dataclasses.replace(SCRIPTS["STUNC-UDP-09"], play=play)
    udp.may_start.clear()

    result = await udp.server.play(away)

    assert result.outcome.verdict is Verdict.PASS
    assert was_refused == [True]
    assert udp.listener.listening == first


@pytest.mark.long
@pytest.mark.parametrize(
    ("timed", "late", "plays", "verdict"),
    [
        pytest.param(True, 1, 2, Verdict.PASS, id="late-once"),
        pytest.param(True, 9, PLAYS, Verdict.FAIL, id="late-each-time"),
        pytest.param(False, 9, 1, Verdict.FAIL, id="not-timed"),
    ],
)
async def test_a_client_that_is_late_fails_a_timed_script_when_it_is_so_each_time(
    udp: Playing, timed: bool, late: int, plays: int, verdict: Verdict
) -> None:
    async def play(stage: Stage) -> None:
        stage.answer(await stage.first())
        if udp.starts <= late:
            raise Violated("late")

    script = dataclasses.replace(SCRIPTS["STUNC-UDP-02"], play=play, timed=timed)

    result = await udp.server.play(script)

    assert result.outcome.verdict is verdict
    assert udp.starts == plays


@pytest.mark.long
async def test_a_client_that_is_late_and_then_does_nothing_fails_a_timed_script(
    udp: Playing,
) -> None:
    async def play(stage: Stage) -> None:
        stage.answer(await stage.first())
        raise Violated("late") if udp.starts == 1 else NotOffered("nothing")

    script = dataclasses.replace(SCRIPTS["STUNC-UDP-02"], play=play)

    result = await udp.server.play(script)

    assert result.outcome.verdict is Verdict.FAIL
    assert udp.starts == 2


def _is_refused(address: TransportAddress) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(15)  # the kernel need not say so within the call that sends
        sock.connect((str(address.ip), address.port))
        sock.send(REQUEST)
        try:
            sock.recv(1)
        except ConnectionRefusedError:
            return True
        except TimeoutError:
            return False
    return False


async def test_a_datagram_came_when_the_kernel_got_it() -> None:
    listener = Listener(TransportProtocol.UDP, ANYWHERE)
    loop, busy = asyncio.get_running_loop(), 0.05
    came: list[float] = []

    async def play(stage: Stage) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(REQUEST, ("127.0.0.1", listener.listening.port))
        begun = loop.time()
        while loop.time() < begun + busy:
            pass  # as on a machine that has more to do
        came.append((await stage.first()).at - begun)

    server = ClientServer([listener], settings=Settings(), start=lambda script, listener: None)
    await server.play(dataclasses.replace(SCRIPTS["STUNC-UDP-01"], play=play))
    server.close()

    assert came[0] < busy / 2


@pytest.mark.long
async def test_a_client_that_fails_before_it_begins_is_quoted() -> None:
    listener = Listener(TransportProtocol.UDP, ANYWHERE)

    def start(script: Script, listener: Listener) -> asyncio.Task[ClientCommand]:
        words = [sys.executable, "-I", "-c", "import sys; sys.exit('no such option')"]
        return asyncio.create_task(ClientCommand.start(words, status_tells=True))

    server = ClientServer([listener], settings=Settings(), start=start)
    result = await server.play(SCRIPTS["STUNC-UDP-01"])
    server.close()

    assert result.outcome.verdict is Verdict.SKIP
    assert result.outcome.detail.endswith("its command ended with status 1: no such option")


async def test_a_client_that_does_not_come_is_skipped() -> None:
    listener = Listener(TransportProtocol.UDP, ANYWHERE)
    server = ClientServer(
        [listener], settings=Settings(patience=0.05), start=lambda script, listener: None
    )

    result = await server.play(SCRIPTS["STUNC-UDP-01"])
    server.close()

    assert result.outcome.verdict is Verdict.SKIP
    assert result.outcome.detail == "the client sends nothing"


async def test_a_command_that_does_not_exist_is_an_error() -> None:
    listener = Listener(TransportProtocol.UDP, ANYWHERE)

    def start(script: Script, listener: Listener) -> asyncio.Task[ClientCommand]:
        words = ["/nonexistent/client"]
        return asyncio.create_task(ClientCommand.start(words, status_tells=False))

    server = ClientServer([listener], settings=Settings(), start=start)
    with pytest.raises(FileNotFoundError):
        await server.play(SCRIPTS["STUNC-UDP-01"])
    server.close()
