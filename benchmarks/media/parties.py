"""Two implementations behind one shape: peers that send the same frames, or receive them.

A party holds several connections. Senders offer, receivers answer, without trickle.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Protocol

import aiortc.codecs.vpx
import aiortc.rtcdtlstransport
import aiortc.rtcrtpreceiver
import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer, MediaRelay
from av.stream import Stream

from media.aio import PeerConnection
from media.aio.player import open_source, play_into
from media.aio.tracks import RemoteTrack
from media.fanout import MAX_PAYLOAD_BYTES, Rendition
from media.rtcp import is_rtcp
from media.session import SessionConfig, TrackAdded
from media.units import AccessUnit, CodecName
from sdp import SdpType
from transport import Event, TransportAddress
from transport.aio import KernelSocket, KernelSockets
from transport.dtls import SrtpProfile

LOOPBACK = (ipaddress.ip_address("127.0.0.1"),)
CLOCK_RATE = 90_000

VP8_KEYFRAME = bytes.fromhex("1002009d012a80026801")
"""The head of a frame of 640x360 (RFC 6386 section 9.1)."""
VP8_INTERFRAME = bytes.fromhex("110200")
KEYFRAME_INTERVAL = 300


def vp8_frame(index: int, size: int) -> bytes:
    """A frame that every depacketizer takes, and no decoder is asked to."""
    head = VP8_INTERFRAME if index % KEYFRAME_INTERVAL else VP8_KEYFRAME
    return head.ljust(size, bytes((index % 251 + 1,)))


class Party(Protocol):
    """Some connections of one implementation, in the process that is measured or its peer's."""

    async def play(self, path: str) -> None:
        """Before ``offers``: send the raw video of a file, over and over, in VP8."""
        ...

    async def offers(self) -> list[str]: ...

    async def answers(self, offers: Sequence[str]) -> list[str]: ...

    async def take_answers(self, answers: Sequence[str]) -> None: ...

    async def connected(self) -> None: ...

    def send(self, index: int, frame: bytes, timestamp: int) -> None:
        """One frame to all peers, as soon as it can go."""
        ...

    async def aclose(self) -> None: ...


class _CountingSocket(KernelSocket):
    """Tells of the media that arrives, and keeps it to itself if nobody is to read it."""

    def __init__(self, sock: socket.socket, arrived: Callable[[int], None], *, reads: bool) -> None:
        super().__init__(sock)
        self._arrived = arrived
        self._reads = reads

    def receive(self) -> list[tuple[bytes, TransportAddress]]:
        batch = super().receive()
        others = [item for item in batch if not 128 <= item[0][0] <= 191 or is_rtcp(item[0])]
        self._arrived(len(batch) - len(others))
        return batch if self._reads else others


class _CountingSockets(KernelSockets):
    def __init__(self, arrived: Callable[[int], None], *, reads: bool) -> None:
        super().__init__()
        self._arrived = arrived
        self._reads = reads

    async def open(self, local: TransportAddress) -> KernelSocket:
        return _CountingSocket(self.bind(local), self._arrived, reads=self._reads)


class HairpinParty:
    """``received`` is called for each access unit of each connection.

    With ``arrived``, which is called with the number of packets that did, only the first
    connection reads what it gets: the others would keep the process on the other end
    waiting, and report nothing that this one does not.
    """

    def __init__(
        self,
        count: int,
        profile: SrtpProfile,
        *,
        received: Callable[[int], None] | None = None,
        arrived: Callable[[int], None] | None = None,
    ) -> None:
        self._received = received
        self._arrived = arrived
        self._rendition = Rendition(CodecName.VP8)
        self._readers: list[asyncio.Task[None]] = []
        self._player: asyncio.Task[None] | None = None
        self._connections = [self._connect(profile, index) for index in range(count)]

    def _connect(self, profile: SrtpProfile, index: int) -> PeerConnection:
        sockets = None
        if self._arrived is not None:
            sockets = _CountingSockets(self._arrived, reads=index == 0)

        def on_event(event: Event) -> None:
            if isinstance(event, TrackAdded):
                track = connection.remote_track(event.mid)
                self._readers.append(asyncio.ensure_future(self._read(track)))

        connection = PeerConnection(
            config=SessionConfig(srtp_profiles=(profile,)),
            addresses=LOOPBACK,
            on_event=on_event,
            sockets=sockets,
        )
        return connection

    async def _read(self, track: RemoteTrack) -> None:
        async for _ in track:
            if self._received is not None:
                self._received(1)

    async def play(self, path: str) -> None:
        self._player = asyncio.ensure_future(self._play(path))

    async def _play(self, path: str) -> None:
        async with open_source(path) as source:
            (stream,) = (s for s in source.description.streams if s.codec is CodecName.VP8)
            source.use(stream)
            await play_into(source, {stream: self._rendition})

    async def offers(self) -> list[str]:
        for connection in self._connections:
            connection.add_track(self._rendition)
            await connection.set_local_description(await connection.create_offer())
        return await self._descriptions()

    async def answers(self, offers: Sequence[str]) -> list[str]:
        for connection, offer in zip(self._connections, offers, strict=True):
            await connection.set_remote_description(SdpType.OFFER, offer)
            await connection.set_local_description(await connection.create_answer())
        return await self._descriptions()

    async def _descriptions(self) -> list[str]:
        texts = []
        for connection in self._connections:
            await connection.gathered()
            assert connection.local_description is not None
            texts.append(connection.local_description.sdp)
        return texts

    async def take_answers(self, answers: Sequence[str]) -> None:
        for connection, answer in zip(self._connections, answers, strict=True):
            await connection.set_remote_description(SdpType.ANSWER, answer)

    async def connected(self) -> None:
        for connection in self._connections:
            await connection.connected()

    def send(self, index: int, frame: bytes, timestamp: int) -> None:
        unit = AccessUnit(CodecName.VP8, frame, timestamp, index % KEYFRAME_INTERVAL == 0)
        self._rendition.push(unit, asyncio.get_running_loop().time())

    async def aclose(self) -> None:
        for task in (*self._readers, self._player):
            if task is not None:
                task.cancel()
        for connection in self._connections:
            await connection.close()


