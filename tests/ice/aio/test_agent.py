"""ICE over real sockets on this host."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence

import pytest

from ice import Candidate, IceConfig, IceState
from ice.aio import ConnectionClosed, ConnectionFailed, IceConnection, open_host_sockets
from ice.aio.agent import MAX_QUEUED_DATAGRAMS
from transport import TransportAddress
from transport.aio import DatagramSocket, KernelSocket, KernelSockets

LOOPBACK = [ipaddress.ip_address("127.0.0.1")]


def introduce(left: IceConnection, right: IceConnection) -> None:
    for one, other in ((left, right), (right, left)):
        one.set_remote(other.local_credentials)
        for candidate in other.local_candidates:
            one.add_remote_candidate(candidate)
        one.end_of_remote_candidates()


@pytest.mark.requirement("ice:X11")
async def test_two_connections_exchange_datagrams_over_loopback() -> None:
    found: list[Candidate] = []
    async with (
        IceConnection(controlling=True, addresses=LOOPBACK, on_candidate=found.append) as left,
        IceConnection(controlling=False, addresses=LOOPBACK) as right,
    ):
        await asyncio.gather(left.gather(), right.gather())
        introduce(left, right)
        await asyncio.gather(left.connect(), right.connect())

        assert left.send(b"\x80one", b"\x80two", b"\x80end")
        received = [await right.receive() for _ in range(3)]
        right.send(b"\x80back")

        assert received == [b"\x80one", b"\x80two", b"\x80end"]
        assert await left.receive() == b"\x80back"
        assert found == list(left.local_candidates)
        assert {left.state, right.state} == {IceState.COMPLETED}
    assert {left.state, right.state} == {IceState.CLOSED}


@pytest.mark.requirement("ice:Z05")
async def test_closing_ends_whoever_waits_and_is_done_once() -> None:
    connection = IceConnection(controlling=True, addresses=LOOPBACK)
    await connection.gather()
    waiting = [
        asyncio.ensure_future(connection.connect()),
        asyncio.ensure_future(connection.receive()),
    ]
    await asyncio.sleep(0)

    await connection.aclose()
    await connection.aclose()

    for waiter in waiting:
        with pytest.raises(ConnectionClosed):
            await waiter
    assert not connection.send(b"\x80data")


async def test_a_peer_that_is_not_there_fails_the_connection() -> None:
    config = IceConfig(pac_timeout=0.01)
    async with (
        IceConnection(controlling=True, addresses=LOOPBACK, config=config) as left,
        IceConnection(controlling=False, addresses=LOOPBACK) as right,
    ):
        await left.gather()
        left.set_remote(right.local_credentials)

        with pytest.raises(ConnectionFailed):
            await left.connect()


async def test_a_restart_over_real_sockets_ends_with_a_path() -> None:
    async with (
        IceConnection(controlling=True, addresses=LOOPBACK) as left,
        IceConnection(controlling=False, addresses=LOOPBACK) as right,
    ):
        await asyncio.gather(left.gather(), right.gather())
        introduce(left, right)
        await asyncio.gather(left.connect(), right.connect())
        before = left.local_credentials

        left.restart()
        right.restart()
        introduce(left, right)
        await asyncio.gather(left.connect(), right.connect())

        assert left.local_credentials != before
        assert left.send(b"\x80data")
        assert await right.receive() == b"\x80data"


async def test_datagrams_that_nobody_receives_are_bounded() -> None:
    async with (
        IceConnection(controlling=True, addresses=LOOPBACK) as left,
        IceConnection(controlling=False, addresses=LOOPBACK) as right,
    ):
        await asyncio.gather(left.gather(), right.gather())
        introduce(left, right)
        await asyncio.gather(left.connect(), right.connect())

        for _ in range(MAX_QUEUED_DATAGRAMS // 8 + 1):
            left.send(*[b"\x80data"] * 8)
            await asyncio.sleep(0)
        while right.datagrams_dropped == 0:
            left.send(b"\x80data")
            await asyncio.sleep(0)

        assert await right.receive() == b"\x80data"


class RefusingSockets:
    """Refuses some ports, and keeps what it opened."""

    def __init__(self, *, refused: Sequence[int] = (), fails_after: int | None = None) -> None:
        self.opened: list[socket.socket] = []
        self._refused = refused
        self._fails_after = fails_after
        self._kernel = KernelSockets()

    async def open(self, local: TransportAddress) -> DatagramSocket:
        if local.port in self._refused or not local.ip.is_loopback:
            raise OSError(98, "Address already in use")
        if self._fails_after is not None and len(self.opened) >= self._fails_after:
            raise asyncio.CancelledError
        self.opened.append(self._kernel.bind(local))
        return KernelSocket(self.opened[-1])


@pytest.mark.requirement("ice:G18")
async def test_an_address_that_cannot_be_bound_is_left_out() -> None:
    factory = RefusingSockets()

    opened = await open_host_sockets(
        factory, addresses=[ipaddress.ip_address("203.0.113.1"), *LOOPBACK]
    )

    assert [str(sock.local.ip) for sock in opened] == ["127.0.0.1"]
    opened[0].close()


@pytest.mark.requirement("ice:G19")
async def test_ports_are_tried_in_turn() -> None:
    factory = RefusingSockets(refused=[40001, 40002])

    opened = await open_host_sockets(factory, addresses=LOOPBACK, ports=[40001, 40002, 0])
    none = await open_host_sockets(factory, addresses=LOOPBACK, ports=[40001])

    assert len(opened) == 1
    assert none == []
    opened[0].close()


@pytest.mark.requirement("ice:G18")
async def test_sockets_are_closed_when_opening_is_cancelled() -> None:
    factory = RefusingSockets(fails_after=1)

    with pytest.raises(asyncio.CancelledError):
        await open_host_sockets(factory, addresses=LOOPBACK * 2)

    (sock,) = factory.opened
    assert sock.fileno() == -1


@pytest.mark.requirement("ice:G02")
async def test_the_hosts_own_addresses_are_found() -> None:
    opened = await open_host_sockets(KernelSockets(), loopback=True)

    try:
        assert any(sock.local.ip.is_loopback for sock in opened)
        assert all(sock.local.port for sock in opened)
    finally:
        for sock in opened:
            sock.close()
