"""Joins signaling with peer connections: the master of a channel."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
from collections.abc import Awaitable, Callable

from media.session import LocalDescription, SessionConfig, SessionError
from sdp import SdpError
from signaling import (
    Description,
    DescriptionType,
    PayloadError,
    RemoteCandidate,
    ServiceEvent,
    SignalingError,
    decode_candidate,
    decode_description,
)
from signaling.aio import ChannelUnreachable, SignalingConnection
from transport.dtls import DtlsCertificate

from .broadcast import Broadcast
from .viewers import ViewerConnection

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 24
"""Ten viewers, as many whose end was not noticed yet (consent takes 30 s), and some more."""

RECONNECT_DELAYS = (0.2, 1.0, 2.0, 5.0)
"""Seconds before the next try to reach the signaling service; the last repeats."""

Connect = Callable[[], Awaitable[SignalingConnection]]
Configure = Callable[[], Awaitable[SessionConfig]]


@dataclasses.dataclass(frozen=True, slots=True)
class MasterOptions:
    """``connect`` makes a signaling connection with a fresh URL; ``configure`` makes the
    settings of the next viewer's session, with ICE servers that are valid now."""

    connect: Connect
    configure: Configure
    loopback: bool = False


class MasterSession:
    """Answers every viewer's offer with the broadcast, and keeps the channel.

    Signaling that is lost is connected again; viewers go on meanwhile.
    """

    def __init__(self, broadcast: Broadcast, options: MasterOptions) -> None:
        self._broadcast = broadcast
        self._options = options
        self._certificate = DtlsCertificate.generate(os.urandom)
        self._viewers: dict[str, ViewerConnection] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._signaling: SignalingConnection | None = None
        self._outbox: asyncio.Queue[tuple[str, RemoteCandidate]] = asyncio.Queue()
        self.connected = asyncio.Event()

    @property
    def viewers(self) -> tuple[ViewerConnection, ...]:
        """Those whose connection has not ended."""
        return tuple(self._viewers.values())

    async def run(self) -> None:
        """Serve viewers until cancelled; then every connection is closed."""
        sender = asyncio.create_task(self._send_candidates())
        try:
            await self._keep_connected()
        finally:
            sender.cancel()
            ending = [viewer.close() for viewer in self._viewers.values()]
            self._viewers.clear()
            await asyncio.gather(sender, *ending, *self._closing, return_exceptions=True)

    async def _keep_connected(self) -> None:
        failures = 0
        while True:
            try:
                async with await self._options.connect() as self._signaling:
                    failures = 0
                    self.connected.set()
                    async for event in self._signaling:
                        await self._take(event)
                logger.warning("the signaling service closed the connection")
            except SignalingError as error:
                logger.warning("%s", error)
            finally:
                self._signaling = None
                self.connected.clear()
            await asyncio.sleep(RECONNECT_DELAYS[min(failures, len(RECONNECT_DELAYS) - 1)])
            failures += 1

    async def _take(self, event: ServiceEvent) -> None:
        """One message of a viewer; what cannot be read harms nobody else."""
        if event.sender is None or event.payload is None:
            return
        try:
            if event.message_type == "SDP_OFFER":
                await self._answer(event.sender, decode_description(event.payload))
            elif event.message_type == "ICE_CANDIDATE":
                viewer = self._viewers.get(event.sender)
                if viewer is not None:
                    await viewer.add_candidate(decode_candidate(event.payload))
        except (PayloadError, SdpError, SessionError) as error:
            logger.warning("refused %s of viewer %s: %s", event.message_type, event.sender, error)

    async def _answer(self, client_id: str, offer: Description) -> None:
        """A new offer of a viewer that is here means that it begins anew."""
        self._forget(self._viewers.get(client_id))
        if len(self._viewers) >= MAX_CONNECTIONS:
            raise SessionError(f"there are {MAX_CONNECTIONS} connections already")
        viewer = ViewerConnection(
            client_id,
            self._broadcast,
            config=await self._options.configure(),
            certificate=self._certificate,
            loopback=self._options.loopback,
            send_candidate=lambda candidate: self._outbox.put_nowait((client_id, candidate)),
            on_end=self._forget,
        )
        self._viewers[client_id] = viewer
        try:
            answer = await viewer.answer(offer.sdp)
            await self._send_answer(client_id, answer)
            await viewer.begin(answer)
        except BaseException:
            self._forget(viewer)
            raise
        logger.info("viewer %s: answered", client_id)

    async def _send_answer(self, client_id: str, answer: LocalDescription) -> None:
        if self._signaling is None:
            raise ChannelUnreachable("signaling is gone")
        description = Description(DescriptionType.ANSWER, answer.sdp)
        await self._signaling.send_description(description, recipient=client_id)

    async def _send_candidates(self) -> None:
        while True:
            client_id, candidate = await self._outbox.get()
            if self._signaling is None:
                continue  # the viewer learns the candidate as peer-reflexive, or offers again
            try:
                await self._signaling.send_candidate(candidate, recipient=client_id)
            except SignalingError as error:
                logger.debug("a candidate was not sent: %s", error)

    def _forget(self, viewer: ViewerConnection | None) -> None:
        if viewer is None:
            return
        if self._viewers.get(viewer.client_id) is viewer:
            del self._viewers[viewer.client_id]
        task = asyncio.create_task(viewer.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
