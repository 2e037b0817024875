"""Decoding a source's video only when somebody wants pictures, from wherever it is."""

from __future__ import annotations

import dataclasses
from collections import deque

from media.source import MAX_GOP_BYTES, MAX_GOP_SECONDS, MediaSourceError

from .libav import DemuxedPacket, LibavInput, Picture, VideoDecoder

CATCH_UP_PACKETS = 8
"""Samples of the group of pictures under way that are decoded beside each new one when
somebody begins to use an encoder: a group of 12 s is caught up with in under two, and is
seen to run that fast meanwhile."""

MAX_FRUITLESS_PACKETS = 300
"""Samples in a row that give no picture, ten seconds or so: nothing can be decoded."""

MAX_PACKETS_WITHOUT_KEYFRAME = 3000
"""Samples in a row before the first key frame, a hundred seconds or so: there is none."""


class PictureDecoding:
    """Decodes the video while somebody wants pictures, and can begin in mid-stream.

    The group of pictures under way is kept, coded, so that a decoder can catch up with
    it. One that outgrows the bounds is decoded instead, whether somebody wants it or
    not, so that nobody has to wait for the next key frame.
    """

    def __init__(self, source: LibavInput) -> None:
        self._source = source
        self._decoder: VideoDecoder | None = None
        self._group: list[DemuxedPacket] = []
        self._group_bytes = 0
        self._backlog: deque[DemuxedPacket] = deque()
        self._fruitless = 0

    def skip(self, packet: DemuxedPacket) -> None:
        """Nobody wants pictures now: only keep what a decoder will need later."""
        self._keep(packet)
        if self._group:
            self._decoder = None
            self._backlog.clear()
        elif self._decoder is not None:
            self._backlog.append(packet)
            self._decode_backlog(self._decoder)

    def decode(self, packet: DemuxedPacket) -> list[Picture]:
        """The pictures that come out with this sample.

        While the decoder catches up they are older ones, given the time of this sample: who
        begins to watch sees something at once, and then what was missed run fast.

        Raises:
            MediaSourceError: nothing that comes can be decoded.
        """
        self._keep(packet)
        if self._decoder is not None:
            self._backlog.append(packet)
        elif self._group:
            self._decoder = self._source.video_decoder()
            self._backlog.extend(self._group)
        else:
            self._count([], limit=MAX_PACKETS_WITHOUT_KEYFRAME)
            return []
        pictures = self._decode_backlog(self._decoder)
        if not self._backlog:
            return pictures
        return [dataclasses.replace(newest, time=packet.decode_time) for newest in pictures[-1:]]

    def finish(self) -> list[Picture]:
        """The pictures still inside at the end of the source, which then begins again."""
        self._forget()
        self._backlog.clear()
        return [] if self._decoder is None else self._decoder.finish()

    def _decode_backlog(self, decoder: VideoDecoder) -> list[Picture]:
        pictures: list[Picture] = []
        for _ in range(min(CATCH_UP_PACKETS, len(self._backlog))):
            pictures = decoder.decode(self._backlog.popleft())
            self._count(pictures, limit=MAX_FRUITLESS_PACKETS)
        return pictures

    def _keep(self, packet: DemuxedPacket) -> None:
        if packet.keyframe:
            self._forget()
            self._backlog.clear()
        elif not self._group:
            return
        self._group_bytes += packet.size_bytes
        begin = self._group[0].decode_time if self._group else packet.decode_time
        if self._group_bytes <= MAX_GOP_BYTES and packet.decode_time - begin <= MAX_GOP_SECONDS:
            self._group.append(packet)
            return
        if self._decoder is None:
            self._decoder = self._source.video_decoder()
            self._backlog.extend(self._group)
        self._forget()

    def _forget(self) -> None:
        self._group.clear()
        self._group_bytes = 0

    def _count(self, pictures: list[Picture], *, limit: int) -> None:
        self._fruitless = 0 if pictures else self._fruitless + 1
        if self._fruitless > limit:
            raise MediaSourceError(self._source.description.name, "its video cannot be decoded")
