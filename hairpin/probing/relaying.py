"""Packets through the relay and back, counted and timed."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import statistics
import struct
from typing import Final, Protocol

from transport import IPAddress, TransportAddress
from transport.aio import DatagramSocket, KernelSockets
from turn.aio import Relay

PACKET_BYTES: Final = 200
INTERVAL: Final = 0.02
"""Seconds between two packets: as a voice does."""

LAST_PATIENCE: Final = 1.0
"""Seconds for the last packet to come back."""

KNOCKS: Final = 5
KNOCK_INTERVAL: Final = 0.2
"""How often, and how many seconds apart, a peer of our own says hello to the relay."""

MAX_QUEUED_DATAGRAMS: Final = 1024
"""Datagrams that wait to be looked at; as in a socket's buffer, later ones are dropped."""

_HEAD: Final = struct.Struct("!8sIB")


@dataclasses.dataclass(frozen=True, slots=True)
class Direction:
    """What arrived of ``sent`` packets, and the delays in milliseconds."""

    sent: int
    delays_ms: tuple[float, ...]

    @property
    def received(self) -> int:
        return len(self.delays_ms)

    @property
    def loss(self) -> float:
        """From 0 to 1."""
        return 1 - self.received / self.sent if self.sent else 1.0

    @property
    def median_ms(self) -> float:
        return statistics.median(self.delays_ms) if self.delays_ms else 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class RoundTrip:
    """From the first end to the second, and what the second sends back for each packet."""

    there: Direction
    back: Direction


class End(Protocol):
    """One end of the way that is measured."""

    def send(self, data: bytes) -> None: ...

    async def receive(self) -> bytes:
        """
        Raises:
            AllocationGone: nothing will come any more.
        """
        ...


class RelayEnd:
    """A peer, seen through an allocation."""

    def __init__(self, relay: Relay, peer: TransportAddress) -> None:
        self._relay = relay
        self._peer = peer

    def send(self, data: bytes) -> None:
        self._relay.send(self._peer, data)

    async def receive(self) -> bytes:
        while True:
            source, data = await self._relay.receive()
            if source == self._peer:
                return data


class SocketEnd:
    """A socket of this host that speaks to a relayed transport address."""

    def __init__(self, sock: DatagramSocket, relayed: TransportAddress) -> None:
        self._sock = sock
        self._relayed = relayed
        self._received: asyncio.Queue[bytes] = asyncio.Queue(MAX_QUEUED_DATAGRAMS)
        sock.start(self._readable)

    @classmethod
    async def open(cls, local: IPAddress, relayed: TransportAddress) -> SocketEnd:
        """
        Raises:
            OSError: there is no socket.
        """
        return cls(await KernelSockets().open(TransportAddress(local, 0)), relayed)

    def send(self, data: bytes) -> None:
        self._sock.send((data,), self._relayed, None)

    async def receive(self) -> bytes:
        return await self._received.get()

    def close(self) -> None:
        self._sock.close()

    def _readable(self) -> None:
        for data, source in self._sock.receive():
            if source == self._relayed and not self._received.full():
                self._received.put_nowait(data)


async def join_relays(one: Relay, other: Relay) -> tuple[RelayEnd, RelayEnd]:
    """Two allocations as each other's peers: one by a channel, the other by indications.

    Raises:
        PeerRefused: the relay lets its own addresses not be peers.
        AllocationGone: an allocation was lost.
    """
    await one.bind_channel(other.relayed)
    await other.permit(one.relayed.ip)
    return RelayEnd(one, other.relayed), RelayEnd(other, one.relayed)


async def join_socket(relay: Relay, sock: SocketEnd) -> RelayEnd | None:
    """A socket of this host as the relay's peer; None if it is not heard.

    It speaks first, so that a NAT before it lets the relay's packets in.

    Raises:
        PeerRefused: the relay does not let us be a peer.
        AllocationGone: the allocation was lost.
    """
    await relay.permit(relay.mapped.ip)
    hello = os.urandom(16)
    for _ in range(KNOCKS):
        sock.send(hello)
        try:
            async with asyncio.timeout(KNOCK_INTERVAL):
                while True:
                    source, data = await relay.receive()
                    if data == hello:
                        return RelayEnd(relay, source)
        except TimeoutError:
            pass
    return None


async def measure(first: End, second: End, packets: int) -> RoundTrip:
    """Send packets from the first end, have the second send each back, and time them."""
    run = _Run(packets)
    tasks = [
        asyncio.ensure_future(run.echo(second)),
        asyncio.ensure_future(run.collect(first)),
    ]
    try:
        await run.send(first)
        try:
            async with asyncio.timeout(LAST_PATIENCE):
                await run.is_complete.wait()
        except TimeoutError:
            pass  # what has not come by now is lost
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return run.result()


class _Run:
    """One measurement; packets of others, or of a run before, do not count."""

    def __init__(self, packets: int) -> None:
        self._packets = packets
        self._id = os.urandom(8)
        self._now = asyncio.get_running_loop().time
        self._sent_at: dict[int, float] = {}
        self._echoed_at: dict[int, float] = {}
        self._back_at: dict[int, float] = {}
        self.is_complete = asyncio.Event()

    async def send(self, end: End) -> None:
        for number in range(self._packets):
            self._sent_at[number] = self._now()
            end.send(self._packet(number, is_echo=False))
            await asyncio.sleep(INTERVAL)

    async def echo(self, end: End) -> None:
        while True:
            number = self._number(await end.receive(), is_echo=False)
            if number is not None and number not in self._echoed_at:
                self._echoed_at[number] = self._now()
                end.send(self._packet(number, is_echo=True))

    async def collect(self, end: End) -> None:
        while True:
            number = self._number(await end.receive(), is_echo=True)
            if number is not None:
                self._back_at.setdefault(number, self._now())
                if len(self._back_at) == self._packets:
                    self.is_complete.set()

    def result(self) -> RoundTrip:
        return RoundTrip(
            _direction(self._sent_at, self._echoed_at), _direction(self._echoed_at, self._back_at)
        )

    def _packet(self, number: int, *, is_echo: bool) -> bytes:
        return _HEAD.pack(self._id, number, is_echo).ljust(PACKET_BYTES, b"\0")

    def _number(self, data: bytes, *, is_echo: bool) -> int | None:
        if len(data) != PACKET_BYTES:
            return None
        run, number, kind = _HEAD.unpack_from(data)
        is_ours = run == self._id and kind == is_echo and number < self._packets
        return int(number) if is_ours else None


def _direction(sent_at: dict[int, float], arrived_at: dict[int, float]) -> Direction:
    delays = tuple(1000 * (at - sent_at[number]) for number, at in arrived_at.items())
    return Direction(len(sent_at), delays)
