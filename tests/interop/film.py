"""Films whose pictures bear their number, so that a page can tell which one it shows."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tests.media.clips import add_sound, tone

WIDTH, HEIGHT = 640, 360
FRAME_RATE = 25
NUMBER_BITS = 16
"""Squares in the first row of a picture, the highest bit first; white is 1."""

_SOUND = 48_000 // FRAME_RATE
"""Samples of sound for one picture."""

SQUARE = WIDTH // NUMBER_BITS


@dataclasses.dataclass(frozen=True)
class FilmFormat:
    """How a film is coded, and how FFmpeg is asked for that."""

    suffix: str
    video: str
    audio: str
    options: dict[str, str]


H264 = FilmFormat(".mp4", "libx264", "aac", {"preset": "ultrafast", "tune": "zerolatency"})
VP8 = FilmFormat(
    ".webm", "libvpx", "libopus", {"deadline": "realtime", "cpu-used": "-8", "auto-alt-ref": "0"}
)
MPEG4 = FilmFormat(".avi", "mpeg4", "pcm_s16le", {"qscale": "5"})
"""That no browser takes: it is encoded."""


def numbered_film(path: Path, coded: FilmFormat, *, seconds: float, keyframes: float) -> Path:
    """A film of so many seconds, with a keyframe every so many, and a tone."""
    path = path.with_suffix(coded.suffix)
    with av.open(str(path), "w") as container:
        video = _video(container, coded, gop=round(keyframes * FRAME_RATE))
        sound = add_sound(container, coded.audio)
        for number in range(round(seconds * FRAME_RATE)):
            frame = numbered_picture(number)
            frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
            container.mux(video.encode(frame))
            for start in range(number * _SOUND, (number + 1) * _SOUND, _SOUND // 2):
                container.mux(sound.encode(tone(start, _SOUND // 2)))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    return path


def numbered_picture(number: int) -> VideoFrame:
    """Some texture that moves, below the number."""
    frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
    luma = frame.planes[0]
    bits = [number >> bit & 1 for bit in reversed(range(NUMBER_BITS))]
    squares = b"".join(bytes([235 if bit else 16]) * SQUARE for bit in bits)
    padding = bytes(luma.line_size - WIDTH)
    rows = [(squares + padding) * SQUARE]
    for row in range(HEIGHT - SQUARE):
        shift = 4 * number + row // 8 * 16
        rows.append(_RAMP[shift % 256 : shift % 256 + WIDTH] + padding)
    luma.update(b"".join(rows))
    for plane in frame.planes[1:]:
        plane.update(bytes([128]) * plane.buffer_size)
    return frame


_RAMP = bytes(abs(column % 256 - 128) + 64 for column in range(WIDTH + 256))


def _video(container: OutputContainer, coded: FilmFormat, *, gop: int) -> VideoStream:
    options = coded.options | {"g": str(gop), "keyint_min": str(gop), "sc_threshold": "0"}
    stream: Stream = container.add_stream(coded.video, rate=FRAME_RATE, options=options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    stream.bit_rate = 1_000_000
    stream.thread_count = 1
    if coded is H264:
        stream.profile = "Baseline"
    return stream
