"""What the test card looks like.

Colour bars, and on them a disc with the time of day, the number of the frame and a ring
of lamps, one for each frame of a second. Below, a ball that reaches an end of its track
when the tone begins, and lights it up: pictures and sound belong together.

Everything that does not move is drawn once; a frame is a copy of that and some hundred
short rows, which takes a third of a millisecond.
"""

from __future__ import annotations

import math

from .font import Typeface
from .plane import Plane, Sprite, disc_sprite, mix

WIDTH, HEIGHT = 640, 360
FRAME_RATE = 25

_BARS = (0xE6E3DB, 0xE8B54A, 0x45B7C9, 0x4FA968, 0xB765B8, 0xD9573B, 0x3E69B4, 0x2A2F45)
_FLOOR = 300
"""Where the bars end and the track of the ball begins."""

_CENTRE_X, _CENTRE_Y = 320, 150
_DISC_RADIUS, _RIM = 139.6, 3
_RING_RADIUS, _LAMP_RADIUS = 123, 5.5
_NAME_Y, _CLOCK_Y, _NUMBER_Y = 92, 136, 192

_TRACK_Y, _BALL_RADIUS = 330, 11.6
_SWING = 250
_POST_WIDTH, _POST_HEIGHT, _POST_X = 8, 36, 36
_FLASH_SECONDS = 0.12
"""As long as the tone."""

_NIGHT, _GOLD, _WHITE = 0x141A26, 0xF2B84B, 0xF4F2EC
_AFTERGLOW = 0.84
"""How much of its light a lamp keeps from frame to frame."""


def _luma(colour: int) -> int:
    """BT.601, as browsers take it for small pictures."""
    red, green, blue = colour.to_bytes(3, "big")
    return round(16 + 0.257 * red + 0.504 * green + 0.098 * blue)


def _chroma(colour: int) -> tuple[int, int]:
    red, green, blue = colour.to_bytes(3, "big")
    return (
        round(128 - 0.148 * red - 0.291 * green + 0.439 * blue),
        round(128 + 0.439 * red - 0.368 * green - 0.071 * blue),
    )


