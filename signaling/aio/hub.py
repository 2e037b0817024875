"""Runs the routers of all channels that somebody is connected to."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from signaling.channel import Channel, ChannelArn
from signaling.routing import ChannelRouter, Connection, Displaced, Role, TextReady

logger = logging.getLogger(__name__)


class Peer(Protocol):
    """One open WebSocket, as the hub sees it. Neither call blocks or raises."""

    def send_text(self, text: str) -> None: ...

    def send_away(self, reason: str) -> None: ...


class ChannelHub:
    """One router per channel, made when the first peer comes and forgotten with the last.

    Must be used from one event loop.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._routers: dict[ChannelArn, ChannelRouter] = {}
        self._peers: dict[Connection, Peer] = {}
        self._timers: dict[ChannelArn, asyncio.TimerHandle] = {}

    def viewers(self, arn: ChannelArn) -> tuple[str, ...]:
        """The client ids of the viewers connected to a channel."""
        router = self._routers.get(arn)
        return router.viewers if router else ()

    def has_master(self, arn: ChannelArn) -> bool:
        router = self._routers.get(arn)
        return router is not None and router.has_master

    def message_ttl(self, arn: ChannelArn) -> float | None:
        """Seconds that a message sent now would wait; None if nobody is on the channel."""
        router = self._routers.get(arn)
        return router.message_ttl if router else None

    def join(self, channel: Channel, role: Role, client_id: str | None, peer: Peer) -> Connection:
        """Give a peer its place on a channel; messages that waited are sent to it.

        Raises:
            ServiceError: the viewer's id is bad, or the channel is full.
        """
        router = self._routers.get(channel.arn) or ChannelRouter()
        router.message_ttl = float(channel.message_ttl_seconds)
        connection = router.connect(role, client_id, self._loop.time())
        self._routers[channel.arn] = router
        self._peers[connection] = peer
        logger.info("%s %s joined %s", role.value.lower(), client_id or "", channel.name)
        self._drain(channel.arn, router)
        return connection

    def receive(self, arn: ChannelArn, connection: Connection, text: str) -> None:
        """Take one text frame that a peer sent."""
        router = self._routers.get(arn)
        if router is not None:
            router.receive(connection, text, self._loop.time())
            self._drain(arn, router)

    def leave(self, arn: ChannelArn, connection: Connection) -> None:
        """A peer's WebSocket is closed: its place is free at once."""
        self._peers.pop(connection, None)
        router = self._routers.get(arn)
        if router is not None:
            router.disconnect(connection)
            logger.info(
                "%s %s left %s", connection.role.value.lower(), connection.client_id or "", arn.name
            )
            self._drain(arn, router)

    def update(self, channel: Channel) -> None:
        """A channel's message TTL changed; what waits already keeps the old one."""
        router = self._routers.get(channel.arn)
        if router is not None:
            router.message_ttl = float(channel.message_ttl_seconds)

    def close_channel(self, arn: ChannelArn, reason: str) -> None:
        """Send everybody on a channel away."""
        router = self._routers.get(arn)
        if router is not None:
            router.close(reason)
            self._drain(arn, router)

    def close(self, reason: str) -> None:
        """Send everybody away; no timer stays."""
        for arn in list(self._routers):
            self.close_channel(arn, reason)

    def _drain(self, arn: ChannelArn, router: ChannelRouter) -> None:
        while (event := router.poll_event()) is not None:
            match event:
                case TextReady(connection, text) if connection in self._peers:
                    self._peers[connection].send_text(text)
                case Displaced(connection, reason) if connection in self._peers:
                    self._peers.pop(connection).send_away(reason)
                case _:
                    pass
        timer = self._timers.pop(arn, None)
        if timer is not None:
            timer.cancel()
        if router.is_idle:
            self._routers.pop(arn, None)
        elif (deadline := router.next_timeout()) is not None:
            self._timers[arn] = self._loop.call_at(deadline, self._expire, arn, deadline)

    def _expire(self, arn: ChannelArn, deadline: float) -> None:
        router = self._routers[arn]
        router.handle_timeout(max(deadline, self._loop.time()))
        self._drain(arn, router)
