"""The two ends of media at a peer connection: what is sent, and what is received."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence

from media.fanout import PacketizedUnit, Rendition
from media.session import UnitReceived, h264, opus, video_rtx, vp8
from media.units import CodecName, MediaKind
from sdp import NegotiatedCodec, NegotiatedMedia, RtpCodec, Transceiver

MAX_QUEUED_UNITS = 256
"""Received units that wait to be read: eight seconds of video. A reader that is slower
than that loses them, for memory is not the place to keep a stream."""


def codec_of(rendition: Rendition) -> RtpCodec:
    """The format that a rendition is offered as."""
    match rendition.codec:
        case CodecName.H264:
            return h264() if rendition.profile is None else h264(rendition.profile)
        case CodecName.VP8:
            return vp8()
        case CodecName.OPUS:
            return opus()


class LocalTrack:
    """A track that is sent: one of its renditions, whichever the peer takes.

    Attached to the rendition while the connection is up; the first negotiated format
    that a rendition was made for decides.
    """

    def __init__(
        self,
        transceiver: Transceiver,
        renditions: Sequence[Rendition],
        *,
        send: Callable[[str, PacketizedUnit, int], None],
        discard_waiting: Callable[[str], None],
    ) -> None:
        self.transceiver = transceiver
        self.rendition: Rendition | None = None
        self._renditions = {codec_of(rendition): rendition for rendition in renditions}
        self._send = send
        self._discard_waiting = discard_waiting

    @property
    def mid(self) -> str | None:
        """The media description's, once negotiated."""
        return self.transceiver.mid

    def choose(self, media: NegotiatedMedia) -> tuple[NegotiatedCodec, Rendition] | None:
        """The format to send and its source, or None when the peer takes none of ours."""
        if media.rejected or not media.direction.sends:
            return None
        for codec in media.codecs:
            rendition = self._renditions.get(codec.local)
            if rendition is not None:
                return codec, rendition
        return None

    def attach(self, rendition: Rendition, now: float) -> None:
        """Begin to send; a rendition that is attached already stays as it is."""
        if self.rendition is rendition:
            return
        self.detach()
        self.rendition = rendition
        rendition.attach(self, now)

    def detach(self) -> None:
        """Send nothing more."""
        if self.rendition is not None:
            self.rendition.detach(self)
            self.rendition = None

    def keyframe_requested(self, now: float) -> None:
        """The peer cannot decode."""
        if self.rendition is not None:
            self.rendition.request_keyframe(self, now)

    def discard_waiting(self) -> None:
        """What the rendition calls before it begins anew."""
        if self.mid is not None:
            self._discard_waiting(self.mid)

    def send_unit(self, unit: PacketizedUnit, timestamp: int, now: float) -> None:
        """What the rendition calls."""
        if self.mid is not None:
            self._send(self.mid, unit, timestamp)


def codecs_for(renditions: Sequence[Rendition]) -> list[RtpCodec]:
    """The formats to negotiate for a track with these renditions, in their order.

    Raises:
        ValueError: there is none, or they are not of one kind.
    """
    if len({rendition.kind for rendition in renditions}) != 1:
        raise ValueError("a track has renditions of one kind")
    codecs = [codec_of(rendition) for rendition in renditions]
    if renditions[0].kind is MediaKind.VIDEO:
        codecs.append(video_rtx())
    return codecs


class RemoteTrack:
    """A track that is received: iterate over its units.

    When the reader is too slow, what waits is dropped, and video goes on with the next
    keyframe; ``units_dropped`` counts.
    """

    def __init__(self, mid: str, kind: MediaKind, stream_ids: Sequence[str]) -> None:
        self.mid = mid
        self.kind = kind
        self.stream_ids = tuple(stream_ids)
        self.units_dropped = 0
        self._units: deque[UnitReceived] = deque()
        self._needs_keyframe = False
        self._is_ended = False
        self._changed = asyncio.Event()

    def __aiter__(self) -> AsyncIterator[UnitReceived]:
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[UnitReceived]:
        while True:
            while self._units:
                yield self._units.popleft()
            if self._is_ended:
                return
            self._changed.clear()
            await self._changed.wait()

    def push(self, received: UnitReceived) -> bool:
        """Take a unit; False when the queue overflowed and a keyframe is needed."""
        if self._needs_keyframe and not received.unit.keyframe:
            self.units_dropped += 1
            return True
        self._needs_keyframe = False
        overflows = len(self._units) >= MAX_QUEUED_UNITS
        if overflows:
            self.units_dropped += len(self._units)
            self._units.clear()
            self._needs_keyframe = self.kind is MediaKind.VIDEO and not received.unit.keyframe
        if self._needs_keyframe:
            self.units_dropped += 1
        else:
            self._units.append(received)
            self._changed.set()
        return not self._needs_keyframe

    def end(self) -> None:
        """No more comes; iteration ends when what waits was read."""
        self._is_ended = True
        self._changed.set()
