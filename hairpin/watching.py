"""A viewer's end of one session with the master."""

from __future__ import annotations

import asyncio
import logging

from media import MediaKind
from media.aio import PeerConnection, RemoteTrack
from media.session import (
    ConnectionState,
    ConnectionStateChanged,
    LocalCandidate,
    SessionConfig,
    SessionError,
)
from sdp import Direction, SdpType
from signaling import Description, DescriptionType, RemoteCandidate, SignalingError
from transport import Event

from .candidates import signaled, take_candidate
from .early import MAX_CANDIDATES
from .kept_signaling import KeptSignaling
from .reception import Reception

logger = logging.getLogger(__name__)

ANSWER_PATIENCE = 5.0
"""Seconds before the same offer is sent again: the master may have gone with the first."""

MAX_OFFERS = 12
"""A minute of them; then ICE servers and candidates are gathered anew."""

CONNECT_PATIENCE = 20.0
"""Seconds from the answer to the first path; checks of all pairs take less."""

FIRST_PATIENCE = 15.0
"""Seconds from the first path to the first unit: a master that can make no key frame may
have to wait for its next one."""

MEDIA_PATIENCE = 4.0
"""Seconds without a unit after which the master is taken for gone. Consent would notice
after 15 (RFC 7675 section 5.1), while all the time somebody waits for a picture."""

ENDED = (ConnectionState.FAILED, ConnectionState.CLOSED)


class Watching:
    """Offers to receive from the master, and hands on what comes."""

    def __init__(
        self,
        signaling: KeptSignaling,
        reception: Reception,
        *,
        config: SessionConfig,
        loopback: bool,
    ) -> None:
        self._signaling = signaling
        self._reception = reception
        self._answered = asyncio.Event()
        self._ended = asyncio.Event()
        self._early: list[RemoteCandidate] = []
        self._outbox: asyncio.Queue[RemoteCandidate] = asyncio.Queue(MAX_CANDIDATES)
        self.connection = PeerConnection(config=config, on_event=self._on_event, loopback=loopback)
        self.connection.add_transceiver(
            MediaKind.VIDEO, direction=Direction.RECVONLY, codecs=reception.video_codecs()
        )
        self.connection.add_transceiver(MediaKind.AUDIO, direction=Direction.RECVONLY)

    async def run(self) -> None:
        """From the offer to the end of the connection.

        Raises:
            SessionError: no connection came of it, or the master ended it.
            TimeoutError: no answer came, or no media any more.
        """
        offer = await self.connection.create_offer()
        await self.connection.set_local_description(offer)
        await self._signaling.send_description(Description(DescriptionType.OFFER, offer.sdp))
        trickle = asyncio.create_task(self._trickle())
        try:
            await self._answer()
            async with asyncio.timeout(CONNECT_PATIENCE):
                await self.connection.connected()
            await self._receive()
        finally:
            trickle.cancel()
            await asyncio.gather(trickle, return_exceptions=True)

    async def take_answer(self, sdp: str) -> None:
        """Take the master's answer; a second one, to the same offer, says nothing new.

        Raises:
            SdpError: it cannot be read or negotiated.
        """
        if self._answered.is_set():
            return
        await self.connection.set_remote_description(SdpType.ANSWER, sdp)
        self._answered.set()
        early, self._early = self._early, []
        for candidate in early:
            await self.take_candidate(candidate)

    async def take_candidate(self, candidate: RemoteCandidate) -> None:
        """Take a candidate of the master, which may overtake its answer."""
        if self._answered.is_set():
            await take_candidate(self.connection, candidate, "the master")
        elif len(self._early) < MAX_CANDIDATES:
            self._early.append(candidate)

    async def _answer(self) -> None:
        """Wait for the answer, and remind the master, or whoever is master now."""
        for _ in range(MAX_OFFERS):
            try:
                async with asyncio.timeout(ANSWER_PATIENCE):
                    await self._answered.wait()
                return
            except TimeoutError:
                logger.info("no master answers yet")
            offer = self.connection.local_description
            assert offer is not None
            await self._signaling.connected.wait()
            try:
                await self._signaling.send_description(
                    Description(DescriptionType.OFFER, offer.sdp)
                )
            except SignalingError as error:
                logger.info("the offer was not sent: %s", error)
        raise TimeoutError("no master answers")

    async def _trickle(self) -> None:
        """Send candidates; one that is lost with the connection is in the next offer."""
        while True:
            candidate = await self._outbox.get()
            try:
                await self._signaling.send_candidate(candidate)
            except SignalingError as error:
                logger.debug("a candidate was not sent: %s", error)

    async def _receive(self) -> None:
        kinds = [
            section.kind
            for section in self.connection.media
            if section.kind is not None and section.direction.receives and not section.rejected
        ]
        if not kinds:
            raise SessionError("the master sends nothing that can be received")
        self._reception.begin(kinds)
        try:
            async with asyncio.timeout(FIRST_PATIENCE) as patience:
                readers = [
                    asyncio.create_task(self._read(track, patience))
                    for track in self.connection.remote_tracks
                ]
                try:
                    await self._ended.wait()
                finally:
                    for reader in readers:
                        reader.cancel()
                    await asyncio.gather(*readers, return_exceptions=True)
        except TimeoutError as error:
            raise TimeoutError("nothing comes any more") from error
        raise SessionError("the master ended the connection")

    async def _read(self, track: RemoteTrack, patience: asyncio.Timeout) -> None:
        clock = asyncio.get_running_loop().time
        async for received in track:
            self._reception.push(received)
            patience.reschedule(clock() + MEDIA_PATIENCE)

    def _on_event(self, event: Event) -> None:
        match event:
            case LocalCandidate() if (candidate := signaled(event)) is not None:
                if not self._outbox.full():
                    self._outbox.put_nowait(candidate)
            case ConnectionStateChanged(state, reason):
                logger.info("master: %s %s", state.value, reason)
                if state in ENDED:
                    self._ended.set()
            case _:
                pass
