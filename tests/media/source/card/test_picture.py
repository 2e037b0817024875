from __future__ import annotations

import functools

import pytest

from media.source.card import FRAME_RATE, HEIGHT, WIDTH, CardPicture

CLOCK = "12:34:56.7"


@functools.cache
def card() -> CardPicture:
    return CardPicture()


def luma(number: int, clock: str = CLOCK) -> bytes:
    return bytes(card().frame(number, clock)[0])


def differing_rows(one: bytes, other: bytes) -> set[int]:
    return {
        row
        for row in range(HEIGHT)
        if one[row * WIDTH : (row + 1) * WIDTH] != other[row * WIDTH : (row + 1) * WIDTH]
    }


def test_a_frame_is_4_2_0_in_limited_range() -> None:
    planes = card().frame(0, CLOCK)

    assert [len(plane) for plane in planes] == [WIDTH * HEIGHT] + [WIDTH * HEIGHT // 4] * 2
    assert all(min(plane) >= 16 and max(plane) <= 240 for plane in planes)


@pytest.mark.parametrize("number", [0, 1, 12, 24, 25, 51, 9_999_999, 10_000_001])
def test_every_frame_differs_from_the_next_and_can_be_drawn_again(number: int) -> None:
    assert luma(number) != luma(number + 1)
    assert luma(number) == luma(number)


def test_the_number_of_the_frame_is_written_on_it() -> None:
    changed = differing_rows(luma(0), luma(100 * FRAME_RATE))

    assert changed  # the ring and the ball are where they were, a whole minute later
    assert max(changed) - min(changed) < 14


def test_the_time_is_written_on_it() -> None:
    changed = differing_rows(luma(0), luma(0, "12:34:56.8"))

    assert changed
    assert max(changed) - min(changed) < 28


def test_the_post_that_the_ball_touches_lights_up_at_each_second_and_no_longer_than_the_tone() -> (
    None
):
    brightest = {
        number: [max(frame[330 * WIDTH + x] for x in (37, 40)), frame[330 * WIDTH + WIDTH - 40]]
        for number in (0, 2, 3, FRAME_RATE, FRAME_RATE + 3)
        for frame in [luma(number)]
    }

    dark = brightest[3]
    assert brightest[0][0] == dark[0] < brightest[0][1]
    assert brightest[2] == brightest[0]
    assert brightest[FRAME_RATE][1] == dark[1] < brightest[FRAME_RATE][0]
    assert brightest[FRAME_RATE + 3] == dark
