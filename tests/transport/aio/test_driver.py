from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from transport import Event, Path, TransportAddress, TransportProtocol
from transport.aio import KernelSocket, KernelSockets, MachineDriver, SocketStats

from .machines import BrokenMachine, EchoMachine, Events, Received, TimedOut

LOOPBACK = TransportAddress.parse("127.0.0.1", 0)
NOWHERE = TransportAddress.parse("192.0.2.1", 9)


def udp(local: TransportAddress, remote: TransportAddress) -> Path:
    return Path(TransportProtocol.UDP, local, remote)


class Peer:
    """A socket that a test talks through."""

    def __init__(self, sock: KernelSocket) -> None:
        self.socket = sock
        self.local = sock.local
        self._readable = asyncio.Event()
        sock.start(self._readable.set)
        self._received: list[tuple[bytes, TransportAddress]] = []

    async def receive(self) -> bytes:
        data, _ = await self.receive_from()
        return data

    async def receive_from(self) -> tuple[bytes, TransportAddress]:
        while not self._received:
            await self._readable.wait()
            self._readable.clear()
            self._received += self.socket.receive()
        return self._received.pop(0)

    def send(self, data: bytes, remote: TransportAddress) -> None:
        self.socket.send([data], remote, None)


@pytest_asyncio.fixture
async def peer() -> AsyncIterator[Peer]:
    sock = await KernelSockets().open(LOOPBACK)
    yield Peer(sock)
    sock.close()


async def with_socket(driver: MachineDriver) -> TransportAddress:
    sock = await KernelSockets().open(LOOPBACK)
    driver.add_socket(sock)
    return sock.local


async def test_a_datagram_reaches_the_machine_and_its_answer_comes_back(peer: Peer) -> None:
    events = Events()
    driver = MachineDriver(EchoMachine(), events)
    local = await with_socket(driver)

    peer.send(b"hello", local)

    assert await peer.receive() == b"hello"
    assert events.all == [Received(b"hello", udp(local, peer.local))]
    await driver.aclose()


async def test_each_datagram_leaves_from_the_address_its_path_names(peer: Peer) -> None:
    machine = EchoMachine()
    driver = MachineDriver(machine, Events())
    locals_ = [await with_socket(driver) for _ in range(3)]
    sources = []

    for local in locals_:
        machine.send(udp(local, peer.local), b"x")
        driver.drain()
        _, source = await peer.receive_from()
        sources.append(source)

    assert sources == locals_
    await driver.aclose()


async def test_what_leaves_from_no_socket_is_dropped_and_counted(peer: Peer) -> None:
    machine = EchoMachine()
    driver = MachineDriver(machine, Events())
    local = await with_socket(driver)
    tcp = Path(TransportProtocol.TCP, local, peer.local)

    driver.remove_socket(local)
    driver.remove_socket(local)
    machine.send(udp(local, peer.local), b"a", b"b")
    machine.send(tcp, b"c")
    driver.drain()

    assert driver.stats().unroutable_datagrams == 3
    await driver.aclose()


async def test_a_verb_is_followed_by_what_it_asks_for(peer: Peer) -> None:
    machine = EchoMachine()
    driver = MachineDriver(machine, Events())
    path = udp(await with_socket(driver), peer.local)

    def verb(now: float) -> float:
        machine.send(path, b"from a verb")
        return now

    before = asyncio.get_running_loop().time()
    assert before <= driver.call(verb) <= asyncio.get_running_loop().time()
    assert await peer.receive() == b"from a verb"
    await driver.aclose()


async def test_what_a_verb_raises_reaches_its_caller_after_draining(peer: Peer) -> None:
    machine = EchoMachine()
    driver = MachineDriver(machine, Events())
    path = udp(await with_socket(driver), peer.local)

    def verb(now: float) -> None:
        machine.send(path, b"queued before")
        raise ValueError("misuse")

    with pytest.raises(ValueError, match="misuse"):
        driver.call(verb)
    assert await peer.receive() == b"queued before"
    assert driver.stats().failures == 0
    await driver.aclose()


async def test_an_event_handler_may_use_verbs_and_is_not_called_within_itself() -> None:
    machine = EchoMachine()
    order: list[str] = []

    def on_event(event: Event) -> None:
        assert isinstance(event, TimedOut)
        order.append(f"{event.at:g} begins")
        if event.at < 10:
            driver.call(lambda now: machine.want(TimedOut(event.at + 10)))
            driver.drain()
        order.append(f"{event.at:g} ends")

    driver = MachineDriver(machine, on_event)
    for at in (1.0, 2.0):
        machine.want(TimedOut(at))
    driver.drain()

    assert order == [f"{at} {what}" for at in (1, 2, 11, 12) for what in ("begins", "ends")]
    await driver.aclose()


async def test_what_a_handler_sends_leaves_before_the_next_event(peer: Peer) -> None:
    machine = EchoMachine()
    sent_at_second_event: list[int] = []

    def on_event(event: Event) -> None:
        assert isinstance(event, TimedOut)
        if event.at == 1.0:
            driver.call(lambda now: machine.send(path, b"x"))
        else:
            sent_at_second_event.append(sock.stats().datagrams_sent)

    driver = MachineDriver(machine, on_event)
    sock = await KernelSockets().open(LOOPBACK)
    driver.add_socket(sock)
    path = udp(sock.local, peer.local)
    machine.want(TimedOut(1.0))
    machine.want(TimedOut(2.0))
    driver.drain()

    assert sent_at_second_event == [1]
    assert await peer.receive() == b"x"
    await driver.aclose()


