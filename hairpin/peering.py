"""A WebRTC peer whose signaling is lines of JSON: what ``hairpin peer`` does."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import dataclasses
from collections.abc import Callable, Sequence

import msgspec

from media import AccessUnit, CodecName, MediaKind
from media.aio import PeerConnection, RemoteTrack
from media.aio.libav import UnitDecoder
from media.session import (
    DEFAULT_CODECS,
    CandidatePairStats,
    ConnectionState,
    ConnectionStateChanged,
    LocalCandidate,
    LocalDescription,
    SessionConfig,
    SessionError,
)
from sdp import Direction, SdpError, SdpType
from signaling import RemoteCandidate
from transport import DecodeError, Event

from .broadcast import Broadcast
from .reception import pair_types

CONNECT_PATIENCE = 30.0
"""Seconds from the start to media: whoever pipes two peers together starts them at once."""

MAX_EARLY_CANDIDATES = 100
"""Candidates that came before their description; ICE uses no more pairs than that."""

MAX_ERRORS = 20
"""What more goes wrong has been said often enough."""

Say = Callable[[dict[str, object]], None]


class Line(msgspec.Struct):
    """A line of input: a description or a candidate."""

    type: str
    sdp: str = ""
    candidate: str = ""
    sdp_mid: str | None = msgspec.field(name="sdpMid", default=None)
    sdp_m_line_index: int | None = msgspec.field(name="sdpMLineIndex", default=None)


@dataclasses.dataclass(frozen=True, slots=True)
class PeerOptions:
    """What the command line said; ``codec`` restricts video to one."""

    role: SdpType
    sends: frozenset[MediaKind]
    receives: frozenset[MediaKind]
    codec: CodecName | None
    duration: float
    config: SessionConfig


class Peering:
    """One peer, from its first line to its result.

    Each line of input goes to ``take``; ``run`` returns the result when the time is over,
    the connection ended, or none came about.
    """

    def __init__(self, options: PeerOptions, broadcast: Broadcast | None, say: Say) -> None:
        self._options = options
        self._say = say
        self._errors: list[str] = []
        self._frames = dict.fromkeys(MediaKind, 0)
        self._early: list[RemoteCandidate] = []
        self._is_described = False
        self._was_connected = False
        self._pair = ""
        self._stopped = asyncio.Event()
        self._readers: set[asyncio.Task[None]] = set()
        # One thread decodes: FFmpeg may take its time, and packets do not wait.
        self._decoding = concurrent.futures.ThreadPoolExecutor(1, "decode")
        self.connection = PeerConnection(
            config=options.config, on_event=self._on_event, loopback=True
        )
        for kind in MediaKind:
            self._add(kind, broadcast)

    def stop(self) -> None:
        """End before the time is over."""
        self._stopped.set()

    def note(self, error: str) -> None:
        """Something went wrong that the result has to tell."""
        if len(self._errors) < MAX_ERRORS:
            self._errors.append(error)

    async def run(self) -> dict[str, object]:
        """Offer or wait for an offer, connect, stay for the duration, and tell how it was."""
        try:
            if self._options.role is SdpType.OFFER:
                await self._describe(await self.connection.create_offer())
            await self._connected()
            if self._was_connected:
                await self._wait(self._options.duration)
        finally:
            await self._note_pair()
            await self.connection.close()
            for reader in self._readers:
                reader.cancel()
            await asyncio.gather(*self._readers, return_exceptions=True)
            self._decoding.shutdown(wait=False, cancel_futures=True)
        return self._result()

    def input_ended(self) -> None:
        """No line will come any more: that is no harm once there is a description."""
        if not self._is_described:
            self.note(f"the input ended before there was {self._expected()}")
            self.stop()

    async def take(self, text: bytes) -> None:
        """One line of input; what is wrong with it becomes an error of the result."""
        try:
            line = msgspec.json.decode(text, type=Line)
            if line.type == "candidate":
                await self._take_candidate(
                    RemoteCandidate(line.candidate, line.sdp_mid, line.sdp_m_line_index)
                )
            elif line.type in (SdpType.OFFER, SdpType.ANSWER):
                await self._take_description(SdpType(line.type), line.sdp)
            elif line.type != "result":  # the other peer's last line, when two are piped
                self.note(f"a line of type {line.type!r} is not understood")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self.note(f"a line of input is not understood: {error}")
        except (SdpError, DecodeError, SessionError) as error:
            self.note(str(error))

    def _add(self, kind: MediaKind, broadcast: Broadcast | None) -> None:
        receives = kind in self._options.receives
        if kind in self._options.sends and broadcast is not None:
            renditions = [each for each in broadcast.of_kind(kind) if self._takes(each.codec)]
            if renditions:
                direction = Direction.SENDRECV if receives else Direction.SENDONLY
                self.connection.add_track(*renditions, direction=direction)
                return
            self.note(f"the source has no {kind.value} to send")
        if receives:
            codecs = [
                codec
                for codec in DEFAULT_CODECS
                if codec.kind is kind and (codec.is_rtx or self._takes(CodecName(codec.name)))
            ]
            self.connection.add_transceiver(kind, direction=Direction.RECVONLY, codecs=codecs)

    def _takes(self, codec: CodecName) -> bool:
        wanted = self._options.codec
        return wanted is None or codec.kind is MediaKind.AUDIO or codec is wanted

    async def _describe(self, description: LocalDescription) -> None:
        # Said before it is set, so that no candidate goes out before it.
        self._say({"type": description.type.value, "sdp": description.sdp})
        await self.connection.set_local_description(description)

    async def _take_description(self, kind: SdpType, sdp: str) -> None:
        await self.connection.set_remote_description(kind, sdp)
        if kind is SdpType.OFFER:
            await self._describe(await self.connection.create_answer())
        self._is_described = True
        if all(media.rejected for media in self.connection.media):
            self.note("nothing is sent in either direction")
            self.stop()
        for candidate in self._early:
            await self._take_candidate(candidate)
        self._early.clear()

    async def _take_candidate(self, candidate: RemoteCandidate) -> None:
        if self._is_described:
            await self.connection.add_ice_candidate(
                candidate.candidate,
                mid=candidate.sdp_mid,
                media_index=candidate.sdp_m_line_index,
            )
        elif len(self._early) < MAX_EARLY_CANDIDATES:
            self._early.append(candidate)

    async def _connected(self) -> None:
        connecting: asyncio.Task[object] = asyncio.create_task(self.connection.connected())
        stopping: asyncio.Task[object] = asyncio.create_task(self._stopped.wait())
        either = {connecting, stopping}
        await asyncio.wait(either, timeout=CONNECT_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not connecting.done():
            connecting.cancel()
            self.note("no connection came about")
        elif (error := connecting.exception()) is not None:
            self.note(str(error))
        await asyncio.gather(connecting, stopping, return_exceptions=True)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)

    def _on_event(self, event: Event) -> None:
        match event:
            case LocalCandidate(candidate, mid, index) if candidate:
                self._say(
                    {
                        "type": "candidate",
                        "candidate": candidate,
                        "sdpMid": mid,
                        "sdpMLineIndex": index,
                    }
                )
            case ConnectionStateChanged(ConnectionState.CONNECTED):
                self._was_connected = True
                for track in self.connection.remote_tracks:
                    self._read(track)
            case ConnectionStateChanged(ConnectionState.FAILED, reason):
                self.note(reason or "the connection is lost")
                self._stopped.set()
            case ConnectionStateChanged(ConnectionState.CLOSED):
                self._stopped.set()  # the other side was done first
            case _:
                pass

    def _read(self, track: RemoteTrack) -> None:
        reader = asyncio.create_task(self._decode(track))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)

    async def _decode(self, track: RemoteTrack) -> None:
        loop = asyncio.get_running_loop()
        decoders: dict[CodecName, UnitDecoder] = {}

        def decode(unit: AccessUnit) -> int:
            if unit.codec not in decoders:
                decoders[unit.codec] = UnitDecoder(unit.codec)
            return decoders[unit.codec].decode(unit)

        async for received in track:
            decoded = await loop.run_in_executor(self._decoding, decode, received.unit)
            self._frames[track.kind] += decoded

    async def _note_pair(self) -> None:
        for record in (await self.connection.get_stats()).values():
            if isinstance(record, CandidatePairStats):
                self._pair = pair_types(record)

    def _expected(self) -> str:
        return "an answer" if self._options.role is SdpType.OFFER else "an offer"

    def _received_kinds(self) -> Sequence[MediaKind]:
        return [
            media.kind
            for media in self.connection.media
            if media.kind is not None and not media.rejected and media.direction.receives
        ]

    def _codec(self) -> str | None:
        """The name of the video's format, or else of the audio's."""
        found = {media.kind: media.codecs for media in self.connection.media if media.codecs}
        codecs = found.get(MediaKind.VIDEO) or found.get(MediaKind.AUDIO)
        return codecs[0].local.name if codecs else None

    def _result(self) -> dict[str, object]:
        received = self._received_kinds()
        for kind in received:
            if self._was_connected and not self._frames[kind]:
                self.note(f"no frame of {kind.value} was decoded")
        is_ok = self._was_connected and all(self._frames[kind] for kind in received)
        return {
            "type": "result",
            "ok": is_ok,
            "frames": {kind.value: self._frames[kind] for kind in reversed(MediaKind)},
            "pair": self._pair,
            "codec": self._codec(),
            "errors": self._errors,
        }
