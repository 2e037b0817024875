"""A client and a peer, and data through the relay between them, both ways."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from transport import TransportAddress, TransportProtocol

from .allocation import Allocation
from .codes import Class, Method
from .expect import need_success
from .link import MAX_RECORD, DatagramPort
from .outcome import Direction, Mark, NotOffered, Violated
from .probe import Probe
from .relayed import LONG, Relayed, expect_arrival

T = TypeVar("T")

CHANNEL: Final = 0x4001

TRIES: Final = 3
"""Times that data is sent until it comes out: UDP loses some."""

OVERHEAD: Final = 128
"""Bytes of a message beside the data that it carries."""

QUIET: Final = 0.05
"""Seconds to look into the inbox of a socket."""

KEEPALIVE: Final = 25.0
"""Seconds between messages that hold NATs open, where a row waits for minutes."""


@dataclasses.dataclass(slots=True)
class Pair:
    """A client with an allocation, and a peer."""

    probe: Probe
    allocation: Allocation
    peer: DatagramPort

    @property
    def long_sizes(self) -> tuple[int, ...]:
        """Bytes of data that may get lost; over DTLS those that a record has room for."""
        is_secured = self.probe.target.transport is TransportProtocol.DTLS
        most = MAX_RECORD - OVERHEAD if is_secured else max(LONG)
        return tuple(size for size in LONG if size <= most)

    async def with_peer(self) -> Pair:
        """The same allocation, and another peer at the same IP address."""
        return Pair(self.probe, self.allocation, await self.probe.peer())

    async def permit(self) -> None:
        """Raises:
        NotOffered: the permission is refused.
        """
        await need_success(self.allocation.permit(self.peer.local), "CreatePermission")

    async def bind(self, number: int = CHANNEL) -> None:
        """Raises:
        NotOffered: the channel binding is refused.
        """
        await need_success(self.allocation.bind(number, self.peer.local), "ChannelBind")

    # To the peer

    async def send(self, data: bytes) -> tuple[bytes, TransportAddress] | None:
        """What comes out at the peer of a Send indication, and from where."""
        return await self._carry(
            lambda: self.allocation.send(self.peer.local, data), self.peer.receive
        )

    async def send_channel(
        self, data: bytes, number: int = CHANNEL
    ) -> tuple[bytes, TransportAddress] | None:
        """What comes out at the peer of ChannelData, and from where."""
        return await self._carry(
            lambda: self.allocation.send_channel(number, data), self.peer.receive
        )

    async def carry(self, message: bytes) -> tuple[bytes, TransportAddress] | None:
        """What comes out at the peer of a message to the server, just as it is."""
        return await self._carry(lambda: self.allocation.client.send(message), self.peer.receive)

    async def expect_sent(self, data: bytes, *, how: str = "a Send indication") -> None:
        """Raises:
        Violated: other bytes come out, or none.
        """
        expect_arrival(await self.send(data), data, of=how)

    async def expect_sent_on_channel(self, data: bytes, number: int = CHANNEL) -> None:
        """Raises:
        Violated: other bytes come out, or none.
        """
        expect_arrival(await self.send_channel(data, number), data, of="ChannelData")

    async def silence_at_peer(self, *, why: str) -> None:
        """Raises:
        Violated: something comes out at the peer.
        """
        await self.probe.hears_nothing(self.peer, why=why)

    # To the client

    async def back(self, data: bytes) -> Relayed | None:
        """What the client is told of a datagram of the peer."""
        return await self._carry(
            lambda: self.peer.send(data, self.allocation.relayed), self.next_relayed
        )

    async def next_relayed(self, seconds: float) -> Relayed | None:
        """The next data for the client."""
        client, now = self.allocation.client, self.probe.wire.now
        deadline = now() + seconds
        while (left := deadline - now()) > 0:
            message = await client.next_message(left)
            if message is None:
                return None
            relayed = Relayed.read(message)
            if relayed is not None:
                return relayed
        return None

    async def silence_at_client(self, *, why: str) -> None:
        """Raises:
        Violated: data comes out at the client.
        """
        relayed = await self.next_relayed(self.probe.target.silence)
        if relayed is not None:
            raise Violated(f"{why}: the client receives {relayed}", relayed.mark)

    # Both

    async def need_both_ways(self, *, when: str) -> None:
        """That data passes, as a row needs it to show what it is about.

        Raises:
            NotOffered: it does not.
        """
        if await self.send(b"out") is None or await self.back(b"back") is None:
            raise NotOffered(f"{when} data does not pass")

    async def passes(self) -> bool:
        """Whether the peer's data comes to the client."""
        return await self.back(b"back") is not None

    async def expect_drop(self, message: bytes, *, why: str) -> None:
        """That a message to the server goes nowhere and is not answered.

        Raises:
            Violated: it does not.
        """
        await self.allocation.client.send(message)
        await self.silence_at_peer(why=why)
        await self._expect_no_answer(message, why=why)

    async def _expect_no_answer(self, message: bytes, *, why: str) -> None:
        while (answer := await self.allocation.client.next_message(QUIET)) is not None:
            is_response = answer[:1] == b"\x01"
            if answer[8:20] == message[8:20] or (is_response and not self._is_late(answer)):
                raise Violated(f"{why} is answered", Mark(answer, 0, len(answer)))

    def _is_late(self, answer: bytes) -> bool:
        """Whether it answers a request of before, that was sent twice."""
        frames = self.probe.record.frames
        return any(
            each.direction is Direction.SENT and each.data[8:20] == answer[8:20] for each in frames
        )

    async def _carry(
        self,
        send: Callable[[], Awaitable[None]],
        receive: Callable[[float], Awaitable[T | None]],
    ) -> T | None:
        """Send until something comes out; what comes twice of that is thrown away."""
        for attempt in range(TRIES):
            await send()
            found = await receive(self.probe.target.patience / TRIES)
            if found is not None:
                while attempt and await receive(QUIET) is not None:
                    pass
                return found
        return None


async def pair(probe: Probe) -> Pair:
    """A client and a peer; no permission yet.

    Raises:
        NotOffered: there is no allocation to be had.
    """
    return Pair(probe, await probe.allocate(), await probe.peer())


async def permitted_pair(probe: Probe) -> Pair:
    """A client and a peer with a permission.

    Raises:
        NotOffered: one of them is not to be had.
    """
    made = await pair(probe)
    await made.permit()
    return made


async def bound_pair(probe: Probe, number: int = CHANNEL) -> Pair:
    """A client and a peer with a channel.

    Raises:
        NotOffered: one of them is not to be had.
    """
    made = await pair(probe)
    await made.bind(number)
    return made


async def stay(probe: Probe, until: float, *allocations: Allocation, refresh: bool = True) -> None:
    """Wait until that time, and keep allocations alive (or NATs alone, if told so).

    Neither does Refresh refresh permissions and channels, nor a Binding indication anything.
    """
    while (left := until - probe.wire.now()) > 0:
        await probe.wire.sleep(min(left, KEEPALIVE))
        for allocation in allocations:
            client = allocation.client
            if refresh:
                await need_success(allocation.refresh(), "Refresh")
            else:
                await client.send(client.begin(Method.BINDING, Class.INDICATION).build())