async def test_a_deadline_fires_and_never_early() -> None:
    machine, events = EchoMachine(), Events()
    driver = MachineDriver(machine, events)
    deadline = driver.now() + 0.01

    driver.call(lambda now: machine.set_deadline(deadline))

    assert await events.next() == TimedOut(deadline)
    assert driver.now() >= deadline
    await driver.aclose()


async def test_the_timer_follows_a_deadline_that_becomes_earlier() -> None:
    machine, events = EchoMachine(), Events()
    driver = MachineDriver(machine, events)
    late, early = driver.now() + 1000.0, driver.now() + 0.01

    driver.call(lambda now: machine.set_deadline(late))
    driver.call(lambda now: machine.set_deadline(early))

    assert await events.next() == TimedOut(early)
    await driver.aclose()


async def test_the_timer_follows_a_deadline_that_becomes_later() -> None:
    machine, events = EchoMachine(), Events()
    driver = MachineDriver(machine, events)
    early, late = driver.now() + 0.005, driver.now() + 0.02
    driver.call(lambda now: machine.set_deadline(early))

    def postpone(now: float) -> None:
        machine.deadlines = [late]

    driver.call(postpone)

    assert await events.next() == TimedOut(late)
    assert events.all == [TimedOut(late)]
    await driver.aclose()


async def test_deadlines_follow_one_another() -> None:
    machine, events = EchoMachine(), Events()
    driver = MachineDriver(machine, events)
    deadlines = [driver.now() + wait for wait in (0.001, 0.002, 0.002, 0.004)]
    for deadline in deadlines:
        machine.set_deadline(deadline)
    driver.drain()

    seen = [await events.next() for _ in deadlines]

    assert seen == [TimedOut(deadline) for deadline in deadlines]
    await driver.aclose()


async def test_a_bug_in_the_machine_is_reported_and_the_next_datagram_is_served(
    peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    driver = MachineDriver(BrokenMachine(), Events())
    local = await with_socket(driver)

    peer.send(b"bug", local)
    peer.send(b"good", local)

    assert await peer.receive() == b"good"
    assert isinstance(await driver.failed, ZeroDivisionError)
    assert driver.stats().failures == 1
    [record] = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert "BrokenMachine failed" in record.message
    await driver.aclose()


async def test_a_bug_in_a_timeout_does_not_make_the_loop_spin() -> None:
    machine = BrokenMachine()
    driver = MachineDriver(machine, Events())

    driver.call(machine.set_deadline)
    await driver.failed
    for _ in range(50):
        await asyncio.sleep(0)

    assert driver.stats().failures == 1
    await driver.aclose()


async def test_a_bug_in_a_handler_is_reported_and_the_next_event_is_handed_out() -> None:
    machine = EchoMachine()
    seen: list[Event] = []

    def on_event(event: Event) -> None:
        seen.append(event)
        raise KeyError("bug in a handler")

    driver = MachineDriver(machine, on_event)
    machine.want(TimedOut(1.0))
    machine.want(TimedOut(2.0))
    driver.drain()

    assert seen == [TimedOut(1.0), TimedOut(2.0)]
    assert isinstance(driver.failed.result(), KeyError)
    assert driver.stats().failures == 2
    await driver.aclose()


async def test_a_closed_driver_has_no_socket_no_timer_and_no_machine_any_more(peer: Peer) -> None:
    machine, events = EchoMachine(), Events()
    driver = MachineDriver(machine, events)
    local = await with_socket(driver)
    driver.call(lambda now: machine.set_deadline(now + 0.001))
    peer.send(b"too late", local)

    await driver.aclose()
    await driver.aclose()

    again = await KernelSockets().open(local)  # the port is free
    machine.want(TimedOut(0.0))
    driver.drain()
    loop = asyncio.get_running_loop()
    fired = loop.create_future()
    loop.call_at(loop.time() + 0.002, fired.set_result, None)
    await fired
    driver.add_socket(again)  # closed at once
    assert events.all == []
    assert driver.failed.cancelled()
    assert again.receive() == []


async def test_a_handler_may_close_the_driver() -> None:
    machine = EchoMachine()
    seen: list[Event] = []
    closing: list[asyncio.Task[None]] = []

    def on_event(event: Event) -> None:
        seen.append(event)
        closing.append(asyncio.get_running_loop().create_task(driver.aclose()))

    driver = MachineDriver(machine, on_event)
    machine.want(TimedOut(1.0))
    driver.drain()
    await asyncio.gather(*closing)
    machine.want(TimedOut(2.0))
    driver.drain()

    assert seen == [TimedOut(1.0)]


class EagerSocket:
    """Has more to read than can be read."""

    local = LOOPBACK

    def __init__(self, source: TransportAddress) -> None:
        self._batch = [(b"x", source)] * 64
        self.on_readable: Callable[[], None] = lambda: None
        self.is_closed = False

    def start(self, on_readable: Callable[[], None]) -> None:
        self.on_readable = on_readable

    def receive(self) -> list[tuple[bytes, TransportAddress]]:
        return self._batch

    def send(self, segments: object, remote: TransportAddress, dscp: int | None) -> None: ...

    def stats(self) -> SocketStats:
        return SocketStats()

    def close(self) -> None:
        self.is_closed = True


async def test_one_wake_up_reads_one_batch() -> None:
    machine, events = EchoMachine(), Events()
    driver = MachineDriver(machine, events)
    sock = EagerSocket(NOWHERE)
    driver.add_socket(sock)

    sock.on_readable()

    assert len(events.all) == 64
    await driver.aclose()
    assert sock.is_closed


async def test_a_machine_without_streams_takes_no_framer() -> None:
    with pytest.raises(TypeError, match="speaks over no streams"):
        MachineDriver(EchoMachine(), Events(), framer=lambda: NotImplemented)
