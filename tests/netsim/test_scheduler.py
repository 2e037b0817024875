from __future__ import annotations

import pytest

from netsim import Network, NeverHappened, TooManyEvents


def test_things_happen_in_order_of_time_and_then_of_asking() -> None:
    network = Network()
    seen: list[tuple[float, str]] = []
    for at, name in ((2.0, "c"), (1.0, "a"), (1.0, "b")):
        network.call_at(at, lambda name=name: seen.append((network.now, name)))  # type: ignore[misc]  # the default binds the loop's name

    network.run(until=3.0)

    assert seen == [(1.0, "a"), (1.0, "b"), (2.0, "c")]
    assert network.now == 3.0


def test_what_is_cancelled_does_not_happen() -> None:
    network = Network()
    seen: list[float] = []
    entry = network.call_later(1.0, lambda: seen.append(network.now))

    entry.cancel()

    assert network.run_idle() == 0.0
    assert seen == []


def test_what_is_due_exactly_at_the_end_of_a_run_happens_in_it() -> None:
    network = Network()
    seen: list[float] = []
    network.call_at(1.5, lambda: seen.append(network.now))

    network.run(until=1.5)

    assert seen == [1.5]


def test_what_is_asked_for_in_the_past_happens_now() -> None:
    network = Network()
    network.run(until=5.0)
    seen: list[float] = []

    network.call_at(1.0, lambda: seen.append(network.now))
    network.run(until=6.0)

    assert seen == [5.0]


def test_run_until_stops_at_the_event_that_fulfils_it() -> None:
    network = Network()
    seen: list[int] = []
    for at in (1, 2, 3):
        network.call_at(at, lambda: seen.append(1))

    assert network.run_until(lambda: len(seen) == 2, timeout=10.0) == 2.0
    assert len(seen) == 2


def test_run_until_says_so_when_its_time_is_over() -> None:
    network = Network(seed=77)
    network.call_at(20.0, lambda: None)

    with pytest.raises(NeverHappened, match=r"not within 5\.0 s \(seed 77"):
        network.run_until(lambda: False, timeout=5.0)
    assert network.now == 5.0


def test_run_idle_returns_the_time_of_the_last_event() -> None:
    network = Network()
    network.call_at(4.25, lambda: None)

    assert network.run_idle() == 4.25


def test_a_run_that_goes_round_in_circles_ends_and_names_the_owner() -> None:
    network = Network(max_events=50)

    def again() -> None:
        network.call_later(0.0, again)

    again()

    with pytest.raises(
        TooManyEvents, match=r"50 events up to 0\.000000 s, the last of them for 'sc"
    ):
        network.run(until=1.0)
