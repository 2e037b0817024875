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
from sdp import SdpType, SessionDescription
from signaling import RemoteCandidate
from transport import Event
from transport.dtls import DtlsCertificate

from .broadcast import Broadcast
from .candidates import signaled, take_candidate
from .choices import Choice, choices
from .early import MAX_CANDIDATES

logger = logging.getLogger(__name__)

ENDED = (ConnectionState.FAILED, ConnectionState.CLOSED)


class ViewerConnection:
    """One viewer of a broadcast, from its offer to its end.

    ``send_candidate`` is called with each local candidate, ``on_end`` once when the
    connection failed or the viewer closed it. A viewer that is merely disconnected is
    waited for: see ``continues``.
    """

    def __init__(
        self,
        client_id: str,
        broadcast: Broadcast,
        *,
        config: SessionConfig,
        certificate: DtlsCertificate,
        loopback: bool,
        send_candidate: Callable[[ViewerConnection, RemoteCandidate], None],
        on_end: Callable[[ViewerConnection], None],
    ) -> None:
        self.client_id = client_id
        self._broadcast = broadcast
        self._choices: tuple[Choice, ...] = ()
        self._send_candidate = send_candidate
        self._on_end = on_end
        self._offer = ""
        self._answered = False
        self._early: list[RemoteCandidate] = []
        self.connection = PeerConnection(
            config=config, certificate=certificate, on_event=self._on_event, loopback=loopback
        )
        for kind in MediaKind:
            renditions = broadcast.of_kind(kind)
            if renditions:
                self.connection.add_track(*renditions, stream_ids=("hairpin",))

    @property
    def is_cut_off(self) -> bool:
        """Whether the viewer was not heard of for a while (RFC 7675: some 15 s)."""
        return self.connection.connection_state is ConnectionState.DISCONNECTED

    def continues(self, offer: str) -> bool:
        """Whether an offer changes this session, or begins another one.

        The session id of the origin line tells (RFC 8866 section 5.2). Offers of the same
        session restart ICE, and keep DTLS and SRTP (RFC 8842 section 4).

        Raises:
            SdpError: the offer cannot be read.
        """
        return bool(self._offer) and _session(offer) == _session(self._offer)

    async def answer(self, offer: str) -> LocalDescription:
        """Take the viewer's offer, the first or one that continues.

        Raises:
            SdpError: it cannot be read or negotiated.
        """
        self._offer, self._answered = offer, False
        await self.connection.set_remote_description(SdpType.OFFER, offer)
        return await self.connection.create_answer()

    async def begin(self, answer: LocalDescription) -> None:
        """Start gathering and checking; to be called when the answer is on its way, so
        that no candidate overtakes it.

        Raises:
            SessionError: there is nothing to connect for.
        """
        await self.connection.set_local_description(answer)
        if all(section.rejected for section in self.connection.media):
            raise SessionError("it asks for nothing that is sent")
        self._log_choices()
        self._answered = True
        early, self._early = self._early, []
        for candidate in early:
            await self.add_candidate(candidate)

    def _log_choices(self) -> None:
        """Say what is sent; and louder, that something is encoded that would not have to be."""
        sections, report = self.connection.media, self.connection.negotiation_report
        found = tuple(choices(self._broadcast, sections, report))
        if found == self._choices:
            return
        self._choices = found
        for choice in found:
            level = logging.INFO if choice.refused is None else logging.WARNING
            logger.log(level, "viewer %s %s", self.client_id, choice)

    def expects(self, candidate: RemoteCandidate) -> bool:
        """Whether a candidate belongs to the offer that was taken last, as far as it says."""
        fragment = candidate.username_fragment
        return not fragment or f"a=ice-ufrag:{fragment}" in self._offer.splitlines()

    async def add_candidate(self, candidate: RemoteCandidate) -> None:
        """Take a candidate of the viewer; one that cannot be read is dropped."""
        if not self._answered:
            if len(self._early) < MAX_CANDIDATES:
                self._early.append(candidate)
            return
        await take_candidate(self.connection, candidate, f"viewer {self.client_id}")

    async def close(self) -> None:
        """Say goodbye to the viewer."""
        await self.connection.close()

    def _on_event(self, event: Event) -> None:
        match event:
            case LocalCandidate() if (candidate := signaled(event)) is not None:
                self._send_candidate(self, candidate)
            case ConnectionStateChanged(state, reason):
                logger.info("viewer %s: %s %s", self.client_id, state.value, reason)
                if state in ENDED:
                    asyncio.get_running_loop().call_soon(self._on_end, self)
            case _:
                pass


def _session(offer: str) -> tuple[str, str]:
    origin = SessionDescription.parse(offer).origin
    return origin.username, str(origin.session_id)
