"""Opening, describing and demuxing what holds the media."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from media.source import (
    AudioTrack,
    H264Passthrough,
    MediaSourceError,
    OrderProbe,
    Passthrough,
    SourceDescription,
    VideoFindings,
    VideoTrack,
    Vp8Passthrough,
    audio_obstacle,
    video_obstacle,
)

from .audio import OpusTranscoder
from .packets import DemuxedPacket, demuxed
from .video import VideoDecoder

OPEN_TIMEOUT = 10.0
READ_TIMEOUT = 10.0
"""Seconds for a camera or server that does not answer."""

_MICROSECONDS = 1_000_000


class LibavInput:
    """An opened file, stream or device.

    Raises:
        MediaSourceError: it cannot be opened, or there is nothing in it to play.
    """

    def __init__(self, spec: str) -> None:
        self._spec = spec
        self._container = _open(spec)
        try:
            self._video = self._find_video()
            self._audio = self._find_audio()
            if self._video is None and self._audio is None:
                raise MediaSourceError(spec, "there is neither video nor audio in it")
            self.description = self._describe()
        except BaseException:
            self._container.close()
            raise

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
            raise MediaSourceError(self._spec, f"reading failed: {error.strerror}") from error

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
        self._container = _open(self._spec)
        self._video, self._audio = self._find_video(), self._find_audio()

    def passthrough(self) -> Passthrough:
        """What makes access units of the video's samples."""
        if self.description.video is not None and self.description.video.codec_name == "vp8":
            return Vp8Passthrough()
        return H264Passthrough(_extradata(self._video))

    def video_decoder(self) -> VideoDecoder:
        assert self._video is not None
        return VideoDecoder(self._video)

    def opus_transcoder(self) -> OpusTranscoder:
        assert self._audio is not None
        return OpusTranscoder(self._audio)

    def close(self) -> None:
        self._container.close()

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
        # Elementary streams and unfinished recordings have no duration, but an end.
        live = (duration is None or duration <= 0) and not os.path.isfile(self._spec)
        return SourceDescription(
            self._spec,
            None if self._video is None else self._describe_video(self._video, live=live),
            None if self._audio is None else _describe_audio(self._audio),
            duration=duration / _MICROSECONDS if duration is not None and duration > 0 else None,
            live=live,
        )

    def _describe_video(self, stream: VideoStream, *, live: bool) -> VideoTrack:
        context = stream.codec_context
        if not context.width or not context.height:
            raise MediaSourceError(self._spec, "its video cannot be decoded")
        findings = VideoFindings(context.name, not context.has_b_frames)
        if context.name in ("h264", "vp8") and not live:
            findings = self._probe(stream)
        elif context.name == "h264":
            found = H264Passthrough(_extradata(stream)).parameter_set()
            findings = dataclasses.replace(findings, parameter_set=found)
        found = findings.parameter_set
        return VideoTrack(
            context.name,
            context.width,
            context.height,
            stream.average_rate or stream.guessed_rate,
            findings.in_display_order,
            findings.keyframe_interval,
            None if found is None else found.profile_level_id,
            video_obstacle(findings),
        )

    def _probe(self, stream: VideoStream) -> VideoFindings:
        """Look at the first seconds of the video: order of frames, distance of key frames."""
        order = OrderProbe()
        samples: list[bytes] = []
        followed: dict[int, float] = {}
        with contextlib.suppress(av.FFmpegError):  # what is wrong shows again in playing
            for packet in self._container.demux(stream):
                if not packet.size:
                    continue
                if order.count < 8:
                    samples.append(bytes(packet))
                sample = demuxed(packet, followed)
                order.push(sample.time, keyframe=sample.keyframe)
                if order.is_done:
                    break
        self.rewind()
        in_order, found = order.in_order, None
        if stream.codec_context.name == "h264":
            found = H264Passthrough(_extradata(stream)).parameter_set(samples)
            in_order = in_order and (found is None or not found.max_reorder_frames)
        return VideoFindings(stream.codec_context.name, in_order, order.interval, found)


def _open(spec: str) -> InputContainer:
    try:
        return av.open(spec, "r", timeout=(OPEN_TIMEOUT, READ_TIMEOUT))
    except FileNotFoundError as error:
        raise MediaSourceError(spec, "there is no such file") from error
    except PermissionError as error:
        raise MediaSourceError(spec, "it may not be read") from error
    except IsADirectoryError as error:
        raise MediaSourceError(spec, "it is a folder, not a file") from error
    except av.InvalidDataError as error:
        raise MediaSourceError(spec, "it is no audio or video that can be read") from error
    except (av.FFmpegError, OSError) as error:
        raise MediaSourceError(spec, f"it cannot be opened: {error.strerror}") from error


def _is_known(stream: VideoStream | AudioStream) -> bool:
    """Streams of codecs that this FFmpeg cannot decode have no codec context."""
    return getattr(stream, "codec_context", None) is not None


def _extradata(stream: VideoStream | None) -> bytes:
    return b"" if stream is None else stream.codec_context.extradata or b""


def _describe_audio(stream: AudioStream) -> AudioTrack:
    context = stream.codec_context
    name = "opus" if context.name == "libopus" else context.name
    obstacle = audio_obstacle(name, context.channels)
    return AudioTrack(name, context.sample_rate, context.channels, obstacle)
