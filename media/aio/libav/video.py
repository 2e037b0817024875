"""Decoding video, and encoding it for browsers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction

import av
from av.packet import Packet
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from media.bitstream import NalType, is_vp8_keyframe, nal_type, split_annex_b
from media.source import EncodeSettings
from media.units import AccessUnit, CodecName

from .packets import DemuxedPacket, seconds
from .rotation import Rotator

KEYFRAME_SECONDS = 4
"""An encoder's own key frames. Who joins is sent all since the last one, which has to pass
the viewer's line and decoder at once; a key frame costs about 3 % at this distance."""

BT709, BT601 = 1, 6
BT601_LIKE = (5,)
"""Matrix coefficients (H.264 table E-5); 5 and 6 are the same ones for 50 and 60 Hz."""

MAX_TELEVISION_HEIGHT = 576

VP8_REOPEN_SECONDS = 5
"""libvpx through libavcodec cannot change its bitrate: it is opened anew, which costs a
key frame, so not more often than this."""


@dataclasses.dataclass(frozen=True, slots=True)
class Picture:
    """A decoded frame, at a time of the container's clock."""

    time: float
    frame: VideoFrame


def drawn_picture(
    time: float, width: int, height: int, planes: Sequence[bytes | bytearray]
) -> Picture:
    """A picture of 4:2:0 planes without gaps between their rows."""
    frame = VideoFrame(width, height, "yuv420p")
    for plane, data in zip(frame.planes, planes, strict=True):
        if plane.line_size != plane.width:
            gap = bytes(plane.line_size - plane.width)
            rows = range(0, len(data), plane.width)
            data = b"".join(bytes(data[start : start + plane.width]) + gap for start in rows)
        plane.update(bytes(data))
    return Picture(time, frame)


class VideoDecoder:
    """Decodes one video track, in one thread."""

    def __init__(self, stream: VideoStream) -> None:
        # The stream's own, which alone knows all that the container says of it: the format
        # of raw pictures, and which way is up. Only one decoder is in use at a time.
        context = stream.codec_context
        if context.is_open:
            context.flush_buffers()
        else:
            context.thread_count = 1
        self._context = context
        # Frames that are flushed out bear no time base of their own.
        self._time_base = stream.time_base
        self._rotator = Rotator()

    def decode(self, packet: DemuxedPacket) -> list[Picture]:
        """The pictures that come out now, upright; none for a damaged sample."""
        return [self._picture(frame) for frame in self.decode_as_coded(packet)]

    def decode_as_coded(self, packet: DemuxedPacket) -> list[VideoFrame]:
        """The same as they were coded, whichever way is up."""
        try:
            return self._context.decode(packet.packet)
        except av.FFmpegError:
            return []

    def finish(self) -> list[Picture]:
        """The frames still inside, at the end of the track; then it can begin again."""
        try:
            frames = self._context.decode(None)
        except av.FFmpegError:
            frames = []
        self._context.flush_buffers()
        return [self._picture(frame) for frame in frames]

    def _picture(self, frame: VideoFrame) -> Picture:
        time = seconds(frame.pts, frame.time_base or self._time_base, 0.0)
        return Picture(time, self._rotator.upright(frame))


class VideoEncoder:
    """Encodes pictures for browsers with the least delay, in one thread."""

    def __init__(self, codec: CodecName, settings: EncodeSettings) -> None:
        self._codec = codec
        self._settings = settings
        self._context: VideoCodecContext | None = None
        self._opened_at = 0

    def encode(self, picture: Picture, timestamp: int) -> list[AccessUnit]:
        """Encode a picture under a timestamp of the 90 kHz clock."""
        return self._encode(picture, timestamp, PictureType.NONE)

    def encode_keyframe(self, picture: Picture, timestamp: int) -> list[AccessUnit]:
        """Encode a picture that decoding can start at."""
        return self._encode(picture, timestamp, PictureType.I)

    def set_bitrate(self, bitrate: int) -> None:
        """Follow a target in bit/s: H.264 at once, VP8 within some seconds."""
        self._settings = dataclasses.replace(self._settings, bitrate=bitrate)
        if self._codec is CodecName.H264 and self._context is not None:
            self._context.bit_rate = bitrate

    def _encode(
        self, picture: Picture, timestamp: int, picture_type: PictureType
    ) -> list[AccessUnit]:
        context = self._opened(picture.frame, timestamp)
        frame = _fitted(picture.frame, self._settings)
        frame.pts, frame.time_base = timestamp, Fraction(1, self._codec.clock_rate)
        frame.pict_type = picture_type
        return [self._unit(packet) for packet in context.encode(frame)]

    def _unit(self, packet: Packet[Stream]) -> AccessUnit:
        data = bytes(packet)
        if self._codec is CodecName.VP8:
            keyframe = is_vp8_keyframe(data)
        else:
            keyframe = any(nal_type(nal) == NalType.IDR_SLICE for nal in split_annex_b(data))
        return AccessUnit(self._codec, data, packet.pts or 0, keyframe)

    def _opened(self, frame: VideoFrame, timestamp: int) -> VideoCodecContext:
        """The encoder, opened with the first picture, or anew for another bitrate."""
        context, settings = self._context, self._settings
        is_stale = context is not None and context.bit_rate != settings.bitrate
        age = timestamp - self._opened_at
        if context is None or (is_stale and age >= VP8_REOPEN_SECONDS * self._codec.clock_rate):
            context = self._context = _video_context(self._codec, settings, frame)
            self._opened_at = timestamp
        return context


def _fitted(frame: VideoFrame, settings: EncodeSettings) -> VideoFrame:
    """In the size and the format of the encoder; webcams' JPEG has another range of levels."""
    levels = ColorRange.MPEG if frame.color_range == ColorRange.JPEG else None
    return frame.reformat(settings.width, settings.height, "yuv420p", dst_color_range=levels)


def _video_context(
    codec: CodecName, settings: EncodeSettings, frame: VideoFrame
) -> VideoCodecContext:
    name = "libx264" if codec is CodecName.H264 else "libvpx"
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = settings.width, settings.height, "yuv420p"
    context.framerate = settings.frame_rate
    context.time_base = Fraction(1, codec.clock_rate)
    context.bit_rate = settings.bitrate
    context.gop_size = int(KEYFRAME_SECONDS * settings.frame_rate)
    context.max_b_frames = 0
    context.thread_count = 1
    # A VBV of half a second bounds key frames, and lets x264 follow bit_rate in place.
    options = {"maxrate": str(settings.bitrate), "bufsize": str(settings.bitrate // 2)}
    if codec is CodecName.H264:
        options |= {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1", "level": "3.1"}
        context.profile = "Baseline"
        _name_colours(context, frame)
    else:
        options |= {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0"}
        options |= {"auto-alt-ref": "0", "error-resilient": "default"}
        options["minrate"] = options["maxrate"]
    context.options = options
    context.open()
    return context


def _name_colours(context: VideoCodecContext, frame: VideoFrame) -> None:
    """Say what the colours mean; browsers take all that does not for BT.709.

    Films that do not say either mean BT.601 up to the height of television.
    """
    matrix = frame.colorspace
    if matrix not in (BT709, BT601, *BT601_LIKE):
        matrix = BT601 if frame.height <= MAX_TELEVISION_HEIGHT else BT709
    context.colorspace = BT709 if matrix == BT709 else BT601
    context.color_primaries = context.color_trc = context.colorspace
    context.color_range = ColorRange.MPEG
