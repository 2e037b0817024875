"""Short clips for tests, made on the spot: small pictures, a tone, a few frames."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Container, Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

WIDTH, HEIGHT = 64, 48
FRAME_RATE = 25


def h264_mp4(
    path: Path, *, frames: int = 20, gop: int = 10, audio: bool = True, rate: int = FRAME_RATE
) -> Path:
    """H.264 Baseline without B frames, and AAC."""
    options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(gop)}
    sound = "aac" if audio else None
    return _clip(path, "libx264", options, sound, frames=frames, rate=rate)


def h264_mp4_with_b_frames(path: Path, *, frames: int = 20) -> Path:
    """H.264 Main whose frames are not in display order; no audio."""
    options = {"preset": "medium", "bf": "2", "b_strategy": "0", "g": "10"}
    return _clip(path, "libx264", options, None, frames=frames)


def phone_mp4(path: Path, *, degrees: int, frames: int = 10) -> Path:
    """H.264 Baseline to be turned counterclockwise; its pictures get brighter to the right."""
    return _h264(path, lambda stream: stream.set_display_rotation(degrees), frames=frames)


def anamorphic_mp4(path: Path, *, frames: int = 10) -> Path:
    """H.264 Baseline whose pixels are twice as wide as high."""

    def widen(stream: VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(2)

    return _h264(path, widen, frames=frames)


def _h264(path: Path, prepare: Callable[[VideoStream], None], *, frames: int) -> Path:
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "tune": "zerolatency"}
        stream = container.add_stream("libx264", rate=FRAME_RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        prepare(stream)
        for index in range(frames):
            frame = picture(0)
            frame.pts, frame.time_base = index, Fraction(1, FRAME_RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def h264_mp4_with_late_group(path: Path) -> Path:
    """H.264 Baseline with a key frame each second, and after 15 seconds none any more."""
    options = {"preset": "ultrafast", "tune": "zerolatency", "g": "1000", "forced-idr": "1"}
    return _clip(path, "libx264", options, None, frames=60, rate=2, keyframes=range(0, 30, 2))


def recovery_points_mkv(path: Path) -> Path:
    """H.264 whose key frames but the first are recovery points: decoding cannot begin there."""
    options = {"preset": "ultrafast", "tune": "zerolatency", "g": "4"}
    options["x264-params"] = "intra-refresh=1:keyint=4"
    return _clip(path, "libx264", options, None, frames=60, rate=2)


def coded(
    path: Path,
    codec: str,
    *,
    frames: int = 4,
    rate: int = FRAME_RATE,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    audio: str | None = None,
    options: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """Any codec that FFmpeg encodes, in any size."""
    asked = {"strict": "unofficial", **options}
    return _clip(path, codec, asked, audio, frames=frames, rate=rate, size=size)


def h264_ts(path: Path, *, frames: int = 20) -> Path:
    """H.264 Baseline in a transport stream, as cameras send it; no audio."""
    options = {"preset": "ultrafast", "tune": "zerolatency", "g": "10"}
    return _clip(path, "libx264", options, None, frames=frames)


def h264_ts_with_b_frames(path: Path, *, frames: int = 20) -> Path:
    """The same with frames that are not in display order."""
    options = {"preset": "medium", "bf": "2", "b_strategy": "0", "g": "10"}
    return _clip(path, "libx264", options, None, frames=frames)


def vp8_webm(path: Path, *, frames: int = 20, gop: int = 10) -> Path:
    """VP8 and Opus."""
    options = {"deadline": "realtime", "cpu-used": "-8", "g": str(gop), "auto-alt-ref": "0"}
    return _clip(path, "libvpx", options, "libopus", frames=frames)


def mpeg4_avi(path: Path, *, frames: int = 10, rate: int = FRAME_RATE) -> Path:
    """A codec that no browser takes, and PCM."""
    return _clip(path, "mpeg4", {}, "pcm_s16le", frames=frames, rate=rate)


def raw_avi(path: Path, *, frames: int = 4) -> Path:
    """Pictures as a camera gives them."""
    return _clip(path, "rawvideo", {}, None, frames=frames)


def wav(path: Path, *, seconds: float = 0.4) -> Path:
    """Audio alone."""
    with av.open(str(path), "w") as container:
        _write_tone(container, add_sound(container, "pcm_s16le"), seconds)
    return path


def picture(index: int, width: int = WIDTH, height: int = HEIGHT) -> VideoFrame:
    """A grey ramp that moves by four columns from frame to frame."""
    frame = VideoFrame(width, height, "yuv420p")
    luma = frame.planes[0]
    row = bytes((4 * (column + 4 * index)) & 0xFF for column in range(luma.line_size))
    luma.update(row * height)
    for plane in frame.planes[1:]:
        plane.update(bytes([128]) * plane.buffer_size)
    return frame


def _clip(
    path: Path,
    video: str,
    options: dict[str, str],
    audio: str | None,
    *,
    frames: int,
    rate: int = FRAME_RATE,
    keyframes: Container[int] = (),
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(video, rate=rate, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.thread_count = 1
        if video == "libx264" and not {"bf", "profile"} & options.keys():
            stream.profile = "Baseline"
        sound = add_sound(container, audio) if audio is not None else None
        for index in range(frames):
            frame = picture(index, *size)
            frame.pts, frame.time_base = index, Fraction(1, rate)
            if index in keyframes:
                frame.pict_type = PictureType.I
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            _write_tone(container, sound, frames / rate)
    return path


def add_sound(container: OutputContainer, codec: str) -> AudioStream:
    """A stereo track."""
    stream = container.add_stream(codec, rate=48_000)
    assert isinstance(stream, AudioStream)
    stream.layout = "stereo"
    return stream


def _write_tone(container: OutputContainer, stream: AudioStream, seconds: float) -> None:
    for start in range(0, int(seconds * 48_000), 960):
        container.mux(stream.encode(tone(start, 960)))
    container.mux(stream.encode(None))


def tone(start: int, samples: int) -> AudioFrame:
    """440 Hz in both channels."""
    wave = array("h")
    for index in range(start, start + samples):
        level = int(8000 * math.sin(2 * math.pi * 440 * index / 48_000))
        wave.extend((level, level))
    frame = AudioFrame(format="s16", layout="stereo", samples=samples)
    frame.planes[0].update(wave.tobytes())
    frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
    return frame
