"""What a browser needs to know of encoded pictures beside the pictures."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from media.aio.libav import Picture, VideoEncoder, drawn_picture
from media.source import encode_settings
from media.units import CodecName

BT709, BT601 = 1, 6


def seen(codec: CodecName, picture: Picture) -> VideoFrame:
    """The picture after a decoder."""
    settings = encode_settings(picture.frame.width, picture.frame.height, Fraction(25))
    (unit,) = VideoEncoder(codec, settings).encode(picture, 0)
    decoder = av.CodecContext.create("h264" if codec is CodecName.H264 else "vp8", "r")
    assert isinstance(decoder, VideoCodecContext)
    frames = decoder.decode(av.Packet(unit.data)) + decoder.decode(None)
    return frames[0]


def white(width: int, height: int, pixel_format: str, *, level: int) -> Picture:
    frame = VideoFrame(width, height, pixel_format)
    for plane, value in zip(frame.planes, (level, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return Picture(0.0, frame)


@pytest.mark.parametrize("codec", [CodecName.H264, CodecName.VP8])
def test_the_full_range_of_a_webcam_becomes_that_of_video(codec: CodecName) -> None:
    picture = white(64, 48, "yuvj422p", level=255)
    picture.frame.color_range = ColorRange.JPEG

    frame = seen(codec, picture)

    assert bytes(frame.planes[0])[0] == pytest.approx(235, abs=2)


@pytest.mark.parametrize(
    ("size", "named", "expected"),
    [
        pytest.param((64, 48), 2, BT601, id="small"),
        pytest.param((1280, 720), 2, BT709, id="large"),
        pytest.param((64, 48), BT709, BT709, id="small-that-says-otherwise"),
        pytest.param((1280, 720), 5, BT601, id="large-that-says-otherwise"),
    ],
)
def test_h264_says_what_its_colours_mean(size: tuple[int, int], named: int, expected: int) -> None:
    picture = white(*size, "yuv420p", level=200)
    picture.frame.colorspace = named

    frame = seen(CodecName.H264, picture)

    assert (frame.colorspace, frame.color_range) == (expected, ColorRange.MPEG)


@pytest.mark.parametrize("size", [(640, 360), (66, 50), (34, 18)])
def test_a_drawn_picture_has_its_planes_whatever_the_lines_of_a_frame_are(
    size: tuple[int, int],
) -> None:
    width, height = size
    luma = bytes(index % 200 for index in range(width * height))
    chroma = bytes(index % 100 for index in range(width * height // 4))

    frame = drawn_picture(0.0, width, height, (luma, chroma, chroma)).frame

    for plane, drawn in zip(frame.planes, (luma, chroma, chroma), strict=True):
        lines = bytes(plane)
        rows = [
            lines[start : start + plane.width]
            for start in range(0, plane.line_size * plane.height, plane.line_size)
        ]
        assert b"".join(rows) == drawn
