"""A peer behind nothing, which is talked to through a relay."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from transport import TransportAddress
from transport.aio import KernelSocket, KernelSockets
from turn.aio import Relay

TIMEOUT = 30.0
PAYLOADS = (b"", b"a", b"four", b"12345", bytes(1200), bytes(1200), b"end")


class Peer:
    """A plain UDP socket."""

    def __init__(self, sock: KernelSocket) -> None:
        self.address = sock.local
        self._sock = sock
        self._readable = asyncio.Event()
        sock.start(self._readable.set)
        self._received: list[tuple[bytes, TransportAddress]] = []

    async def receive(self) -> tuple[bytes, TransportAddress]:
        async with asyncio.timeout(TIMEOUT):
            while not self._received:
                await self._readable.wait()
                self._readable.clear()
                self._received += self._sock.receive()
        return self._received.pop(0)

    def send(self, data: bytes, remote: TransportAddress) -> None:
        self._sock.send([data], remote, None)


@contextlib.asynccontextmanager
async def peer_at(host: str = "127.0.0.1") -> AsyncIterator[Peer]:
    sock = await KernelSockets().open(TransportAddress.parse(host, 0))
    try:
        yield Peer(sock)
    finally:
        sock.close()


async def exchange(relay: Relay, peer: Peer, *payloads: bytes) -> None:
    """Send each payload to the peer and have it back."""
    assert relay.send(peer.address, *payloads)
    for payload in payloads:
        assert await peer.receive() == (payload, relay.relayed)
    for payload in payloads:
        peer.send(payload, relay.relayed)
        async with asyncio.timeout(TIMEOUT):
            assert await relay.receive() == (peer.address, payload)
