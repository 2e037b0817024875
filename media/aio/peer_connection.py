"""The W3C's RTCPeerConnection, for Python (drives ``media.session.PeerSession``)."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import os
import ssl
import time
from collections.abc import Callable, Coroutine, Sequence

from ice import GatheringCompleted, HostAddressesRequested, ResolveRequested
from ice.aio import open_host_sockets, resolve, shared_pacer
from media.fanout import PacketizedUnit, Rendition
from media.session import (
    ConnectionState,
    ConnectionStateChanged,
    KeyframeRequested,
    LocalDescription,
    PeerSession,
    SessionConfig,
    SessionError,
    StatsReport,
    TrackAdded,
    TrackEnded,
    UnitReceived,
)
from media.units import MediaKind
from sdp import (
    Direction,
    NegotiatedMedia,
    ReportEntry,
    RtpCodec,
    SdpType,
    SignalingState,
    Transceiver,
)
from transport import Event, IPAddress
from transport.aio import KernelSockets, MachineDriver, SocketFactory
from transport.dtls import DtlsCertificate
from turn import TurnFramer

from .tracks import LocalTrack, RemoteTrack, codecs_for

logger = logging.getLogger(__name__)


class ConnectionFailed(SessionError):
    """No secure path to the peer was found, or it was lost."""


def _nothing(event: Event) -> None:
    """The default for who needs no events."""


class PeerConnection:
    """Media to and from one peer, over whichever path ICE finds.

    The offerer::

        async with PeerConnection(on_event=signal) as connection:
            connection.add_track(rendition)
            offer = await connection.create_offer()
            await connection.set_local_description(offer)
            ...  # convey the offer; the answer comes back
            await connection.set_remote_description(answer)
            await connection.connected()

    ``on_event`` sees ``LocalCandidate`` (to be conveyed to the peer), ``TrackAdded``
    (``remote_track`` then has its units), ``ConnectionStateChanged`` and whatever else
    the session reports; it must not block. Without trickle, wait for ``gathered`` and
    convey ``local_description``.

    ``loopback`` makes loopback addresses candidates too; ``addresses`` are used in
    place of those of all interfaces. ``tls`` is for TURN servers over TLS, by default the
    system's trust.
    """

    def __init__(
        self,
        *,
        config: SessionConfig | None = None,
        certificate: DtlsCertificate | None = None,
        on_event: Callable[[Event], None] = _nothing,
        sockets: SocketFactory | None = None,
        addresses: Sequence[IPAddress] | None = None,
        loopback: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        config = dataclasses.replace(
            config or SessionConfig(), wall_clock_offset=time.time() - loop.time()
        )
        self._session = PeerSession(
            random_bytes=os.urandom,
            certificate=certificate or DtlsCertificate.generate(os.urandom),
            config=config,
            pacer=shared_pacer(),
        )
        self._driver = MachineDriver(self._session, self._on_event, framer=TurnFramer, tls=tls)
        self._application = on_event
        self._sockets = KernelSockets() if sockets is None else sockets
        self._addresses = addresses
        self._loopback = loopback
        self._local_tracks: list[LocalTrack] = []
        self._remote_tracks: dict[str, RemoteTrack] = {}
        self._failure = ""
        self._is_gathered = False
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> PeerConnection:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    def add_transceiver(
        self,
        kind: MediaKind,
        *,
        direction: Direction = Direction.SENDRECV,
        codecs: Sequence[RtpCodec] | None = None,
        stream_ids: Sequence[str] = (),
    ) -> Transceiver:
        """Ask for one media description, such as to receive (Direction.RECVONLY)."""
        return self._session.add_transceiver(
            kind, direction=direction, codecs=codecs, stream_ids=stream_ids
        )

    def add_track(
        self,
        *renditions: Rendition,
        direction: Direction = Direction.SENDONLY,
        stream_ids: Sequence[str] = (),
    ) -> LocalTrack:
        """Send a track; of several renditions, the one that the peer takes.

        Raises:
            ValueError: there is no rendition, or they are not of one kind.
        """
        codecs = codecs_for(renditions)
        transceiver = self.add_transceiver(
            renditions[0].kind, direction=direction, codecs=codecs, stream_ids=stream_ids
        )
        track = LocalTrack(
            transceiver,
            renditions,
            send=self._send_unit,
            discard_waiting=self._session.discard_waiting,
        )
        self._local_tracks.append(track)
        return track

    async def create_offer(self, *, ice_restart: bool = False) -> LocalDescription:
        """An offer, to be set and then conveyed."""
        self._is_gathered &= not ice_restart
        offer = self._driver.call(
            lambda now: self._session.create_offer(now, ice_restart=ice_restart)
        )
        return LocalDescription(SdpType.OFFER, offer)

    async def create_answer(self) -> LocalDescription:
        """An answer to the offer that was set."""
        return LocalDescription(SdpType.ANSWER, self._session.create_answer())

    async def set_local_description(self, description: LocalDescription) -> None:
        """Take what ``create_offer`` or ``create_answer`` made; gathering begins.

        Raises:
            SdpError: it does not fit the signaling state, or was changed.
        """
        self._driver.call(
            lambda now: self._session.set_local_description(description.type, description.sdp, now)
        )
        self._follow_tracks()

    async def set_remote_description(self, kind: SdpType, text: str) -> None:
        """Take the peer's offer or answer.

        Raises:
            SdpError: it cannot be read, cannot be negotiated, or comes out of turn.
        """
        self._driver.call(lambda now: self._session.set_remote_description(kind, text, now))
        self._follow_tracks()

    async def add_ice_candidate(
        self,
        candidate: str,
        *,
        mid: str | None = None,
        media_index: int | None = None,
        username_fragment: str | None = None,
    ) -> None:
        """Take a candidate that the peer conveyed; an empty one ends them.

        Raises:
            DecodeError: the text is no candidate.
            SdpError: no media description has this mid or index.
        """
        self._driver.call(
            lambda now: self._session.add_ice_candidate(
                candidate,
                now,
                mid=mid,
                media_index=media_index,
                username_fragment=username_fragment,
            )
        )

    def request_keyframe(self, mid: str) -> None:
        """Ask the peer for a keyframe of what it sends under ``mid``."""
        self._driver.call(lambda now: self._session.request_keyframe(mid, now))

    def remote_track(self, mid: str) -> RemoteTrack:
        """What the peer sends under ``mid``.

        Raises:
            KeyError: it sends nothing there.
        """
        return self._remote_tracks[mid]

    @property
    def remote_tracks(self) -> tuple[RemoteTrack, ...]:
        return tuple(self._remote_tracks.values())

    @property
    def connection_state(self) -> ConnectionState:
        return self._session.state

    @property
    def signaling_state(self) -> SignalingState:
        return self._session.signaling_state

    @property
    def local_description(self) -> LocalDescription | None:
        """With the candidates gathered so far."""
        return self._session.local_description

    @property
    def media(self) -> tuple[NegotiatedMedia, ...]:
        """What was agreed on."""
        return self._session.media

    @property
    def negotiation_report(self) -> tuple[ReportEntry, ...]:
        """Why each codec and extension was kept or dropped."""
        return self._session.negotiation_report

    async def gathered(self) -> None:
        """Wait until all local candidates are known; bound it with a timeout if need be."""
        await self._wait_for(lambda: self._is_gathered)

    async def connected(self) -> None:
        """Wait until media can flow; bound it with a timeout if need be.

        Raises:
            ConnectionFailed: there is no secure path to the peer, or it was closed.
        """
        await self._wait_for(lambda: self.connection_state is ConnectionState.CONNECTED)

    async def get_stats(self) -> StatsReport:
        """Counters by their W3C id."""
        return self._session.stats(self._driver.now())

    async def close(self) -> None:
        """Say goodbye and let go of everything; twice is as good as once."""
        self._driver.call(self._session.close)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._driver.aclose()
        # A session's packet history is large. Nothing points back here any more, so it goes
        # with the last who knows this connection, and does not wait for the collector.
        self._local_tracks.clear()
        self._application = _nothing

    async def _wait_for(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if self.connection_state in (ConnectionState.FAILED, ConnectionState.CLOSED):
                raise ConnectionFailed(self._failure or "the connection is closed")
            self._changed.clear()
            await self._changed.wait()

    def _on_event(self, event: Event) -> None:
        match event:
            case UnitReceived():
                self._take_unit(event)
                return  # one per frame: applications read them from the track
            case HostAddressesRequested():
                self._start(self._open_sockets(event))
                return
            case ResolveRequested():
                self._start(self._resolve(event))
                return
            case KeyframeRequested():
                self._keyframe_requested(event.mid)
            case TrackAdded():
                track = RemoteTrack(event.mid, event.kind, event.stream_ids)
                self._remote_tracks[event.mid] = track
            case TrackEnded():
                self._end_track(event.mid)
            case GatheringCompleted():
                self._is_gathered = True
            case ConnectionStateChanged():
                self._state_changed(event)
        self._changed.set()
        self._application(event)

    def _state_changed(self, event: ConnectionStateChanged) -> None:
        self._failure = event.reason or self._failure
        if event.state is ConnectionState.CLOSED:
            for track in self._local_tracks:
                track.detach()
            for mid in tuple(self._remote_tracks):
                self._end_track(mid)
        self._follow_tracks()

    def _follow_tracks(self) -> None:
        """Attach each track to what the peer takes of it, once there is a path for it."""
        if self.connection_state is not ConnectionState.CONNECTED:
            return
        sections = {section.mid: section for section in self._session.media}
        for track in self._local_tracks:
            section = sections.get(track.mid or "")
            choice = None if section is None else track.choose(section)
            if choice is None or section is None:
                track.detach()
                continue
            codec, rendition = choice
            self._session.choose_codec(section.mid, codec)
            track.attach(rendition, self._driver.now())

    def _send_unit(self, mid: str, unit: PacketizedUnit, timestamp: int) -> None:
        if self.connection_state is not ConnectionState.CLOSED:
            self._driver.call(lambda now: self._session.send_unit(mid, unit, timestamp, now))

    def _keyframe_requested(self, mid: str) -> None:
        for track in self._local_tracks:
            if track.mid == mid:
                track.keyframe_requested(self._driver.now())

    def _take_unit(self, event: UnitReceived) -> None:
        track = self._remote_tracks.get(event.mid)
        if track is not None and not track.push(event):
            self._session.request_keyframe(event.mid, self._driver.now())

    def _end_track(self, mid: str) -> None:
        track = self._remote_tracks.pop(mid, None)
        if track is not None:
            track.end()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _resolve(self, request: ResolveRequested) -> None:
        addresses = await resolve(request)
        self._driver.call(functools.partial(self._session.resolved, request.token, addresses))

    async def _open_sockets(self, request: HostAddressesRequested) -> None:
        try:
            opened = await open_host_sockets(
                self._sockets, loopback=self._loopback, addresses=self._addresses
            )
        except OSError as error:
            logger.warning("no local address can be used: %s", error)
            opened = []
        for sock in opened:
            self._driver.add_socket(sock)
        self._driver.call(
            functools.partial(
                self._session.hosts_opened,
                [sock.local for sock in opened],
                stream=request.stream,
                component=request.component,
            )
        )
