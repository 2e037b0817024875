"""Writing coded media into a file."""

from __future__ import annotations

from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream

from media.recorder import (
    Container,
    RecordedSample,
    RecorderError,
    RecordingFormat,
)
from media.units import CodecName, MediaKind

FRAGMENT_SECONDS = 1
"""What is lost at most when the process is killed, beside what waits for the disk."""

_FORMATS = {Container.MP4: "mp4", Container.WEBM: "webm", Container.MATROSKA: "matroska"}

_OPTIONS = {
    "flush_packets": "1",
    # A track that falls silent must not keep the other one in memory.
    "max_interleave_delta": str(FRAGMENT_SECONDS * 1_000_000),
}

_MP4_OPTIONS = {
    # Fragments while it is written, so that a part of it can be played; an ordinary file
    # with one index, which everything plays and seeks in, once it is closed. The head waits
    # for the first fragment: it tells by how much one track begins later than the other.
    "movflags": "hybrid_fragmented+delay_moov",
    "frag_duration": str(FRAGMENT_SECONDS * 1_000_000),
}

_MATROSKA_OPTIONS = {"cluster_time_limit": str(FRAGMENT_SECONDS * 1000)}


class LibavOutput:
    """A file that is being written.

    Raises:
        RecorderError: it cannot be written.
    """

    def __init__(self, path: str, container: Container, fmt: RecordingFormat) -> None:
        self._path = path
        is_mp4 = container is Container.MP4
        options = _OPTIONS | (_MP4_OPTIONS if is_mp4 else _MATROSKA_OPTIONS)
        try:
            self._output = av.open(path, "w", format=_FORMATS[container], options=options)
            self._streams: dict[MediaKind, tuple[Stream, Fraction]] = {}
            self._add_streams(container, fmt)
        except (av.FFmpegError, OSError) as error:
            raise self._failure(error) from error

    def write(self, sample: RecordedSample) -> None:
        """Append a sample; those of one kind come in order of time.

        Raises:
            RecorderError: the disk is full, or gone.
        """
        stream, time_base = self._streams[sample.kind]
        packet: Packet[Stream] = av.Packet(sample.data)
        packet.stream, packet.time_base = stream, time_base
        packet.pts = packet.dts = sample.time
        packet.duration = sample.duration
        packet.is_keyframe = sample.keyframe
        try:
            self._output.mux(packet)
        except (av.FFmpegError, OSError) as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Write the end of the file.

        Raises:
            RecorderError: it could not be written.
        """
        try:
            self._output.close()
        except (av.FFmpegError, OSError) as error:
            raise self._failure(error) from error

    def _add_streams(self, container: Container, fmt: RecordingFormat) -> None:
        if fmt.video is not None:
            base = Fraction(1, container.ticks_per_second(MediaKind.VIDEO))
            name = "h264" if fmt.video.codec is CodecName.H264 else "vp8"
            # The H.264 in the head of the file is made of the first sample's parameter sets.
            video = self._output.add_mux_stream(
                name, width=fmt.video.width, height=fmt.video.height, time_base=base
            )
            self._streams[MediaKind.VIDEO] = video, base
        if fmt.has_audio:
            # An encoder that encodes nothing: it knows what the head of the file has to say.
            audio = self._output.add_stream("libopus", rate=CodecName.OPUS.clock_rate)
            assert isinstance(audio, AudioStream)
            audio.layout = "stereo"
            base = Fraction(1, container.ticks_per_second(MediaKind.AUDIO))
            self._streams[MediaKind.AUDIO] = audio, base

    def _failure(self, error: av.FFmpegError | OSError) -> RecorderError:
        return RecorderError(f"{self._path} cannot be written: {error.strerror or error}")
