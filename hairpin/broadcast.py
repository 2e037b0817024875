"""One source for all viewers: passed through where a viewer takes it, else encoded once."""

from __future__ import annotations

from media import CodecName, MediaKind
from media.fanout import KeyframeSource, Rendition, UnitSink
from media.payload import packetizer_for
from media.source import AudioTrack, MediaSource, Origin, SourceStream, VideoTrack

CODEC_NAMES = {CodecName.H264: "H.264", CodecName.VP8: "VP8", CodecName.OPUS: "Opus"}
"""As people write them."""

MAX_PAYLOAD_BYTES = 1120
"""1,200 bytes of datagram, less 12 of RTP, 12 of header extensions, 16 of AES-GCM and up
to 36 of a Send indication on the way to a TURN server, rounded down."""


class _DemandedRendition(Rendition):
    """Has its stream made only while somebody watches."""

    def __init__(self, source: MediaSource, stream: SourceStream) -> None:
        super().__init__(
            stream.codec,
            packetizer_for(stream.codec, MAX_PAYLOAD_BYTES),
            profile=stream.profile_level_id,
            keyframes=(
                KeyframeSource.CACHE
                if stream.origin is Origin.PASSTHROUGH
                else KeyframeSource.ENCODER
            ),
        )
        self._source = source
        self._stream = stream

    def attach(self, sink: UnitSink, now: float) -> None:
        before = self.sink_count
        super().attach(sink, now)
        if self.sink_count > before:
            self._source.use(self._stream)

    def detach(self, sink: UnitSink) -> None:
        before = self.sink_count
        super().detach(sink)
        if self.sink_count < before:
            self._source.release(self._stream)


class Broadcast:
    """The renditions of a source, for peer connections to choose from."""

    def __init__(self, source: MediaSource) -> None:
        self.source = source
        self.renditions: dict[SourceStream, Rendition] = {
            stream: _DemandedRendition(source, stream) for stream in _distinct(source)
        }

    def of_kind(self, kind: MediaKind) -> tuple[Rendition, ...]:
        """The renditions of the source's audio or video, the cheapest first."""
        return tuple(r for r in self.renditions.values() if r.kind is kind)

    def describe(self) -> str:
        """What is streamed, how, and why so, in one line."""
        description = self.source.description
        is_address = "://" in description.name
        name = description.name if is_address else description.name.rstrip("/").rpartition("/")[2]
        parts = [name or description.name]
        if (video := description.video) is not None:
            way = self._way(MediaKind.VIDEO, video)
            parts.append(f"{video.width}x{video.height} {way}")
        if (audio := description.audio) is not None:
            way = self._way(MediaKind.AUDIO, audio)
            parts.append(f"sound {way}" if audio.is_raw else way)
        return " · ".join(parts)

    def _way(self, kind: MediaKind, track: VideoTrack | AudioTrack) -> str:
        encoded = " and ".join(self._encoding(kind) or self._encodable(kind))
        if track.is_raw:
            return f"encoded once to {encoded}"
        if track.obstacle is not None:
            return f"{track.codec_name} encoded once to {encoded} ({track.obstacle})"
        way = f"{track.codec_name} passed through"
        if self._encoding(kind):
            way += f", and encoded once to {encoded} for viewers that do not take it so"
        return way

    def _encoding(self, kind: MediaKind) -> list[str]:
        """The codecs that are being encoded for somebody now."""
        return [
            CODEC_NAMES[stream.codec]
            for stream, rendition in self.renditions.items()
            if stream.kind is kind and stream.origin is Origin.ENCODED and rendition.sink_count
        ]

    def _encodable(self, kind: MediaKind) -> list[str]:
        streams = [s for s in self.renditions if s.kind is kind and s.origin is Origin.ENCODED]
        return [CODEC_NAMES[stream.codec] for stream in streams[:1]]


def _distinct(source: MediaSource) -> list[SourceStream]:
    """One stream for each format of SDP: what is passed through needs no encode beside it."""
    found: dict[tuple[CodecName, str | None], SourceStream] = {}
    for stream in source.description.streams:
        found.setdefault((stream.codec, stream.profile_level_id), stream)
    return list(found.values())
