"""What a source's thread does with each sample: pass it through, decode it, encode it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from media.bitstream import OpusPacketHead
from media.source import (
    EncodeSettings,
    FrameClock,
    Interleaver,
    MediaSourceError,
    Origin,
    Passthrough,
    SampleClock,
    SourceStream,
    Timeline,
    encode_settings,
)
from media.units import AccessUnit, CodecName, MediaKind
from transport import DecodeError

from .libav import DemuxedPacket, LibavInput, OpusTranscoder, Picture, VideoEncoder
from .pictures import PictureDecoding

FRAME_RATE_SLACK = 0.8
"""A frame that comes after this share of the encoder's frame interval is not dropped."""


@dataclasses.dataclass(frozen=True, slots=True)
class SourceUnit:
    """An access unit of one of a source's streams, to be played at ``time``.

    ``time`` is in seconds from the beginning of playing, and runs on when the source
    begins again.
    """

    stream: SourceStream
    unit: AccessUnit
    time: float


@dataclasses.dataclass(frozen=True, slots=True)
class TimeReached:
    """Nothing is to be sent at ``time``, but playing goes on: nobody uses the stream."""

    time: float


class Demand:
    """What the users of a source want from its thread.

    Written by the event loop and read by the thread; each step is one operation on a
    built-in object, which needs no lock.
    """

    def __init__(self) -> None:
        self.streams: frozenset[SourceStream] = frozenset()
        self.bitrates: dict[SourceStream, int] = {}
        self._keyframes: set[SourceStream] = set()
        self._users: dict[SourceStream, int] = {}

    def use(self, stream: SourceStream) -> None:
        self._users[stream] = self._users.get(stream, 0) + 1
        self.streams = frozenset(self._users)

    def release(self, stream: SourceStream) -> None:
        left = self._users.get(stream, 0) - 1
        if left > 0:
            self._users[stream] = left
        else:
            self._users.pop(stream, None)
        self.streams = frozenset(self._users)

    def request_keyframe(self, stream: SourceStream) -> None:
        self._keyframes.add(stream)

    def takes_keyframe(self, stream: SourceStream) -> bool:
        """Whether a keyframe was asked for since the last time."""
        if stream not in self._keyframes:
            return False
        self._keyframes.discard(stream)
        return True


class SourceFeed:
    """Turns the samples of an input into the units of its streams, again and again.

    Raises:
        MediaSourceError: from ``units``, when the input cannot be read or decoded.
    """

    def __init__(self, source: LibavInput, demand: Demand, *, loop: bool) -> None:
        self._source = source
        self._loop = loop and not source.description.live
        self._timeline = Timeline(source.origin)
        streams = source.description.streams
        self._lanes: dict[MediaKind, _VideoLane | _AudioLane] = {}
        if source.description.video is not None:
            video = tuple(stream for stream in streams if stream.kind is MediaKind.VIDEO)
            self._lanes[MediaKind.VIDEO] = _VideoLane(source, video, demand, self._timeline)
        if source.description.audio is not None:
            (audio,) = (stream for stream in streams if stream.kind is MediaKind.AUDIO)
            self._lanes[MediaKind.AUDIO] = _AudioLane(source, audio, demand, self._timeline)

    def units(self) -> Iterator[SourceUnit | TimeReached]:
        """All units in the order of playing; without end if the source is looped."""
        while True:
            played = self._timeline.end
            yield from self._one_pass()
            if not self._loop:
                return
            if self._timeline.end <= played:
                raise MediaSourceError(self._source.description.name, "there is nothing in it")
            self._source.rewind()
            self._timeline.rewind()

    def _one_pass(self) -> Iterator[SourceUnit | TimeReached]:
        interleaver: Interleaver[MediaKind, DemuxedPacket] = Interleaver(self._lanes)
        for packet in self._source.packets():
            interleaver.push(packet.kind, packet.decode_time, packet)
            while (earliest := interleaver.pop()) is not None:
                yield from self._push(earliest)
        for packet in interleaver.drain():
            yield from self._push(packet)
        for lane in self._lanes.values():
            yield from lane.finish()

    def _push(self, packet: DemuxedPacket) -> Iterator[SourceUnit | TimeReached]:
        placed = self._timeline.place(packet.decode_time, 0.0)
        nothing = True
        for unit in self._lanes[packet.kind].push(packet):
            nothing = False
            yield unit
        if nothing:
            yield TimeReached(placed)


