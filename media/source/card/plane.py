"""One plane of a picture as bytes, and what is drawn into it row by row."""

from __future__ import annotations

import math

Sprite = tuple[tuple[int, bytes], ...]
"""Rows from the top: how far each begins from the left, and its values."""


def mix(below: int, above: int, share: float) -> int:
    """Two values, the upper one covering this share of the lower one."""
    return round(below + (above - below) * share)


class Plane:
    """Eight bits for each pixel, row after row without gaps."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.data = bytearray(width * height)

    def copy(self) -> Plane:
        other = Plane(0, 0)
        other.width, other.height, other.data = self.width, self.height, self.data[:]
        return other

    def fill(self, x: int, y: int, width: int, height: int, *, value: int) -> None:
        """A rectangle; it has to lie within the plane."""
        row = bytes([value]) * width
        for start in range(y * self.width + x, (y + height) * self.width + x, self.width):
            self.data[start : start + width] = row

    def disc(self, x: float, y: float, radius: float, *, value: int) -> None:
        """A disc around a point, with smooth edges on what is there."""
        for row in range(math.ceil(y - radius), math.floor(y + radius) + 1):
            half = math.sqrt(max(radius**2 - (row - y) ** 2, 0.0))
            left, right = math.ceil(x - half), math.floor(x + half)
            self.fill(left, row, right - left + 1, 1, value=value)
            self._cover(left - 1, row, value, left - (x - half))
            self._cover(right + 1, row, value, x + half - right)

    def draw(self, sprite: Sprite, x: int, y: int) -> None:
        """A sprite with its upper left corner at a point; it has to lie within the plane."""
        data, width = self.data, self.width
        start = y * width + x
        for offset, row in sprite:
            begin = start + offset
            data[begin : begin + len(row)] = row
            start += width

    def _cover(self, x: int, y: int, value: int, share: float) -> None:
        index = y * self.width + x
        self.data[index] = mix(self.data[index], value, share)


def disc_sprite(radius: float, *, ink: int, paper: int) -> Sprite:
    """A disc on paper; its middle is ``ceil(radius)`` from the upper left corner."""
    centre = math.ceil(radius)
    plane = Plane(2 * centre + 3, 2 * centre + 1)
    plane.fill(0, 0, plane.width, plane.height, value=paper)
    plane.disc(centre + 1, centre, radius, value=ink)
    rows = []
    for start in range(0, len(plane.data), plane.width):
        row = bytes(plane.data[start : start + plane.width])
        inked = row.strip(bytes([paper]))
        rows.append((row.find(inked) - 1 if inked else 0, inked))
    return tuple(rows)
