from __future__ import annotations

import functools
import itertools
from array import array

from media.source.card import BLOCK_SAMPLES, SAMPLE_RATE, CardTone

BLOCKS = SAMPLE_RATE // BLOCK_SAMPLES


@functools.cache
def tone() -> CardTone:
    return CardTone()


def samples(number: int) -> list[int]:
    return list(array("h", tone().block(number)))


def test_a_block_is_20_ms_of_the_same_in_both_channels() -> None:
    block = samples(0)

    assert len(block) == 2 * BLOCK_SAMPLES
    assert block[::2] == block[1::2]


def test_each_second_begins_with_a_tone_and_goes_on_with_a_quiet_hum() -> None:
    loudness = [max(map(abs, samples(number))) for number in range(2 * BLOCKS)]

    assert loudness[BLOCKS:] == loudness[:BLOCKS]
    assert min(loudness[1:5]) > 4000
    assert 100 < max(loudness[7:BLOCKS]) < 600


def test_nothing_clicks_not_even_where_the_second_begins_again() -> None:
    wave = [level for number in range(BLOCKS + 1) for level in samples(number)[::2]]

    steps = [abs(after - before) for before, after in itertools.pairwise(wave)]
    assert max(steps) < 350
