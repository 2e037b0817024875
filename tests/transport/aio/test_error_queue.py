"""ICMP errors for what a socket has sent, from the kernel."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.closed import closed_port, wait_for_error
from transport import IcmpError, TransportAddress
from transport.aio import DropReason, KernelSocket, KernelSockets, allow_fragments

from .icmp import RAW, forge

SOMEWHERE = TransportAddress.parse("127.0.0.9", 7000)


def bound(host: str) -> tuple[socket.socket, TransportAddress]:
    sock = KernelSockets().bind(TransportAddress.parse(host, 0))
    return sock, TransportAddress.parse(*sock.getsockname()[:2])


class Sender:
    """A socket that keeps what comes back."""

    def __init__(self, host: str) -> None:
        sock, self.address = bound(host)
        allow_fragments(sock)
        self.fd = sock.fileno()
        self.errors: asyncio.Queue[IcmpError] = asyncio.Queue()
        self.socket = KernelSocket(sock, on_icmp=self.errors.put_nowait)

    def read(self) -> None:
        """As a driver does when the socket is readable."""
        assert self.socket.receive() == []

    async def error(self) -> IcmpError:
        async with asyncio.timeout(15):
            return await self.errors.get()

    def is_readable(self) -> bool:
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        return bool(poll.poll(0))


@pytest_asyncio.fixture
async def sender() -> AsyncIterator[Sender]:
    sender = Sender("127.0.0.1")
    yield sender
    sender.socket.close()


@pytest.mark.parametrize(
    ("host", "kind"), [("127.0.0.1", (3, 3)), ("::1", (1, 4))], ids=["ipv4", "ipv6"]
)
async def test_a_closed_port_is_told_with_type_code_and_port(
    host: str, kind: tuple[int, int]
) -> None:
    try:
        sender = Sender(host)
    except OSError:
        pytest.skip(f"this host has no {host}")
    sender.socket.start(sender.read)
    with closed_port(host) as nowhere:
        sender.socket.send((b"data",), nowhere, None)

        assert await sender.error() == IcmpError(nowhere, *kind)
    assert not sender.is_readable()
    sender.socket.close()


async def test_the_error_of_one_datagram_costs_no_other_its_way(sender: Sender) -> None:
    peer, there = bound("127.0.0.1")
    peer.settimeout(15)
    run = [bytes(100)] * 3
    with peer, closed_port() as nowhere:
        for _ in range(5):
            sender.socket.send((b"lost",), nowhere, None)
            sender.socket.send((b"found",), there, None)
            sender.socket.send((b"lost",), nowhere, None)
            sender.socket.send(run, there, None)

        found = [peer.recv(1000) for _ in range(20)]

    assert found == [b"found", *run] * 5
    assert sender.socket.stats().drops == {}
    assert sender.socket.stats().datagrams_sent == 30
    # Linux answers some of them alone (icmp_msgs_per_sec), but the first in any case.
    assert (await sender.error()).destination == nowhere


async def test_a_queue_that_a_send_has_left_is_read_when_the_socket_is(sender: Sender) -> None:
    """Or the socket would be readable for ever, and the loop never at rest."""
    with closed_port() as nowhere:
        sender.socket.send((b"data",), nowhere, None)
        wait_for_error(sender.fd)
    with socket.socket(fileno=socket.dup(sender.fd)) as other:
        assert other.getsockopt(
            socket.SOL_SOCKET, socket.SO_ERROR
        )  # takes the error, not the queue
    assert sender.is_readable()

    sender.read()

    assert (await sender.error()).destination == nowhere
    assert not sender.is_readable()


async def test_who_does_not_ask_hears_of_no_error() -> None:
    sock, _ = bound("127.0.0.1")
    kernel = KernelSocket(sock)
    with closed_port() as nowhere:
        kernel.send((b"data",), nowhere, None)

    assert not kernel.read_errors()
    kernel.close()
    assert not kernel.read_errors()


@RAW
@pytest.mark.parametrize(
    ("kind", "mtu", "expected"),
    [
        pytest.param((11, 0), 0, IcmpError(SOMEWHERE, 11, 0), id="time-exceeded"),
        pytest.param((3, 1), 0, IcmpError(SOMEWHERE, 3, 1), id="host-unreachable"),
        pytest.param((3, 13), 0, IcmpError(SOMEWHERE, 3, 13), id="prohibited"),
        pytest.param((3, 4), 1300, IcmpError(SOMEWHERE, 3, 4, 1300), id="fragmentation-needed"),
    ],
)
async def test_what_a_router_says_is_told_with_where_the_datagram_went(
    sender: Sender, kind: tuple[int, int], mtu: int, expected: IcmpError
) -> None:
    sender.socket.start(sender.read)

    forge(sender.address, SOMEWHERE, *kind, mtu=mtu)

    assert await sender.error() == expected


async def test_a_datagram_that_fits_goes_whole_and_the_next_one_as_usual(sender: Sender) -> None:
    peer, there = bound("127.0.0.1")
    peer.settimeout(15)
    with peer:
        sender.socket.send_unfragmented((b"whole",), there, None)
        sender.socket.send((b"usual",), there, None)

        assert [peer.recv(100), peer.recv(100)] == [b"whole", b"usual"]


async def test_a_datagram_that_no_way_can_carry_is_dropped_and_told(sender: Sender) -> None:
    sender.socket.start(sender.read)

    sender.socket.send_unfragmented((bytes(65_520),), SOMEWHERE, None)

    assert sender.socket.stats().drops == {DropReason.TOO_LONG: 1}
    error = await sender.error()
    assert (error.destination, error.icmp_type, error.icmp_code) == (SOMEWHERE, 3, 4)
    assert error.mtu > 1280


async def test_a_closed_socket_sends_nothing_whole(sender: Sender) -> None:
    sender.socket.close()

    sender.socket.send_unfragmented((b"data",), SOMEWHERE, None)

    assert sender.socket.stats().datagrams_sent == 0
