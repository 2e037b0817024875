"""ConnectAsMaster and ConnectAsViewer: the WebSocket end of the service."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import WSCloseCode, WSMsgType, web

from signaling.channel import Channel
from signaling.errors import ErrorName, ServiceError
from signaling.messages import MAX_MESSAGE_CHARACTERS
from signaling.pending import MAX_CHARACTERS_PER_RECIPIENT, MAX_MESSAGES_PER_RECIPIENT
from signaling.routing import Role

from .hub import ChannelHub

logger = logging.getLogger(__name__)

PING_INTERVAL = 5.0
"""Seconds of silence before a ping. A pong missed for half as long frees the place."""

MAX_WAITING_TEXTS = 2 * MAX_MESSAGES_PER_RECIPIENT
"""Frames that may wait for a slow peer: all that waited before it came, and as many more.
A peer that reads slower than that is sent away."""

MAX_WAITING_CHARACTERS = 2 * MAX_CHARACTERS_PER_RECIPIENT
"""The same in characters."""


class QueuedPeer:
    """A queue in front of one WebSocket, so that a slow reader delays nobody else."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._texts: asyncio.Queue[str | None] = asyncio.Queue()
        self._waiting_characters = 0
        self._is_leaving = False
        self.close_code = WSCloseCode.OK
        self.close_reason = ""

    def send_text(self, text: str) -> None:
        if self._is_leaving:
            return
        self._texts.put_nowait(text)
        self._waiting_characters += len(text)
        if (
            self._texts.qsize() > MAX_WAITING_TEXTS
            or self._waiting_characters > MAX_WAITING_CHARACTERS
        ):
            while not self._texts.empty():
                self._texts.get_nowait()
            self.send_away("reads too slowly")

    def send_away(self, reason: str) -> None:
        if not self._is_leaving:
            self._is_leaving = True
            self.close_code, self.close_reason = WSCloseCode.GOING_AWAY, reason
            self._texts.put_nowait(None)

    async def write(self) -> None:
        """Send what is queued until it ends, then close the socket."""
        try:
            while (text := await self._texts.get()) is not None:
                await self._socket.send_str(text)
                self._waiting_characters -= len(text)
        except (ConnectionError, RuntimeError) as error:
            logger.debug("a signaling peer went away: %s", error)
        await self._socket.close(code=self.close_code, message=self.close_reason.encode()[:120])


async def serve_websocket(
    request: web.Request, role: Role, channel: Channel, *, hub: ChannelHub
) -> web.StreamResponse:
    """Serve one connection from handshake to close. The signature was verified before.

    Raises:
        ServiceError: the handshake is refused.
    """
    arn = channel.arn
    socket = web.WebSocketResponse(
        heartbeat=PING_INTERVAL, protocols=("wss",), max_msg_size=4 * MAX_MESSAGE_CHARACTERS
    )
    if not socket.can_prepare(request):
        raise ServiceError(ErrorName.INVALID_ARGUMENT, "this address is for WebSockets")
    peer = QueuedPeer(socket)
    # The place is taken before the handshake is answered, so that a full channel can refuse it.
    connection = hub.join(channel, role, request.query.get("X-Amz-ClientId"), peer)
    try:
        await socket.prepare(request)
        writer = asyncio.create_task(peer.write())
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    hub.receive(arn, connection, message.data)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
    finally:
        hub.leave(arn, connection)
    return socket