class CardPicture:
    """Draws the frames of the test card: 4:2:0, eight bits, limited range."""

    def __init__(self) -> None:
        paper = _luma(_NIGHT)
        self._large = Typeface(4, ink=_luma(_WHITE), paper=paper)
        self._small = Typeface(2, ink=_luma(_WHITE), paper=paper)
        self._lamps = _lamps(paper)
        self._positions = [_on_ring(index) for index in range(FRAME_RATE)]
        self._ball = disc_sprite(_BALL_RADIUS, ink=_luma(_GOLD), paper=paper)
        self._ball_chroma = [
            disc_sprite(_BALL_RADIUS / 2, ink=ink, paper=below)
            for ink, below in zip(_chroma(_GOLD), _chroma(_NIGHT), strict=True)
        ]
        self._background = self._draw_background()

    def frame(self, number: int, clock: str) -> tuple[bytearray, bytearray, bytearray]:
        """The planes Y, U and V of a frame; ``clock`` is the time to write on it.

        The frame shows the moment ``number / FRAME_RATE`` seconds after the beginning.
        """
        luma, *chroma = (plane.copy() for plane in self._background)
        for index, (x, y) in enumerate(self._positions):
            luma.draw(self._lamps[(number - index) % FRAME_RATE], x, y)
        _write(luma, self._large, clock, _CLOCK_Y)
        _write(luma, self._small, f"FRAME {number % 10_000_000:07}", _NUMBER_Y)
        self._draw_ball(luma, chroma, number / FRAME_RATE)
        return luma.data, chroma[0].data, chroma[1].data

    def _draw_ball(self, luma: Plane, chroma: list[Plane], seconds: float) -> None:
        is_lit = seconds % 1.0 < _FLASH_SECONDS
        if is_lit:
            _draw_post(luma, is_right=int(seconds) % 2 == 0, value=_luma(_WHITE))
        x = _CENTRE_X + round(_SWING * math.cos(math.pi * seconds))
        middle = math.ceil(_BALL_RADIUS)
        luma.draw(self._ball, x - middle, _TRACK_Y - middle)
        for plane, sprite in zip(chroma, self._ball_chroma, strict=True):
            plane.draw(sprite, (x - middle) // 2, (_TRACK_Y - middle) // 2)

    def _draw_background(self) -> tuple[Plane, Plane, Plane]:
        luma = Plane(WIDTH, HEIGHT)
        _draw_bars(luma, [_luma(colour) for colour in _BARS], night=_luma(_NIGHT))
        luma.disc(_CENTRE_X, _CENTRE_Y, _DISC_RADIUS, value=_luma(_WHITE))
        luma.disc(_CENTRE_X, _CENTRE_Y, _DISC_RADIUS - _RIM, value=_luma(_NIGHT))
        luma.fill(_POST_X, _TRACK_Y, WIDTH - 2 * _POST_X, 1, value=70)
        for is_right in (False, True):
            _draw_post(luma, is_right=is_right, value=70)
        _write(luma, self._small, "HAIRPIN", _NAME_Y)
        return luma, self._draw_chroma(0), self._draw_chroma(1)

    def _draw_chroma(self, index: int) -> Plane:
        plane = Plane(WIDTH // 2, HEIGHT // 2)
        night, gold = _chroma(_NIGHT)[index], _chroma(_GOLD)[index]
        _draw_bars(plane, [_chroma(colour)[index] for colour in _BARS], night=night)
        centre = _CENTRE_X / 2, _CENTRE_Y / 2
        plane.disc(*centre, _DISC_RADIUS / 2, value=_chroma(_WHITE)[index])
        plane.disc(*centre, (_DISC_RADIUS - _RIM) / 2, value=night)
        for x, y in self._positions:
            middle = math.ceil(_LAMP_RADIUS)
            plane.disc((x + middle) / 2, (y + middle) / 2, _LAMP_RADIUS / 2 + 0.5, value=gold)
        return plane


def _draw_bars(plane: Plane, values: list[int], *, night: int) -> None:
    """The bars, and the dark floor below them, at the size of the plane."""
    width, floor = plane.width // len(values), _FLOOR * plane.height // HEIGHT
    for index, value in enumerate(values):
        plane.fill(index * width, 0, width, floor, value=value)
    plane.fill(0, floor, plane.width, plane.height - floor, value=night)


def _draw_post(luma: Plane, *, is_right: bool, value: int) -> None:
    x = WIDTH - _POST_X - _POST_WIDTH if is_right else _POST_X
    luma.fill(x, _TRACK_Y - _POST_HEIGHT // 2, _POST_WIDTH, _POST_HEIGHT, value=value)


def _write(luma: Plane, typeface: Typeface, text: str, y: int) -> None:
    for sprite, x in typeface.place(text, _CENTRE_X - typeface.width(text) // 2):
        luma.draw(sprite, x, y)


def _lamps(paper: int) -> list[Sprite]:
    """A lamp by the number of frames since it was lit."""
    dark, bright = mix(paper, _luma(_GOLD), 0.18), _luma(_WHITE)
    return [
        disc_sprite(_LAMP_RADIUS, ink=mix(dark, bright, _AFTERGLOW**age), paper=paper)
        for age in range(FRAME_RATE)
    ]


def _on_ring(index: int) -> tuple[int, int]:
    """The upper left corner of a lamp; they go round clockwise from the top."""
    angle = 2 * math.pi * index / FRAME_RATE
    x = _CENTRE_X + _RING_RADIUS * math.sin(angle)
    y = _CENTRE_Y - _RING_RADIUS * math.cos(angle)
    return round(x) - math.ceil(_LAMP_RADIUS), round(y) - math.ceil(_LAMP_RADIUS)
