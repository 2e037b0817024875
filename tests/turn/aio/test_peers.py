"""The socket of one peer: what it does with ICMP errors."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.closed import closed_port, wait_for_error
from transport import IcmpError, TransportAddress
from transport.aio import KernelSocket, KernelSockets
from turn.aio.connected import connect_beside
from turn.aio.flows import ToClient
from turn.aio.outlet import DatagramOutlet
from turn.aio.peers import PeerSocket
from turn.server import Meter

LOOPBACK = TransportAddress.parse("127.0.0.1", 0)


class Gone:
    """A peer that is not there any more, and our socket for it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._closed = contextlib.ExitStack()
        self.address = self._closed.enter_context(closed_port())
        name = self.address.host, self.address.port
        self.relayed = KernelSockets().bind(LOOPBACK)
        self.socket = connect_beside(self.relayed, name)
        self.errors: list[IcmpError] = []
        nobody = DatagramOutlet(self.relayed, KernelSocket(self.relayed), remote=name)
        self.peer = PeerSocket(
            self.socket,
            name,
            ToClient(0x4000, Meter(), nobody),
            loop=loop,
            on_icmp=self.errors.append,
        )

    def is_readable(self) -> bool:
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        self.peer.close()
        self.relayed.close()
        self._closed.close()


@pytest_asyncio.fixture
async def gone() -> AsyncIterator[Gone]:
    gone = Gone()
    yield gone
    gone.close()


@pytest.mark.parametrize("is_taken", [False, True], ids=["reported", "taken-by-a-send"])
@pytest.mark.parametrize("how", ["take_one", "drain"])
@pytest.mark.requirement("stun-turn:TURN-ICMP-01")
async def test_an_error_is_told_and_the_socket_at_rest_again(
    gone: Gone, how: str, is_taken: bool
) -> None:
    """Level-triggered as it is, the loop would spin for ever on what nobody reads."""
    gone.socket.send(b"anybody?")
    wait_for_error(gone.socket)
    if is_taken:
        assert gone.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    assert gone.is_readable()

    getattr(gone.peer, how)()
    await asyncio.sleep(0)

    assert gone.errors == [IcmpError(gone.address, 3, 3)]
    assert not gone.is_readable()
