"""A relayed transport address, and what its client does with it (RFC 8656)."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable

from transport import TransportAddress

from .building import MessageBuilder, channel_data, channel_number, u32
from .client import Attribute, Client, Value, xor
from .codes import Attr, Class, Method
from .outcome import NotOffered, Unanswered, Violated
from .reading import ReceivedMessage

UDP: Attribute = (Attr.REQUESTED_TRANSPORT, bytes([17, 0, 0, 0]))
"""What Allocate has to have: REQUESTED-TRANSPORT."""


@dataclasses.dataclass(slots=True)
class Allocation:
    """A relayed transport address, and the client that has it."""

    client: Client
    response: ReceivedMessage
    relayed: TransportAddress

    async def permit(self, *peers: TransportAddress) -> ReceivedMessage:
        """CreatePermission for these peers."""
        attributes = [xor(Attr.XOR_PEER_ADDRESS, peer) for peer in peers]
        return await self.client.authenticated(Method.CREATE_PERMISSION, *attributes)

    async def bind(self, number: int, peer: TransportAddress) -> ReceivedMessage:
        """ChannelBind."""
        return await self.client.authenticated(
            Method.CHANNEL_BIND,
            (Attr.CHANNEL_NUMBER, channel_number(number)),
            xor(Attr.XOR_PEER_ADDRESS, peer),
        )

    async def refresh(self, *attributes: Attribute) -> ReceivedMessage:
        return await self.client.authenticated(Method.REFRESH, *attributes)

    async def delete(self) -> ReceivedMessage:
        return await self.refresh((Attr.LIFETIME, u32(0)))

    def indication(self, peer: TransportAddress, data: bytes, *more: Attribute) -> MessageBuilder:
        """A Send indication."""
        payload: tuple[int, Value] = (Attr.DATA, data)
        attributes = (xor(Attr.XOR_PEER_ADDRESS, peer), payload, *more)
        return self.client.begin(Method.SEND, Class.INDICATION, *attributes)

    async def send(self, peer: TransportAddress, data: bytes, *more: Attribute) -> None:
        """Send a Send indication."""
        await self.client.send(self.indication(peer, data, *more).build())

    async def send_channel(self, number: int, data: bytes) -> None:
        """ChannelData, padded where it has to be."""
        message = channel_data(number, data)
        if self.client.link.is_stream:
            message += bytes(-len(message) % 4)
        await self.client.send(message)


async def delete_granted(client: Client, response: ReceivedMessage) -> None:
    """Delete what this answer to an Allocate has granted, if it has: see ``clear_up``.

    Raises:
        Unanswered: the server answers nothing any more.
    """
    if response.message_class is Class.SUCCESS:
        await clear_up(client, client.authenticated(Method.REFRESH, (Attr.LIFETIME, u32(0))))


async def clear_up(client: Client, deletion: Awaitable[ReceivedMessage]) -> None:
    """Ask for a deletion that a row is not about: what comes of it is for rows about Refresh.

    Raises:
        Unanswered: the server answers nothing any more.
    """
    try:
        await deletion
    except Unanswered:
        is_there = client.link.has_ended or await client.ask(client.message(Method.BINDING).build())
        if not is_there:
            raise
    except (Violated, NotOffered):
        pass
