"""The encoders of a source's video: one for each codec that somebody uses."""

from __future__ import annotations

from collections.abc import Iterator

from media.source import EncodeSettings, FrameClock, Origin, SourceStream
from media.units import AccessUnit

from .demand import Demand, SourceUnit
from .libav import Picture, VideoEncoder

FRAME_RATE_SLACK = 0.8
"""A frame that comes after this share of the encoder's frame interval is not dropped."""


class VideoEncodes:
    """The encoded streams among these, each with an encoder while it is in use."""

    def __init__(
        self, streams: tuple[SourceStream, ...], settings: EncodeSettings, demand: Demand
    ) -> None:
        self._demand = demand
        self._encodes = [
            _Encode(stream, settings, demand)
            for stream in streams
            if stream.origin is Origin.ENCODED
        ]

    def is_wanted(self) -> bool:
        """Whether pictures are needed now; encoders that nobody uses end."""
        wanted = False
        for encode in self._encodes:
            if encode.stream in self._demand.streams:
                wanted = True
            else:
                encode.stop()
        return wanted

    def push(self, picture: Picture, placed: float) -> Iterator[SourceUnit]:
        """Encode a picture that is to be played at ``placed``, for whom needs it."""
        for encode in self._encodes:
            if encode.stream in self._demand.streams:
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
