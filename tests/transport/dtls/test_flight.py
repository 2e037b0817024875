from __future__ import annotations

from transport.dtls.flight import MAX_REPEATS, MAX_REPEATS_OF_FLIGHT, FlightRepeater

FLIGHT = (b"one", b"two")


def repeats(flight: FlightRepeater, now: float) -> list[float]:
    times = []
    deadline = flight.sent(FLIGHT, now)
    while deadline is not None:
        assert list(flight.repeat(deadline)) == list(FLIGHT)
        times.append(round(deadline, 3))
        deadline = flight.next_repeat
    return times


def test_a_flight_is_repeated_after_100_ms_and_then_every_200_ms() -> None:
    times = repeats(FlightRepeater(), 5.0)

    assert times == [5.1, 5.3, 5.5, 5.7, 5.9, 6.1, 6.3, 6.5, 6.7, 6.9]
    assert len(times) == MAX_REPEATS_OF_FLIGHT


def test_all_flights_together_have_a_limit() -> None:
    flight = FlightRepeater()

    counts = [len(repeats(flight, now)) for now in (0.0, 10.0, 20.0, 30.0, 40.0)]

    assert counts == [10, 10, 10, 10, 0]
    assert sum(counts) == MAX_REPEATS
    assert list(flight.repeat(50.0)) == []


def test_a_peer_that_repeats_itself_quickly_is_not_answered_each_time() -> None:
    flight = FlightRepeater()
    flight.sent(FLIGHT, 0.0)

    answers = [bool(flight.repeat(now)) for now in (0.05, 0.15, 0.2, 0.36)]

    assert answers == [False, True, False, True]


def test_there_is_nothing_to_repeat_before_a_flight() -> None:
    assert list(FlightRepeater().repeat(1.0)) == []
