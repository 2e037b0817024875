from __future__ import annotations

import pytest

from media.source.card.font import ROWS, Typeface

INK, PAPER = 200, 20


@pytest.mark.parametrize("scale", [1, 2, 4, 8])
def test_characters_are_drawn_at_the_size_that_was_asked_for(scale: int) -> None:
    typeface = Typeface(scale, ink=INK, paper=PAPER)

    ((sprite, x),) = typeface.place("0", 10)

    assert x == 10
    assert len(sprite) == typeface.height == ROWS * scale
    assert {len(row) for _, row in sprite} == {5 * scale} == {typeface.width("0")}


def test_a_character_at_its_smallest_is_its_dots() -> None:
    ((sprite, _),) = Typeface(1, ink=INK, paper=PAPER).place("H", 0)

    lines = ["".join(".#"[value > (INK + PAPER) // 2] for value in row) for _, row in sprite]
    assert lines == ["#...#", "#...#", "#...#", "#####", "#...#", "#...#", "#...#"]


def test_slants_are_smoothed_with_values_in_between() -> None:
    ((sprite, _),) = Typeface(4, ink=INK, paper=PAPER).place("0", 0)

    values = {value for _, row in sprite for value in row}
    assert {INK, PAPER} < values
    assert all(PAPER <= value <= INK for value in values)


def test_a_clock_stands_as_long_as_its_characters_are_wide() -> None:
    typeface = Typeface(4, ink=INK, paper=PAPER)

    placed = typeface.place("12:34:56.7", 0)

    assert [x for _, x in placed] == [0, 24, 44, 64, 88, 108, 128, 152, 172, 192]
    assert typeface.width("12:34:56.7") == 192 + 20


def test_the_digits_differ_from_each_other() -> None:
    typeface = Typeface(2, ink=INK, paper=PAPER)

    sprites = {typeface.place(digit, 0)[0][0] for digit in "0123456789"}

    assert len(sprites) == 10


def test_a_character_that_is_not_needed_is_not_there() -> None:
    with pytest.raises(KeyError):
        Typeface(2, ink=INK, paper=PAPER).place("q", 0)
