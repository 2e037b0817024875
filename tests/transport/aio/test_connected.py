"""Sockets with one peer, and what the driver makes of their refusals."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from tests.closed import closed_port, wait_for_error
from transport import (
    Path,
    ReachabilityMachine,
    Transmit,
    TransportAddress,
    TransportProtocol,
)
from transport.aio import (
    ConnectedDatagramSocket,
    ConnectedSocket,
    ConnectingSocketFactory,
    KernelSockets,
    MachineDriver,
    to_sockaddr,
)

from .machines import Events, SilentMachine

UDP = TransportProtocol.UDP
ANYWHERE = TransportAddress.parse("127.0.0.1", 0)


class Asking(SilentMachine):
    """Sends what it is told to, and keeps what it hears of refusals."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[Path] = []
        self.was_refused = asyncio.Event()
        self._waiting: list[Transmit] = []

    def ask(self, path: Path) -> None:
        self._waiting.append(Transmit(path, (b"anybody there?",)))

    def poll_transmit(self) -> Transmit | None:
        return self._waiting.pop() if self._waiting else None

    def unreachable(self, path: Path, now: float) -> None:
        self.refused.append(path)
        self.was_refused.set()


@pytest.fixture
def nobody() -> Iterator[TransportAddress]:
    with closed_port() as address:
        yield address


async def test_a_connected_socket_has_its_peer_and_its_own_address() -> None:
    peer = await KernelSockets().open(ANYWHERE)
    sockets = KernelSockets()
    assert isinstance(sockets, ConnectingSocketFactory)

    sock = await sockets.open_connected(peer.local)

    assert isinstance(sock, ConnectedDatagramSocket)
    assert sock.remote == peer.local
    assert sock.local.host == "127.0.0.1"
    assert not sock.take_refusal()
    sock.close()
    peer.close()


@pytest.mark.requirement("stun-turn:STUNC-UDP-09")
async def test_a_closed_port_is_told_to_the_machine_with_its_path(
    nobody: TransportAddress,
) -> None:
    machine = Asking()
    assert isinstance(machine, ReachabilityMachine)
    driver = MachineDriver(machine, Events())
    sock = await KernelSockets().open_connected(nobody)
    driver.add_socket(sock)
    path = Path(UDP, sock.local, sock.remote)

    driver.call(lambda now: machine.ask(path))
    async with asyncio.timeout(15.0):
        await machine.was_refused.wait()

    assert machine.refused == [path]
    await driver.aclose()


async def test_a_refusal_that_comes_with_a_send_is_told_too(nobody: TransportAddress) -> None:
    """The error waits in the socket, and the send that finds it takes it out."""
    machine = Asking()
    driver = MachineDriver(machine, Events())
    with KernelSockets().bind(ANYWHERE) as raw:
        raw.connect(to_sockaddr(nobody))
        sock = ConnectedSocket(raw.dup())
        path = Path(UDP, sock.local, sock.remote)
        sock.send((b"1",), sock.remote, None)
        wait_for_error(raw)
    sock.send((b"2",), sock.remote, None)
    driver.add_socket(sock)

    async with asyncio.timeout(15.0):
        await machine.was_refused.wait()

    assert machine.refused == [path]
    await driver.aclose()


async def test_a_closed_socket_tells_nothing(nobody: TransportAddress) -> None:
    machine = Asking()
    driver = MachineDriver(machine, Events())
    sock = await KernelSockets().open_connected(nobody)
    driver.add_socket(sock)
    sock.send((b"1",), sock.remote, None)
    sock.send((b"2",), sock.remote, None)
    await driver.aclose()

    for _ in range(3):
        await asyncio.sleep(0)

    assert machine.refused == []


async def test_an_address_that_cannot_be_reached_is_an_error() -> None:
    with pytest.raises(OSError, match=r"ermission|reach"):
        await KernelSockets().open_connected(TransportAddress.parse("255.255.255.255", 9))


async def test_other_errors_are_no_refusals() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        raw.connect(("127.0.0.1", 9))
        sock = ConnectedSocket(raw.dup())

    sock.send((bytes(70_000),), sock.remote, None)

    assert not sock.take_refusal()
    sock.close()
