"""Joins signaling with a peer connection: a viewer of a channel.

A viewer owns the life of its session, as KVS has it: it offers, and offers again when the
connection is lost. Signaling may come and go meanwhile; media goes on without it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable

from media.aio import PeerConnection
from media.session import SessionConfig, SessionError
from sdp import SdpError
from signaling import (
    PayloadError,
    ServiceEvent,
    SignalingError,
    decode_candidate,
    decode_description,
)

from .kept_signaling import Connect, Delays, KeptSignaling
from .reception import Reception
from .watching import Watching

logger = logging.getLogger(__name__)

Configure = Callable[[], Awaitable[SessionConfig]]


@dataclasses.dataclass(frozen=True, slots=True)
class ViewerOptions:
    """``connect`` makes a signaling connection with a fresh URL; ``configure`` makes the
    settings of the next session, with ICE servers that are valid now. Both may raise
    SignalingError."""

    connect: Connect
    configure: Configure
    loopback: bool = False


class ViewerSession:
    """Watches a channel: what its master sends goes into a reception, as long as it runs."""

    def __init__(self, reception: Reception, options: ViewerOptions) -> None:
        self._reception = reception
        self._options = options
        self._signaling = KeptSignaling(options.connect, self._take)
        self._watching: Watching | None = None

    @property
    def connected(self) -> asyncio.Event:
        """Set while there is a signaling connection."""
        return self._signaling.connected

    @property
    def connection(self) -> PeerConnection | None:
        """The peer connection of now."""
        return None if self._watching is None else self._watching.connection

    async def run(self) -> None:
        """Watch until cancelled.

        Raises:
            SignalingError: the first connection to the service could not be made.
        """
        watching = asyncio.create_task(self._keep_watching())
        signaling = asyncio.create_task(self._signaling.run())
        try:
            done, _ = await asyncio.wait((watching, signaling), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            # Goodbye to the master first, while there is somebody to say it.
            for task in (watching, signaling):
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _keep_watching(self) -> None:
        delays = Delays(asyncio.get_running_loop().time)
        while True:
            await self.connected.wait()
            delays.begin()
            try:
                await self._watch()
            except (SignalingError, SessionError, SdpError, TimeoutError) as error:
                logger.warning("watching again: %s", error or "nothing came for too long")
            await asyncio.sleep(delays.next())

    async def _watch(self) -> None:
        """One session with the master, from the offer to its end."""
        config = await self._options.configure()
        watching = Watching(
            self._signaling, self._reception, config=config, loopback=self._options.loopback
        )
        self._watching = watching
        try:
            await watching.run()
        finally:
            self._watching = None
            await self._reception.end(watching.connection)
            await watching.connection.close()

    async def _take(self, event: ServiceEvent) -> None:
        """One message of the master; what cannot be read is left."""
        watching = self._watching
        if watching is None or event.payload is None:
            return
        try:
            if event.message_type == "SDP_ANSWER":
                await watching.take_answer(decode_description(event.payload).sdp)
            elif event.message_type == "ICE_CANDIDATE":
                await watching.take_candidate(decode_candidate(event.payload))
        except (PayloadError, SdpError, SessionError) as error:
            logger.warning("refused %s of the master: %s", event.message_type, error)
