"""What a source's thread does with each sample: pass it through, decode it, encode it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from media.bitstream import OpusPacketHead
from media.source import (
    FrameClock,
    Interleaver,
    MediaSourceError,
    Origin,
    Passthrough,
    SampleClock,
    SourceDescription,
    SourceStream,
    Timeline,
    encode_settings,
)
from media.units import AccessUnit, CodecName, MediaKind
from transport import DecodeError

from .demand import Demand, SourceUnit, TimeReached
from .encodes import VideoEncodes
from .libav import DemuxedPacket, LibavInput, OpusTranscoder, Picture
from .pictures import PictureDecoding
from .reconnection import Reconnection, Wait

MAX_JUMP = 10.0
"""Seconds between neighbouring samples of a live source, beyond which its clock was set
anew; audio and video may be apart by some."""


class SourceFeed:
    """Turns the samples of an input into the units of its streams.

    With ``loop`` it goes on for ever: files begin again, and what was lost is opened
    again, for which ``wait`` lets time pass.

    Raises:
        MediaSourceError: from ``units``, when the input cannot be read or decoded.
    """

    def __init__(self, source: LibavInput, demand: Demand, *, loop: bool, wait: Wait) -> None:
        self._source = source
        self._loop = loop
        self._reconnection = Reconnection(source, wait)
        self._timeline = Timeline(source.origin)
        self._newest: float | None = None
        streams = source.description.streams
        self._lanes: dict[MediaKind, _VideoLane | _AudioLane] = {}
        if source.description.video is not None:
            video = tuple(stream for stream in streams if stream.kind is MediaKind.VIDEO)
            self._lanes[MediaKind.VIDEO] = _VideoLane(source, video, demand, self._timeline)
        if source.description.audio is not None:
            (audio,) = (stream for stream in streams if stream.kind is MediaKind.AUDIO)
            self._lanes[MediaKind.AUDIO] = _AudioLane(source, audio, demand, self._timeline)

    @property
    def description(self) -> SourceDescription:
        return self._source.description

    def units(self) -> Iterator[SourceUnit | TimeReached]:
        """All units in the order of playing; without end if the source is looped."""
        while True:
            played = self._timeline.end
            problem = None
            try:
                yield from self._one_pass()
            except MediaSourceError as error:
                if not self._source.address.is_remote:
                    raise
                problem = error.problem
            if not self._loop:
                return
            if self._source.description.live or problem is not None:
                if not self._reconnection.come_back(problem or "it has ended"):
                    return
                self._restart()
            else:
                if self._timeline.end <= played:
                    raise MediaSourceError(self._source.address.name, "there is nothing in it")
                self._source.rewind()
                self._timeline.rewind()

    def close(self) -> None:
        self._source.close()

    def _one_pass(self) -> Iterator[SourceUnit | TimeReached]:
        packets = self._source.packets()
        for packet in packets if self._source.description.live else self._interleaved(packets):
            self._reconnection.succeeded()
            yield from self._push(packet)
        for lane in self._lanes.values():
            yield from lane.finish()

    def _interleaved(self, packets: Iterator[DemuxedPacket]) -> Iterator[DemuxedPacket]:
        """In the order of their times; what is live comes in that order, and must not wait."""
        interleaver: Interleaver[MediaKind, DemuxedPacket] = Interleaver(self._lanes)
        for packet in packets:
            interleaver.push(packet.kind, packet.decode_time, packet)
            while (earliest := interleaver.pop()) is not None:
                yield earliest
        yield from interleaver.drain()

    def _push(self, packet: DemuxedPacket) -> Iterator[SourceUnit | TimeReached]:
        if self._source.description.live:
            self._follow(packet.decode_time)
        placed = self._timeline.place(packet.decode_time, 0.0)
        nothing = True
        for unit in self._lanes[packet.kind].push(packet):
            nothing = False
            yield unit
        if nothing:
            yield TimeReached(placed)

    def _follow(self, time: float) -> None:
        """Live sources begin at any time of their clocks, and some set these in between."""
        if self._newest is None or abs(time - self._newest) > MAX_JUMP:
            self._timeline.resume(time)
            self._newest = time
        self._newest = max(self._newest, time)

    def _restart(self) -> None:
        self._newest = None
        self._timeline.resume(self._source.origin)
        for lane in self._lanes.values():
            lane.restart()


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
        if end <= self._source.origin and not self._source.description.live:
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

    def restart(self) -> None:
        """What comes now is another opening of the source."""
        self._transcoder = None

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
        self._source = source
        self._timeline = timeline
        self._stream = streams[0]
        self._passthrough: Passthrough | None = None
        self._clock = FrameClock(self._stream.codec.clock_rate)
        settings = encode_settings(track.width, track.height, track.frame_rate)
        self._encodes = VideoEncodes(streams, settings, demand)
        self.restart()

    def push(self, packet: DemuxedPacket) -> Iterator[SourceUnit]:
        placed = self._timeline.place(packet.time, packet.duration)
        if self._passthrough is not None:
            unit = self._passthrough.unit(packet.data, 0)
            if unit is not None:
                timed = dataclasses.replace(unit, timestamp=self._clock.timestamp(placed))
                yield SourceUnit(self._stream, timed, placed)
        if self._encodes.is_wanted():
            yield from self._encode(self._pictures.decode(packet))
        else:
            self._pictures.skip(packet)

    def finish(self) -> Iterator[SourceUnit]:
        yield from self._encode(self._pictures.finish())

    def restart(self) -> None:
        """What comes now is another opening of the source."""
        self._pictures = PictureDecoding(self._source)
        if self._stream.origin is Origin.PASSTHROUGH:
            self._passthrough = self._source.passthrough()

    def _encode(self, pictures: list[Picture]) -> Iterator[SourceUnit]:
        for picture in pictures:
            yield from self._encodes.push(picture, self._timeline.place(picture.time, 0.0))
