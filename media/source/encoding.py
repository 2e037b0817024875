"""In which size and at which rate video is encoded for browsers."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

MAX_WIDTH = 1280
MAX_HEIGHT = 720
MAX_FRAME_RATE = 30
"""1280x720 at 30: H.264 level 3.1 (table A-1), which every offer names (42e01f)."""

DEFAULT_FRAME_RATE = Fraction(30)
"""When the source does not say."""

BITRATE_AT_LEVEL_3_1 = 2_500_000
BITRATE_EXPONENT = 0.75
"""bit/s for 1280x720 at 30, at ultrafast and realtime presets. Smaller pictures need more for
each pixel: half the pixels, six tenths of the bits."""

MIN_BITRATE = 150_000
"""bit/s; below, pictures fall apart."""


@dataclasses.dataclass(frozen=True, slots=True)
class EncodeSettings:
    """What an encoder is opened with; the bitrate is in bit/s."""

    width: int
    height: int
    frame_rate: Fraction
    bitrate: int


def encode_settings(width: int, height: int, frame_rate: Fraction | None) -> EncodeSettings:
    """Fit a picture into what every peer decodes, keeping its proportions."""
    scale = min(Fraction(1), _scale(width, height))
    encoded_width, encoded_height = _even(width * scale), _even(height * scale)
    rate = min(frame_rate or DEFAULT_FRAME_RATE, Fraction(MAX_FRAME_RATE))
    share = encoded_width * encoded_height * rate / (MAX_WIDTH * MAX_HEIGHT * MAX_FRAME_RATE)
    bitrate = max(MIN_BITRATE, int(BITRATE_AT_LEVEL_3_1 * float(share) ** BITRATE_EXPONENT))
    return EncodeSettings(encoded_width, encoded_height, rate, bitrate)


def _scale(width: int, height: int) -> Fraction:
    long, short = max(width, height, 1), max(min(width, height), 1)
    return min(Fraction(MAX_WIDTH, long), Fraction(MAX_HEIGHT, short))


def _even(size: Fraction) -> int:
    """4:2:0 pictures have even sides."""
    return max(2, int(size) // 2 * 2)
