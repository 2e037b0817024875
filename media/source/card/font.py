"""The letters of the test card: five by seven dots, made smooth at the size they are drawn.

Only the characters that the card needs are here.
"""

from __future__ import annotations

import functools

from .plane import Sprite, mix

_DOTS = {
    "0": "0e 11 11 11 11 11 0e",
    "1": "04 0c 04 04 04 04 0e",
    "2": "0e 11 01 02 04 08 1f",
    "3": "1f 02 04 02 01 11 0e",
    "4": "02 06 0a 12 1f 02 02",
    "5": "1f 10 1e 01 01 11 0e",
    "6": "06 08 10 1e 11 11 0e",
    "7": "1f 01 02 04 08 08 08",
    "8": "0e 11 11 0e 11 11 0e",
    "9": "0e 11 11 0f 01 02 0c",
    ":": "00 04 04 00 04 04 00",
    ".": "00 00 00 00 00 0c 0c",
    " ": "00 00 00 00 00 00 00",
    "A": "0e 11 11 1f 11 11 11",
    "E": "1f 10 10 1e 10 10 1f",
    "F": "1f 10 10 1e 10 10 10",
    "H": "11 11 11 1f 11 11 11",
    "I": "0e 04 04 04 04 04 0e",
    "M": "11 1b 15 15 11 11 11",
    "N": "11 11 19 15 13 11 11",
    "P": "1e 11 11 1e 10 10 10",
    "R": "1e 11 11 1e 14 12 11",
}
"""Rows from the top; of each number the lowest five bits, the leftmost the highest."""

COLUMNS, ROWS = 5, 7
_GAP = 1
_NARROW = {":": 3, ".": 3}
"""Columns taken by characters that would look lost in five."""

_SMOOTHING = 8
"""Dots are smoothed at this many times their size, and then averaged."""

Bitmap = list[list[int]]


class Typeface:
    """The characters at one size and in one colour.

    A dot is ``scale`` pixels wide: 1, 2, 4 or 8. ``ink`` and ``paper`` are luma.
    """

    def __init__(self, scale: int, *, ink: int, paper: int) -> None:
        self._scale = scale
        self._glyphs = {
            character: _sprite(_smooth(character), scale, ink=ink, paper=paper)
            for character in _DOTS
        }

    @property
    def height(self) -> int:
        return ROWS * self._scale

    def width(self, text: str) -> int:
        """Pixels from the left edge of the first character to the right of the last."""
        return sum(_advance(character) for character in text) * self._scale - self._scale

    def place(self, text: str, x: int) -> list[tuple[Sprite, int]]:
        """The characters, each with its left edge.

        Raises:
            KeyError: there is no such character.
        """
        placed = []
        for character in text:
            inset = (COLUMNS - _NARROW.get(character, COLUMNS)) // 2 * self._scale
            placed.append((self._glyphs[character], x - inset))
            x += _advance(character) * self._scale
        return placed


def _advance(character: str) -> int:
    return _NARROW.get(character, COLUMNS) + _GAP


def _bitmap(dots: str) -> Bitmap:
    return [[row >> bit & 1 for bit in (4, 3, 2, 1, 0)] for row in bytes.fromhex(dots)]


@functools.cache
def _smooth(character: str) -> Bitmap:
    bitmap, factor = _bitmap(_DOTS[character]), 1
    while factor < _SMOOTHING:
        bitmap = _doubled(bitmap)
        factor *= 2
    return bitmap


def _doubled(bitmap: Bitmap) -> Bitmap:
    """Twice the size, with the steps of slanting lines cut off: a corner of a pixel takes
    the colour of the two sides beside it where these agree and the opposite ones do not."""
    height, width = len(bitmap), len(bitmap[0])

    def at(x: int, y: int) -> int:
        return bitmap[y][x] if 0 <= x < width and 0 <= y < height else 0

    doubled: Bitmap = [[0] * (2 * width) for _ in range(2 * height)]
    for y in range(height):
        for x in range(width):
            above, below = at(x, y - 1), at(x, y + 1)
            left, right = at(x - 1, y), at(x + 1, y)
            is_edge = above != below and left != right
            for row, side in ((0, above), (1, below)):
                for column, neighbour in ((0, left), (1, right)):
                    corner = side if is_edge and side == neighbour else bitmap[y][x]
                    doubled[2 * y + row][2 * x + column] = corner
    return doubled


def _sprite(bitmap: Bitmap, scale: int, *, ink: int, paper: int) -> Sprite:
    size = _SMOOTHING // scale
    rows = []
    for y in range(0, len(bitmap), size):
        lines = bitmap[y : y + size]
        shares = [
            sum(sum(line[x : x + size]) for line in lines) / size**2
            for x in range(0, len(bitmap[0]), size)
        ]
        rows.append((0, bytes(mix(paper, ink, share) for share in shares)))
    return tuple(rows)