class _AudioLane:
    """The audio of a source, in the one stream that it has."""

    def __init__(
        self, source: LibavInput, stream: SourceStream, demand: Demand, timeline: Timeline
    ) -> None:
        self._source = source
        self._stream = stream
        self._demand = demand
        self._timeline = timeline
        self._clock = SampleClock(CodecName.OPUS.clock_rate)
        self._transcoder: OpusTranscoder | None = None

    def push(self, packet: DemuxedPacket) -> Iterator[SourceUnit]:
        end = packet.time + packet.duration
        if end <= self._source.origin:
            return  # priming samples of the codec
        self._timeline.place(packet.time, packet.duration)
        if self._stream not in self._demand.streams:
            self._transcoder = None
        elif self._stream.origin is Origin.PASSTHROUGH:
            yield from self._unit(packet.time, packet.data)
        else:
            if self._transcoder is None:
                self._transcoder = self._source.opus_transcoder()
            for time, data in self._transcoder.transcode(packet):
                yield from self._unit(time, data)

    def finish(self) -> Iterator[SourceUnit]:
        if self._transcoder is not None:
            for time, data in self._transcoder.finish():
                yield from self._unit(time, data)

    def _unit(self, time: float, data: bytes) -> Iterator[SourceUnit]:
        try:
            samples = OpusPacketHead.decode(data).samples
        except DecodeError:
            return
        placed = self._timeline.place(time, samples / CodecName.OPUS.clock_rate)
        timestamp = self._clock.timestamp(placed, samples)
        yield SourceUnit(self._stream, AccessUnit(CodecName.OPUS, data, timestamp, True), placed)


class _VideoLane:
    """The video of a source: passed through always, encoded for whom needs that."""

    def __init__(
        self,
        source: LibavInput,
        streams: tuple[SourceStream, ...],
        demand: Demand,
        timeline: Timeline,
    ) -> None:
        track = source.description.video
        assert track is not None
        self._timeline = timeline
        self._demand = demand
        self._passed: tuple[SourceStream, Passthrough, FrameClock] | None = None
        if streams[0].origin is Origin.PASSTHROUGH:
            clock = FrameClock(streams[0].codec.clock_rate)
            self._passed = (streams[0], source.passthrough(), clock)
        settings = encode_settings(track.width, track.height, track.frame_rate)
        self._pictures = PictureDecoding(source)
        self._encodes = [
            _Encode(stream, settings, demand)
            for stream in streams
            if stream.origin is Origin.ENCODED
        ]

    def push(self, packet: DemuxedPacket) -> Iterator[SourceUnit]:
        placed = self._timeline.place(packet.time, packet.duration)
        if self._passed is not None:
            stream, passthrough, clock = self._passed
            unit = passthrough.unit(packet.data, 0)
            if unit is not None:
                timed = dataclasses.replace(unit, timestamp=clock.timestamp(placed))
                yield SourceUnit(stream, timed, placed)
        wanted = self._wanted()
        if wanted:
            yield from self._encode(self._pictures.decode(packet), wanted)
        else:
            self._pictures.skip(packet)

    def finish(self) -> Iterator[SourceUnit]:
        yield from self._encode(self._pictures.finish(), self._wanted())

    def _wanted(self) -> list[_Encode]:
        wanted = []
        for encode in self._encodes:
            if encode.stream in self._demand.streams:
                wanted.append(encode)
            else:
                encode.stop()
        return wanted

    def _encode(self, pictures: list[Picture], encodes: list[_Encode]) -> Iterator[SourceUnit]:
        for picture in pictures:
            placed = self._timeline.place(picture.time, 0.0)
            for encode in encodes:
                for unit in encode.push(picture, placed):
                    yield SourceUnit(encode.stream, unit, placed)


class _Encode:
    """One encoder, open while its stream is in use."""

    def __init__(self, stream: SourceStream, settings: EncodeSettings, demand: Demand) -> None:
        self.stream = stream
        self._settings = settings
        self._demand = demand
        self._clock = FrameClock(stream.codec.clock_rate)
        self._min_interval = FRAME_RATE_SLACK / float(settings.frame_rate)
        self._encoder: VideoEncoder | None = None
        self._last_time: float | None = None

    def push(self, picture: Picture, placed: float) -> list[AccessUnit]:
        if self._last_time is not None and placed - self._last_time < self._min_interval:
            return []
        self._last_time = placed
        if self._encoder is None:
            self._encoder = VideoEncoder(self.stream.codec, self._settings)
        bitrate = self._demand.bitrates.get(self.stream)
        if bitrate is not None:
            self._encoder.set_bitrate(bitrate)
        timestamp = self._clock.timestamp(placed)
        if self._demand.takes_keyframe(self.stream):
            return self._encoder.encode_keyframe(picture, timestamp)
        return self._encoder.encode(picture, timestamp)

    def stop(self) -> None:
        self._encoder = None
