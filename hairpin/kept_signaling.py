"""A connection to a channel's signaling that is made again when it is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from signaling import Description, RemoteCandidate, ServiceEvent, SignalingError
from signaling.aio import ChannelUnreachable, SignalingConnection

logger = logging.getLogger(__name__)

RECONNECT_DELAYS = (0.2, 0.5, 1.0, 1.5)
"""Seconds before the next try to reach the signaling service; the last repeats. When the
service is started again, an open page has its picture back within five."""

STEADY_AFTER = 10.0
"""Seconds after which a connection that is lost counts as the first failure again. Two
masters of one channel displace each other: they shall not do so five times a second."""

Connect = Callable[[], Awaitable[SignalingConnection]]


class Delays:
    """How long to wait before the next try."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._begun = 0.0

    def begin(self) -> None:
        """A try begins."""
        self._begun = self._clock()

    def next(self) -> float:
        """It has failed, or what it achieved was lost."""
        if self._clock() - self._begun > STEADY_AFTER:
            self._failures = 0
        delay = RECONNECT_DELAYS[min(self._failures, len(RECONNECT_DELAYS) - 1)]
        self._failures += 1
        return delay


class KeptSignaling:
    """What is said over a channel, however often the connection has to be made.

    ``connect`` makes a connection with a fresh URL and may raise SignalingError; ``take``
    gets each message. ``connected`` is set while there is a connection.
    """

    def __init__(self, connect: Connect, take: Callable[[ServiceEvent], Awaitable[None]]) -> None:
        self._connect = connect
        self._take = take
        self._connection: SignalingConnection | None = None
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Stay connected until cancelled.

        Raises:
            SignalingError: the first connection could not be made.
        """
        was_connected = False
        delays = Delays(asyncio.get_running_loop().time)
        while True:
            delays.begin()
            try:
                async with await self._connect() as self._connection:
                    was_connected = True
                    self.connected.set()
                    await self._attend(self._connection)
                logger.warning("the signaling service closed the connection")
            except SignalingError as error:
                if not was_connected:
                    raise
                logger.warning("%s", error)
            finally:
                self._connection = None
                self.connected.clear()
            await asyncio.sleep(delays.next())

    async def send_description(
        self, description: Description, *, recipient: str | None = None
    ) -> None:
        """Send an offer or an answer; a master names the viewer.

        Raises:
            ChannelUnreachable: there is no connection now.
        """
        await self._there().send_description(description, recipient=recipient)

    async def send_candidate(
        self, candidate: RemoteCandidate, *, recipient: str | None = None
    ) -> None:
        """Send a candidate; as above."""
        await self._there().send_candidate(candidate, recipient=recipient)

    async def _attend(self, connection: SignalingConnection) -> None:
        async for event in connection:
            if event.message_type == "GO_AWAY":
                return  # the service will close this connection, and takes a new one now
            await self._take(event)

    def _there(self) -> SignalingConnection:
        if self._connection is None:
            raise ChannelUnreachable("signaling is gone")
        return self._connection
