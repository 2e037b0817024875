"""Data through a relay, both ways: what rows about permissions, indications and channels share."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
from collections.abc import Awaitable, Callable
from typing import Final, Self, TypeVar

from transport import DecodeError, TransportAddress

from .building import any_port
from .checks import mark_attribute
from .client import describe
from .codes import Attr, Class, Method
from .link import DatagramPort
from .outcome import Direction, Mark, NotOffered, Violated
from .probe import Allocation, Probe
from .reading import ReceivedChannelData, ReceivedMessage

T = TypeVar("T")

CHANNEL: Final = 0x4001

SHORT: Final = (*range(1, 10), 1200)
"""Bytes of data: around the padding, and near the most that fits everywhere."""

LONG: Final = (1472, 8000, 65_000)
"""Bytes that fit nowhere without fragments, or not at all: they may be lost."""

TRIES: Final = 3
"""Times that data is sent until it comes out: UDP loses some."""

QUIET: Final = 0.05
"""Seconds to look into the inbox of a socket."""

KEEPALIVE: Final = 25.0
"""Seconds between messages that hold NATs open, where a row waits for minutes."""

SINK: Final = any_port(ipaddress.ip_address("192.31.196.1"))
SINK6: Final = any_port(ipaddress.ip_address("2620:4f:8000::1"))
"""Public addresses of the AS112 project, which is there to swallow what nobody wants (RFC 7534
and 7535): peers for permissions. Rows send nothing to them."""

FORBIDDEN: Final = tuple(
    any_port(ipaddress.ip_address(text))
    for text in ("127.0.0.1", "169.254.169.254", "10.255.255.1", "224.0.0.1", "240.0.0.1")
)
"""Valid addresses that a careful relay does not reach."""


def at_port(of: TransportAddress, port: int = 9) -> TransportAddress:
    """The same IP address, at a port: that of the service that discards."""
    return TransportAddress(of.ip, port)


def pattern(size: int, seed: int = 0) -> bytes:
    """Data that is not like its neighbors, and is not zero at its end."""
    return bytes(1 + (each * 7 + size + seed) % 251 for each in range(size))


@dataclasses.dataclass(frozen=True, slots=True)
class Relayed:
    """What the server relays to a client: from ``peer`` (a Data indication), or on ``channel``.

    Neither is there for what cannot be read.
    """

    message: bytes
    data: bytes
    peer: TransportAddress | None = None
    channel: int | None = None

    @classmethod
    def read(cls, message: bytes) -> Self | None:
        """None for what carries no data: responses, and Data indications about ICMP."""
        if message and message[0] >= 0x40:
            with contextlib.suppress(DecodeError):
                channel_data = ReceivedChannelData.parse(message)
                return cls(message, channel_data.data, channel=channel_data.number)
            return cls(message, message)
        try:
            stun = ReceivedMessage.parse(message)
        except DecodeError:
            return cls(message, message)
        if stun.message_class is not Class.INDICATION or Attr.ICMP in stun.types:
            return None
        return cls._of_indication(stun)

    @classmethod
    def _of_indication(cls, stun: ReceivedMessage) -> Self:
        peer, data = None, stun.get(Attr.DATA)
        if stun.method == Method.DATA and data is not None:
            with contextlib.suppress(DecodeError):
                peer = stun.xor_address(Attr.XOR_PEER_ADDRESS)
        return cls(stun.data, stun.data if data is None else data, peer=peer)

    @property
    def mark(self) -> Mark:
        return Mark(self.message, 0, len(self.message))

    def __str__(self) -> str:
        size = f"{len(self.data)} bytes"
        if self.channel is not None:
            return f"{size} on channel {self.channel:#06x}"
        return size if self.peer is None else f"{size} from {self.peer} in a Data indication"


@dataclasses.dataclass(slots=True)
class Pair:
    """A client with an allocation, and a peer."""

    probe: Probe
    allocation: Allocation
    peer: DatagramPort

    async def with_peer(self) -> Pair:
        """The same allocation, and another peer at the same IP address."""
        return Pair(self.probe, self.allocation, await self.probe.peer())

    async def permit(self) -> None:
        """Raises:
        NotOffered: the permission is refused.
        """
        _need(await self.allocation.permit(self.peer.local), "CreatePermission")

    async def bind(self, number: int = CHANNEL) -> None:
        """Raises:
        NotOffered: the channel binding is refused.
        """
        _need(await self.allocation.bind(number, self.peer.local), "ChannelBind")

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


def expect_arrival(found: tuple[bytes, TransportAddress] | None, data: bytes, *, of: str) -> None:
    """That the peer has received just these bytes.

    Raises:
        Violated: it has not.
    """
    if found is None:
        raise Violated(f"nothing comes out at the peer of {of} with {len(data)} bytes")
    if found[0] != data:
        received = found[0]
        detail = f"of {of} with {len(data)} bytes, {len(received)} {_other(received, data)}"
        raise Violated(f"{detail} come out at the peer", _first_difference(received, data))


def expect_relayed(
    found: Relayed | None,
    data: bytes,
    *,
    peer: TransportAddress | None = None,
    channel: int | None = None,
) -> None:
    """That the client was told of these bytes in the way it must be.

    Raises:
        Violated: it was not.
    """
    way = "a Data indication" if channel is None else f"ChannelData on {channel:#06x}"
    if found is None:
        raise Violated(f"a peer's {len(data)} bytes do not come to the client: no {way}")
    if (found.peer is None, found.channel) != (peer is None, channel):
        raise Violated(f"the client receives {found}, not {way}", found.mark)
    if found.peer != peer:
        message = ReceivedMessage.parse(found.message)
        mark = mark_attribute(message, Attr.XOR_PEER_ADDRESS) or found.mark
        raise Violated(f"XOR-PEER-ADDRESS says {found.peer}, not {peer}", mark)
    if found.data != data:
        other = _other(found.data, data)
        detail = f"of {len(data)} bytes, {len(found.data)} {other} come to the client"
        raise Violated(detail, found.mark)


async def stay(probe: Probe, until: float, *allocations: Allocation, refresh: bool = True) -> None:
    """Wait until that time, and keep allocations alive (or NATs alone, if told so).

    Neither does Refresh refresh permissions and channels, nor a Binding indication anything.
    """
    while (left := until - probe.wire.now()) > 0:
        await probe.wire.sleep(min(left, KEEPALIVE))
        for allocation in allocations:
            client = allocation.client
            if refresh:
                _need(await allocation.refresh(), "Refresh")
            else:
                await client.send(client.begin(Method.BINDING, Class.INDICATION).build())


def _need(response: ReceivedMessage, what: str) -> None:
    if response.message_class is not Class.SUCCESS:
        raise NotOffered(f"{what} is met with {describe(response)}")


def _other(found: bytes, data: bytes) -> str:
    return "other bytes" if len(found) == len(data) else "bytes"


def _first_difference(found: bytes, data: bytes) -> Mark:
    both = zip(found, data, strict=False)
    begin = next((at for at, (a, b) in enumerate(both) if a != b), min(len(found), len(data)))
    return Mark(found, begin, max(len(found), begin + 1))
