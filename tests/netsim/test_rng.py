from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from netsim import SeededRandom


def test_the_numbers_are_those_of_splitmix64() -> None:
    random = SeededRandom(1234567)

    # The reference implementation's first outputs for this seed.
    assert [random.next64() for _ in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_equal_seeds_give_equal_bytes_of_any_count() -> None:
    assert SeededRandom(5).bytes(21) == SeededRandom(5).bytes(21)
    assert SeededRandom(5).bytes(8) != SeededRandom(6).bytes(8)
    assert [len(SeededRandom(5).bytes(count)) for count in (0, 1, 8, 9)] == [0, 1, 8, 9]


def test_a_fork_depends_on_seed_and_label_and_not_on_what_was_drawn() -> None:
    fresh, used = SeededRandom(9), SeededRandom(9)
    used.next64()

    assert fresh.fork("a").next64() == used.fork("a").next64()
    assert fresh.fork("a").next64() != fresh.fork("b").next64()
    assert fresh.fork("a").next64() != SeededRandom(10).fork("a").next64()


@given(st.integers(), st.integers(1, 1 << 32))
def test_draws_stay_in_their_range(seed: int, limit: int) -> None:
    random = SeededRandom(seed)

    assert 0 <= random.below(limit) < limit
    assert 0 <= random.uniform() < 1


def test_what_has_probability_0_never_happens_and_1_always() -> None:
    random = SeededRandom(3)

    assert not any(random.happens(0.0) for _ in range(100))
    assert all(random.happens(1.0) for _ in range(100))
