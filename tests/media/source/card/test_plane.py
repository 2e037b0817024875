from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.source.card.plane import Plane, disc_sprite


def rows(plane: Plane) -> list[list[int]]:
    return [
        list(plane.data[start : start + plane.width])
        for start in range(0, len(plane.data), plane.width)
    ]


def test_a_rectangle_fills_its_place_alone() -> None:
    plane = Plane(4, 3)

    plane.fill(1, 1, 2, 2, value=9)

    assert rows(plane) == [[0, 0, 0, 0], [0, 9, 9, 0], [0, 9, 9, 0]]


def test_a_copy_is_drawn_into_without_changing_the_original() -> None:
    plane = Plane(2, 1)

    plane.copy().fill(0, 0, 2, 1, value=9)

    assert rows(plane) == [[0, 0]]


def test_a_sprite_is_drawn_where_it_is_put_each_row_from_its_own_beginning() -> None:
    plane = Plane(5, 3)

    plane.draw(((1, b"\x07"), (0, b"\x08\x08\x08")), 1, 1)

    assert rows(plane) == [[0] * 5, [0, 0, 7, 0, 0], [0, 8, 8, 8, 0]]


@given(st.integers(4, 48).map(lambda quarters: quarters / 4))
def test_a_disc_is_round_and_covers_its_area(radius: float) -> None:
    plane = Plane(31, 31)

    plane.disc(15, 15, radius, value=100)

    drawn = rows(plane)
    assert drawn == drawn[::-1]
    assert all(row == row[::-1] for row in drawn)
    assert drawn[15][15] == 100
    assert abs(sum(plane.data) / 100 - 3.1416 * radius**2) < 4 + 2 * radius


@given(st.integers(4, 48).map(lambda quarters: quarters / 4))
def test_the_sprite_of_a_disc_draws_what_a_disc_is(radius: float) -> None:
    drawn, stamped = Plane(31, 31), Plane(31, 31)
    for plane in (drawn, stamped):
        plane.fill(0, 0, 31, 31, value=20)
    drawn.disc(15, 15, radius, value=120)

    corner = 15 - len(disc_sprite(radius, ink=120, paper=20)) // 2
    stamped.draw(disc_sprite(radius, ink=120, paper=20), corner, corner)

    assert rows(stamped) == rows(drawn)
