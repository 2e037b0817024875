"""Decoding audio of any kind, and encoding it as Opus."""

from __future__ import annotations

from fractions import Fraction

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

from .packets import DemuxedPacket, seconds

OPUS_SAMPLES = 960
"""20 ms at 48 kHz."""

OPUS_BITRATE = 96_000


class OpusEncoder:
    """Encodes 48 kHz stereo in blocks of 20 ms as Opus."""

    def __init__(self) -> None:
        context = av.CodecContext.create("libopus", "w")
        assert isinstance(context, AudioCodecContext)
        context.sample_rate, context.layout, context.format = 48_000, "stereo", "s16"
        context.bit_rate = OPUS_BITRATE
        context.time_base = Fraction(1, 48_000)
        context.options = {"application": "audio", "frame_duration": "20"}
        context.open()
        self._context = context

    def encode(self, block: AudioFrame) -> list[bytes]:
        """The packets that come out with a block of ``OPUS_SAMPLES``."""
        block.pts = None  # the encoder takes its own
        return [bytes(packet) for packet in self._context.encode(block)]

    def encode_samples(self, samples: bytes) -> list[bytes]:
        """The same for a block of interleaved 16 bit samples."""
        block = AudioFrame(format="s16", layout="stereo", samples=OPUS_SAMPLES)
        block.planes[0].update(samples)
        block.sample_rate = 48_000
        return self.encode(block)


class OpusTranscoder:
    """Decodes one audio track, and encodes it as Opus: 48 kHz, stereo, 20 ms."""

    def __init__(self, stream: AudioStream) -> None:
        context = av.CodecContext.create(stream.codec_context.name, "r")
        assert isinstance(context, AudioCodecContext)
        _copy_audio_parameters(stream.codec_context, context)
        self._decoder = context
        # Frames that are flushed out bear no time base of their own.
        self._time_base = stream.time_base
        self._resampler = _opus_resampler()
        self._encoder = OpusEncoder()

    def transcode(self, packet: DemuxedPacket) -> list[tuple[float, bytes]]:
        """Opus packets with the container's time of their first sample."""
        try:
            frames = self._decoder.decode(packet.packet)
        except av.FFmpegError:
            return []
        return [out for frame in frames for out in self._encode(frame)]

    def finish(self) -> list[tuple[float, bytes]]:
        """What is still inside, at the end of the track; then it can begin again.

        Less than 20 ms at the end are dropped, so that every packet is a full one.
        """
        try:
            frames = self._decoder.decode(None)
        except av.FFmpegError:
            frames = []
        packets = [out for frame in frames for out in self._encode(frame)]
        self._decoder.flush_buffers()
        self._resampler = _opus_resampler()
        return packets

    def _encode(self, frame: AudioFrame) -> list[tuple[float, bytes]]:
        packets = []
        frame.time_base = frame.time_base or self._time_base
        for block in self._resampler.resample(frame):
            if block.samples != OPUS_SAMPLES:
                continue
            time = seconds(block.pts, block.time_base, 0.0)
            packets += [(time, data) for data in self._encoder.encode(block)]
        return packets


def _opus_resampler() -> AudioResampler:
    return AudioResampler(format="s16", layout="stereo", rate=48_000, frame_size=OPUS_SAMPLES)


def _copy_audio_parameters(source: AudioCodecContext, target: AudioCodecContext) -> None:
    if source.extradata:
        target.extradata = source.extradata
    target.sample_rate = source.sample_rate
    target.layout = source.layout.name
    if source.format is not None:
        target.format = source.format.name
