"""Opening, describing and demuxing what holds the media."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.stream import Disposition
from av.video.stream import VideoStream

from media.source import (
    AudioTrack,
    MediaSourceError,
    Passthrough,
    SourceAddress,
    SourceDescription,
    SourceKind,
    VideoFindings,
    VideoTrack,
    audio_obstacle,
    video_obstacle,
)

from .audio import OpusTranscoder
from .opening import open_container
from .packets import DemuxedPacket, demuxed
from .probe import look_at_file, look_at_stream, passthrough_of
from .video import VideoDecoder

_MICROSECONDS = 1_000_000

_LIVE_FORMATS = frozenset({"rtsp", "rtp", "sdp"})


class LibavInput:
    """An opened file, stream or device.

    Raises:
        MediaSourceError: it cannot be opened, or there is nothing in it to play.
    """

    def __init__(self, spec: str) -> None:
        self.address = SourceAddress.parse(spec)
        self._open()

    @property
    def description(self) -> SourceDescription:
        """As it was found when it was opened last."""
        return self._description

    @property
    def origin(self) -> float:
        """The container's time at which playing begins."""
        return (self._container.start_time or 0) / _MICROSECONDS

    def packets(self) -> Iterator[DemuxedPacket]:
        """All samples from here to the end, in the container's order.

        Raises:
            MediaSourceError: reading failed.
        """
        streams = [stream for stream in (self._video, self._audio) if stream is not None]
        followed: dict[int, float] = {}
        try:
            for packet in self._container.demux(streams):
                if packet.size:
                    yield demuxed(packet, followed)
        except av.FFmpegError as error:
            problem = f"reading failed: {error.strerror}"
            if isinstance(error, av.error.ExitError):
                problem = "nothing comes any more"
            raise MediaSourceError(self.address.name, problem) from error

    def rewind(self) -> None:
        """Go back to the beginning.

        Raises:
            MediaSourceError: it can neither be rewound nor opened anew.
        """
        # Seeking in Matroska skips what audio stands before the first key frame.
        if "matroska" not in self._container.format.name:
            with contextlib.suppress(av.FFmpegError):
                self._container.seek(self._container.start_time or 0)
                return
        self._container.close()
        self._connect()

    def reopen(self) -> None:
        """Open anew what was lost.

        Raises:
            MediaSourceError: as when it was opened first.
        """
        self._container.close()
        self._open()

    def passthrough(self) -> Passthrough:
        """What makes access units of the video's samples."""
        assert self._video is not None
        return passthrough_of(self._video)

    def video_decoder(self) -> VideoDecoder:
        assert self._video is not None
        return VideoDecoder(self._video)

    def opus_transcoder(self) -> OpusTranscoder:
        assert self._audio is not None
        return OpusTranscoder(self._audio)

    def close(self) -> None:
        self._container.close()

    def _open(self) -> None:
        self._connect()
        try:
            if self._video is None and self._audio is None:
                raise MediaSourceError(self.address.name, "there is neither video nor audio in it")
            self._description = self._describe()
        except BaseException:
            self._container.close()
            raise

    def _connect(self) -> None:
        self._container = open_container(self.address)
        self._video, self._audio = self._find_video(), self._find_audio()

    def _find_video(self) -> VideoStream | None:
        for stream in self._container.streams.video:
            is_cover = stream.disposition & Disposition.attached_pic
            if not is_cover and _is_known(stream):
                return stream
        return None

    def _find_audio(self) -> AudioStream | None:
        return next((one for one in self._container.streams.audio if _is_known(one)), None)

    def _describe(self) -> SourceDescription:
        duration = self._container.duration
        is_live = self._is_live()
        return SourceDescription(
            self.address.name,
            None if self._video is None else self._describe_video(self._video, live=is_live),
            None if self._audio is None else _describe_audio(self._audio),
            duration=duration / _MICROSECONDS if duration is not None and duration > 0 else None,
            live=is_live,
        )

    def _is_live(self) -> bool:
        if self.address.kind is SourceKind.CAMERA:
            return True
        if _LIVE_FORMATS & set(self._container.format.name.split(",")):
            return True
        # Elementary streams and unfinished recordings have no duration, but an end.
        is_file = self.address.kind is SourceKind.FILE and os.path.isfile(self.address.text)
        return (self._container.duration or 0) <= 0 and not is_file

    def _describe_video(self, stream: VideoStream, *, live: bool) -> VideoTrack:
        context = stream.codec_context
        if not context.width or not context.height:
            raise MediaSourceError(self.address.name, "its video cannot be decoded")
        # Rewinding may close the container, and with it all that is asked of the stream.
        size, frame_rate = (context.width, context.height), _frame_rate(stream)
        if live:
            findings = look_at_stream(stream)
        else:
            findings = look_at_file(self._container, stream)
            self.rewind()
        found = findings.parameter_set
        width, height = _shown_size(*size, findings)
        return VideoTrack(
            findings.codec_name,
            width,
            height,
            frame_rate,
            findings.in_display_order,
            findings.keyframe_interval,
            None if found is None else found.profile_level_id,
            video_obstacle(findings),
        )


def _frame_rate(stream: VideoStream) -> Fraction | None:
    return stream.average_rate or stream.guessed_rate


def _shown_size(width: int, height: int, findings: VideoFindings) -> tuple[int, int]:
    """With square pixels, and upright."""
    aspect = findings.pixel_aspect
    if aspect > 1:
        width = round(width * aspect)
    else:
        height = round(height / (aspect or Fraction(1)))
    return (height, width) if findings.rotation in (90, -90) else (width, height)


def _is_known(stream: VideoStream | AudioStream) -> bool:
    """Streams of codecs that this FFmpeg cannot decode have no codec context."""
    return getattr(stream, "codec_context", None) is not None


def _describe_audio(stream: AudioStream) -> AudioTrack:
    context = stream.codec_context
    name = "opus" if context.name == "libopus" else context.name
    obstacle = audio_obstacle(name, context.channels)
    return AudioTrack(name, context.sample_rate, context.channels, obstacle)