class _CodedTrack(MediaStreamTrack):
    """Frames that are coded already, which aiortc only packs."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.queue: asyncio.Queue[av.Packet[Stream]] = asyncio.Queue()

    async def recv(self) -> av.Packet[Stream]:
        return await self.queue.get()


class _CountingDecoder:
    """Takes the place of aiortc's decoders: decoding is not what is compared."""

    def __init__(self, received: Callable[[int], None]) -> None:
        self._received = received

    def decode(self, frame: object) -> list[object]:
        self._received(1)
        return []


class AiortcParty:
    """aiortc with payloads as long as ours, and the same SRTP profile."""

    def __init__(
        self,
        count: int,
        profile: SrtpProfile,
        *,
        received: Callable[[int], None] | None = None,
        arrived: Callable[[int], None] | None = None,
    ) -> None:
        assert arrived is None  # the viewers of a fan-out are hairpin's
        aiortc.codecs.vpx.PACKET_MAX = MAX_PAYLOAD_BYTES
        profiles = aiortc.rtcdtlstransport.SRTP_PROFILES
        profiles[:] = [p for p in profiles if p.openssl_profile == profile.openssl_name.encode()]
        if received is not None:
            decoder = _CountingDecoder(received)
            vars(aiortc.rtcrtpreceiver)["get_decoder"] = lambda codec: decoder
        self._tracks: list[_CodedTrack] = []
        self._source: MediaStreamTrack | None = None
        self._connections = [
            RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(count)
        ]

    async def play(self, path: str) -> None:
        self._source = MediaPlayer(path, loop=True).video

    async def offers(self) -> list[str]:
        relay = MediaRelay()
        for connection in self._connections:
            if self._source is None:
                self._tracks.append(_CodedTrack())
                connection.addTrack(self._tracks[-1])
            else:
                connection.addTrack(relay.subscribe(self._source))
            await connection.setLocalDescription(await connection.createOffer())
        return [connection.localDescription.sdp for connection in self._connections]

    async def answers(self, offers: Sequence[str]) -> list[str]:
        for connection, offer in zip(self._connections, offers, strict=True):
            await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            await connection.setLocalDescription(await connection.createAnswer())
        return [connection.localDescription.sdp for connection in self._connections]

    async def take_answers(self, answers: Sequence[str]) -> None:
        for connection, answer in zip(self._connections, answers, strict=True):
            await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def connected(self) -> None:
        for connection in self._connections:
            changed = asyncio.Event()
            connection.on("connectionstatechange", changed.set)
            while connection.connectionState != "connected":
                changed.clear()
                await changed.wait()

    def send(self, index: int, frame: bytes, timestamp: int) -> None:
        for track in self._tracks:
            packet = av.Packet(frame)
            packet.pts, packet.time_base = timestamp, Fraction(1, CLOCK_RATE)
            track.queue.put_nowait(packet)

    async def aclose(self) -> None:
        if self._source is not None:
            self._source.stop()
        for connection in self._connections:
            await connection.close()


PARTIES: dict[str, type[HairpinParty] | type[AiortcParty]] = {
    "hairpin": HairpinParty,
    "aiortc": AiortcParty,
}
