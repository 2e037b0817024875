"""Joins signaling with peer connections: the master of a channel.

Viewers own the life of their sessions, as KVS has it: a master never offers. When the path
to a viewer breaks, its connection is *disconnected* after some 15 s without consent and
*failed* after 30 s (RFC 7675 section 5.1); only then is it closed. Until then the viewer may
offer again: an offer of the same session restarts ICE in place, any other begins anew.
"""

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
from transport.dtls import DtlsCertificate

from .broadcast import Broadcast
from .early import EarlyCandidates
from .kept_signaling import Connect, KeptSignaling
from .viewers import ViewerConnection

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 24
"""Ten viewers, as many whose end was not noticed yet (consent takes 30 s), and some more.
Beyond, those that are cut off make room."""

MAX_WAITING_CANDIDATES = 256
"""Local candidates that wait to be sent: ten for each connection. A viewer that misses one
learns it as peer-reflexive from our checks."""

Configure = Callable[[], Awaitable[SessionConfig]]


@dataclasses.dataclass(frozen=True, slots=True)
class MasterOptions:
    """``connect`` makes a signaling connection with a fresh URL; ``configure`` makes the
    settings of the next viewer's session, with ICE servers that are valid now. Both may
    raise SignalingError."""

    connect: Connect
    configure: Configure
    loopback: bool = False


class MasterSession:
    """Answers every viewer's offer with the broadcast, and keeps the channel.

    Signaling that is lost is connected again; viewers go on meanwhile. A viewer that
    cannot be answered is told nothing, as KVS has no word for it; the log says why.
    """

    def __init__(self, broadcast: Broadcast, options: MasterOptions) -> None:
        self._broadcast = broadcast
        self._options = options
        self._certificate = DtlsCertificate.generate(os.urandom)
        self._viewers: dict[str, ViewerConnection] = {}
        self._early = EarlyCandidates()
        self._answering: dict[str, asyncio.Task[None]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._signaling = KeptSignaling(options.connect, self._take)
        self._outbox: asyncio.Queue[tuple[ViewerConnection, RemoteCandidate]] = asyncio.Queue(
            MAX_WAITING_CANDIDATES
        )

    @property
    def connected(self) -> asyncio.Event:
        """Set while there is a signaling connection."""
        return self._signaling.connected

    @property
    def viewers(self) -> tuple[ViewerConnection, ...]:
        """Those whose connection has not ended."""
        return tuple(self._viewers.values())

    async def run(self) -> None:
        """Serve viewers until cancelled; then every connection is closed.

        Raises:
            SignalingError: the first connection could not be made.
        """
        sender = asyncio.create_task(self._send_candidates())
        try:
            await self._signaling.run()
        finally:
            tasks = [sender, *self._answering.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            ending = [viewer.close() for viewer in self._viewers.values()]
            self._viewers.clear()
            await asyncio.gather(*ending, *self._closing, return_exceptions=True)

    async def _take(self, event: ServiceEvent) -> None:
        """One message of a viewer; what cannot be read harms nobody else."""
        if event.sender is None or event.payload is None:
            return
        try:
            if event.message_type == "SDP_OFFER":
                self._take_offer(event.sender, decode_description(event.payload))
            elif event.message_type == "ICE_CANDIDATE":
                await self._take_candidate(event.sender, decode_candidate(event.payload))
        except (PayloadError, SdpError, SessionError) as error:
            logger.warning("refused %s of viewer %s: %s", event.message_type, event.sender, error)

    async def _take_candidate(self, client_id: str, candidate: RemoteCandidate) -> None:
        viewer = self._viewers.get(client_id)
        if viewer is not None and viewer.expects(candidate):
            await viewer.add_candidate(candidate)
        else:
            self._early.keep(client_id, candidate)

    def _take_offer(self, client_id: str, offer: Description) -> None:
        """The newest offer of a viewer is the one that counts."""
        unfinished = self._answering.pop(client_id, None)
        if unfinished is not None:
            unfinished.cancel()
        viewer = self._viewers.get(client_id)
        if viewer is not None and (unfinished is not None or not viewer.continues(offer.sdp)):
            self._forget(viewer)
            viewer = None
        if viewer is None and len(self._viewers) + len(self._answering) >= MAX_CONNECTIONS:
            self._make_room()
        task = asyncio.create_task(self._serve(client_id, offer, viewer))
        self._answering[client_id] = task
        task.add_done_callback(lambda task: self._answered(client_id, task))

    def _make_room(self) -> None:
        """Let a connection go that was cut off: its viewer may come back, this one is here."""
        for viewer in self._viewers.values():
            if viewer.is_cut_off:
                logger.info("viewer %s: makes room for another", viewer.client_id)
                self._forget(viewer)
                return
        raise SessionError(f"there are {MAX_CONNECTIONS} connections already")

    async def _serve(
        self, client_id: str, offer: Description, viewer: ViewerConnection | None
    ) -> None:
        """Answer beside the other viewers: none waits for the ICE servers of another."""
        try:
            await self._answer(viewer or await self._admit(client_id), offer)
        except (SdpError, SessionError, SignalingError) as error:
            logger.warning("viewer %s got no answer: %s", client_id, error)

    async def _admit(self, client_id: str) -> ViewerConnection:
        config = await self._options.configure()
        viewer = ViewerConnection(
            client_id,
            self._broadcast,
            config=config,
            certificate=self._certificate,
            loopback=self._options.loopback,
            send_candidate=self._queue_candidate,
            on_end=self._forget,
        )
        self._viewers[client_id] = viewer
        return viewer

    async def _answer(self, viewer: ViewerConnection, offer: Description) -> None:
        try:
            answer = await viewer.answer(offer.sdp)
            for candidate in self._early.take(viewer.client_id):
                await viewer.add_candidate(candidate)
            await self._send_answer(viewer.client_id, answer)
            await viewer.begin(answer)
        except BaseException:
            self._forget(viewer)
            raise
        logger.info("viewer %s: answered", viewer.client_id)

    def _answered(self, client_id: str, task: asyncio.Task[None]) -> None:
        if self._answering.get(client_id) is task:
            del self._answering[client_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("viewer %s: failed to answer", client_id, exc_info=error)

    async def _send_answer(self, client_id: str, answer: LocalDescription) -> None:
        description = Description(DescriptionType.ANSWER, answer.sdp)
        await self._signaling.send_description(description, recipient=client_id)

    def _queue_candidate(self, viewer: ViewerConnection, candidate: RemoteCandidate) -> None:
        try:
            self._outbox.put_nowait((viewer, candidate))
        except asyncio.QueueFull:
            logger.info("a candidate for viewer %s was dropped", viewer.client_id)

    async def _send_candidates(self) -> None:
        while True:
            viewer, candidate = await self._outbox.get()
            await self.connected.wait()
            if self._viewers.get(viewer.client_id) is not viewer:
                continue
            try:
                await self._signaling.send_candidate(candidate, recipient=viewer.client_id)
            except SignalingError as error:
                logger.debug("a candidate was not sent: %s", error)

    def _forget(self, viewer: ViewerConnection) -> None:
        if self._viewers.get(viewer.client_id) is viewer:
            del self._viewers[viewer.client_id]
        task = asyncio.create_task(viewer.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
