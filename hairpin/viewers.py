"""A master's end of one viewer: a peer connection, and what happens to it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from media import MediaKind
from media.aio import PeerConnection
from media.session import (
    ConnectionState,
    ConnectionStateChanged,
    LocalCandidate,
    LocalDescription,
    SessionConfig,
    SessionError,
)
from sdp import SdpError, SdpType
from signaling import RemoteCandidate
from transport import DecodeError, Event
from transport.dtls import DtlsCertificate

from .broadcast import Broadcast

logger = logging.getLogger(__name__)

ENDED = (ConnectionState.FAILED, ConnectionState.CLOSED)


class ViewerConnection:
    """One viewer of a broadcast, from its offer to its end.

    ``send_candidate`` is called with each local candidate, ``on_end`` once when the
    connection failed or the viewer closed it.
    """

    def __init__(
        self,
        client_id: str,
        broadcast: Broadcast,
        *,
        config: SessionConfig,
        certificate: DtlsCertificate,
        loopback: bool,
        send_candidate: Callable[[RemoteCandidate], None],
        on_end: Callable[[ViewerConnection], None],
    ) -> None:
        self.client_id = client_id
        self._send_candidate = send_candidate
        self._on_end = on_end
        self._answered = False
        self._early: list[RemoteCandidate] = []
        self.connection = PeerConnection(
            config=config, certificate=certificate, on_event=self._on_event, loopback=loopback
        )
        for kind in MediaKind:
            renditions = broadcast.of_kind(kind)
            if renditions:
                self.connection.add_track(*renditions, stream_ids=("hairpin",))

    async def answer(self, offer: str) -> LocalDescription:
        """Take the viewer's offer.

        Raises:
            SdpError: it cannot be read or negotiated.
        """
        await self.connection.set_remote_description(SdpType.OFFER, offer)
        answer = await self.connection.create_answer()
        return answer

    async def begin(self, answer: LocalDescription) -> None:
        """Start gathering and checking; to be called when the answer is on its way, so
        that no candidate overtakes it."""
        await self.connection.set_local_description(answer)
        self._answered = True
        for candidate in self._early:
            await self.add_candidate(candidate)
        self._early.clear()

    async def add_candidate(self, candidate: RemoteCandidate) -> None:
        """Take a candidate of the viewer; one that cannot be read is dropped."""
        if not self._answered:
            self._early.append(candidate)
            return
        try:
            await self.connection.add_ice_candidate(
                candidate.candidate,
                mid=candidate.sdp_mid,
                media_index=candidate.sdp_m_line_index,
                username_fragment=candidate.username_fragment,
            )
        except (DecodeError, SdpError, SessionError) as error:
            logger.info("dropped a candidate of viewer %s: %s", self.client_id, error)

    async def close(self) -> None:
        """Say goodbye to the viewer."""
        await self.connection.close()

    def _on_event(self, event: Event) -> None:
        match event:
            case LocalCandidate(candidate, mid, index, fragment) if candidate:
                # KVS has no end of candidates: an empty one is not sent.
                self._send_candidate(RemoteCandidate(candidate, mid, index, fragment))
            case ConnectionStateChanged(state, reason):
                logger.info("viewer %s: %s %s", self.client_id, state.value, reason)
                if state in ENDED:
                    asyncio.get_running_loop().call_soon(self._on_end, self)
            case _:
                pass
