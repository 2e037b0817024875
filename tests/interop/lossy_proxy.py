"""A UDP forwarder on loopback that loses datagrams both ways, the same ones for each seed."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
from collections.abc import AsyncIterator, Callable

Address = tuple[str, int]


@dataclasses.dataclass(frozen=True)
class Impairment:
    """``loss`` is the share of datagrams lost, so many at a time; ``delay`` is one way.

    Datagrams of up to ``spares`` bytes get through.
    """

    loss: float = 0.0
    burst: int = 1
    delay: float = 0.0
    spares: int = 0


class LossyProxy:
    """Forwards between its clients and one server. ``impairment`` may be changed at any time."""

    def __init__(self, server: Address, impairment: Impairment, *, seed: int) -> None:
        self.impairment = impairment
        self.forwarded = 0
        self.lost = 0
        self.address: Address = ("", 0)
        self._server = server
        self._random = random.Random(seed)
        self._losing = 0
        self._front: asyncio.DatagramTransport | None = None
        self._backs: dict[Address, asyncio.DatagramTransport] = {}
        self._opening: dict[Address, asyncio.Task[None]] = {}

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._front, _ = await loop.create_datagram_endpoint(
            lambda: _Receiver(self._from_client), local_addr=("127.0.0.1", 0)
        )
        self.address = self._front.get_extra_info("sockname")

    async def aclose(self) -> None:
        for task in self._opening.values():
            task.cancel()
        await asyncio.gather(*self._opening.values(), return_exceptions=True)
        for transport in (self._front, *self._backs.values()):
            if transport is not None:
                transport.close()

    def _from_client(self, data: bytes, client: Address) -> None:
        back = self._backs.get(client)
        if back is not None:
            self._forward(back, data, None)
        elif client not in self._opening:
            self._opening[client] = asyncio.ensure_future(self._open_back(client, data))

    async def _open_back(self, client: Address, first: bytes) -> None:
        back, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Receiver(lambda data, _: self._to_client(data, client)),
            remote_addr=self._server,
        )
        self._backs[client] = back
        self._forward(back, first, None)

    def _to_client(self, data: bytes, client: Address) -> None:
        if self._front is not None:
            self._forward(self._front, data, client)

    def _forward(
        self, transport: asyncio.DatagramTransport, data: bytes, to: Address | None
    ) -> None:
        if len(data) > self.impairment.spares and self._loses():
            self.lost += 1
            return
        self.forwarded += 1
        if self.impairment.delay:
            loop = asyncio.get_running_loop()
            loop.call_later(self.impairment.delay, _send, transport, data, to)
        else:
            transport.sendto(data, to)

    def _loses(self) -> bool:
        impairment = self.impairment
        if not self._losing and self._random.random() < impairment.loss / impairment.burst:
            self._losing = impairment.burst
        is_lost = self._losing > 0
        self._losing -= is_lost
        return is_lost


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes, Address], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._received(data, addr)


def _send(transport: asyncio.DatagramTransport, data: bytes, to: Address | None) -> None:
    if not transport.is_closing():
        transport.sendto(data, to)


@contextlib.asynccontextmanager
async def lossy_proxy(
    server: Address, impairment: Impairment, *, seed: int = 1
) -> AsyncIterator[LossyProxy]:
    """In front of a UDP server on this host."""
    proxy = LossyProxy(server, impairment, seed=seed)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.aclose()
