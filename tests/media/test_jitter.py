from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.jitter import MAX_HELD_PACKETS, JitterBuffer, PacketsSkipped
from media.payload import OpusDepacketizer, Vp8Depacketizer, Vp8Packetizer
from media.rtp import RtpPacket
from media.units import AccessUnit, CodecName
from transport import Event

from .packets import rtp_packets

OPUS = b"\xfc\xff\xfe"


def packet(number: int) -> RtpPacket:
    """A packet of audio, whose number can be read off its unit."""
    return RtpPacket(
        payload_type=96,
        sequence_number=number & 0xFFFF,
        timestamp=number & 0xFFFF,
        ssrc=1,
        payload=OPUS,
    )


def buffer(*, max_wait: float = 0.5) -> JitterBuffer:
    return JitterBuffer(OpusDepacketizer(), max_wait=max_wait, start_tolerance=0.0)


def popped(jitter: JitterBuffer) -> list[int]:
    numbers = []
    while (unit := jitter.pop()) is not None:
        numbers.append(unit.timestamp)
    return numbers


def events(jitter: JitterBuffer) -> list[Event]:
    found = []
    while (event := jitter.poll_event()) is not None:
        found.append(event)
    return found


def push_all(jitter: JitterBuffer, *numbers: int, now: float = 0.0) -> None:
    for number in numbers:
        jitter.push(packet(number), now)


def test_packets_in_order_come_out_at_once() -> None:
    jitter = buffer()
    push_all(jitter, 65_534, 65_535, 65_536)

    assert popped(jitter) == [65_534, 65_535, 0]
    assert jitter.next_timeout() is None


def test_reordered_packets_wait_for_the_one_before() -> None:
    jitter = buffer()
    push_all(jitter, 1, 4, 3)

    assert popped(jitter) == [1]
    assert jitter.missing() == (2,)
    push_all(jitter, 2)
    assert popped(jitter) == [2, 3, 4]
    assert jitter.missing() == ()
    assert (jitter.stats.reordered, jitter.next_timeout()) == (2, None)


def test_a_gap_is_skipped_at_its_deadline_and_not_before() -> None:
    jitter = buffer(max_wait=0.5)
    push_all(jitter, 1, now=0.0)
    push_all(jitter, 4, now=1.0)
    push_all(jitter, 5, now=1.2)

    assert jitter.next_timeout() == 1.5
    jitter.handle_timeout(1.4)
    assert popped(jitter) == [1]
    jitter.handle_timeout(1.5)
    assert popped(jitter) == [4, 5]
    assert events(jitter) == [PacketsSkipped(2, 4)]
    assert jitter.stats.skipped == 2


def test_each_gap_has_a_deadline_of_its_own() -> None:
    jitter = buffer(max_wait=0.5)
    push_all(jitter, 1, 3, now=0.0)
    push_all(jitter, 5, now=0.3)
    jitter.handle_timeout(0.5)

    assert popped(jitter) == [1, 3]
    assert jitter.next_timeout() == 0.8


def test_gaps_whose_time_is_over_are_skipped_in_one_go() -> None:
    jitter = buffer(max_wait=0.5)
    push_all(jitter, 1, 3, 5, 7, now=0.0)
    jitter.handle_timeout(9.0)

    assert popped(jitter) == [1, 3, 5, 7]
    assert events(jitter) == [
        PacketsSkipped(1, 3),
        PacketsSkipped(1, 5),
        PacketsSkipped(1, 7),
    ]


def test_duplicates_and_late_packets_are_counted_and_not_used() -> None:
    jitter = buffer()
    push_all(jitter, 1, 2, 2, 4, 4, 1)

    assert popped(jitter) == [1, 2]
    assert (jitter.stats.received, jitter.stats.duplicates, jitter.stats.late) == (6, 1, 2)


def test_a_stray_packet_from_far_away_changes_nothing() -> None:
    jitter = buffer()
    push_all(jitter, 1, 2, 20_000, 3)

    assert popped(jitter) == [1, 2, 3]
    assert jitter.stats.restarts == 0


@pytest.mark.parametrize("start", [20_000, 45_000])
def test_two_packets_in_a_row_from_far_away_are_a_source_that_began_anew(start: int) -> None:
    jitter = buffer()
    push_all(jitter, 1, 2, 4, start, start + 1, start + 2)

    assert popped(jitter) == [1, 2, start + 1, start + 2]
    assert events(jitter) == [PacketsSkipped(0, start + 1)]
    assert jitter.next_timeout() is None


def test_what_is_held_behind_a_gap_has_a_bound() -> None:
    jitter = buffer(max_wait=1000.0)
    push_all(jitter, 0, *range(2, 2 + MAX_HELD_PACKETS))
    assert popped(jitter) == [0]

    push_all(jitter, 2 + MAX_HELD_PACKETS)

    assert len(popped(jitter)) == MAX_HELD_PACKETS + 1
    assert events(jitter) == [PacketsSkipped(1, 2)]


def test_a_packet_sent_before_the_first_to_arrive_is_used_if_it_comes_soon() -> None:
    jitter = JitterBuffer(OpusDepacketizer(), start_tolerance=0.01)
    push_all(jitter, 1, 0, now=0.0)
    push_all(jitter, -1, now=0.009)

    assert (popped(jitter), jitter.next_timeout()) == ([], 0.01)
    jitter.handle_timeout(0.01)
    assert popped(jitter) == [65_535, 0, 1]
    push_all(jitter, -2, now=0.011)
    assert (popped(jitter), jitter.stats.late) == ([], 1)


def test_what_is_missing_at_the_start_is_waited_for() -> None:
    jitter = JitterBuffer(OpusDepacketizer(), max_wait=0.5, start_tolerance=0.01)
    push_all(jitter, 5, 3, now=0.0)
    jitter.handle_timeout(0.01)

    assert popped(jitter) == [3]
    assert (jitter.missing(), jitter.next_timeout()) == ((4,), 0.5)


def test_before_the_first_packet_there_is_nothing() -> None:
    jitter = buffer()
    jitter.handle_timeout(1.0)

    assert (jitter.pop(), jitter.missing(), jitter.next_timeout()) == (None, (), None)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[AccessUnit], list[RtpPacket], set[int]]:
    """Frames; their packets in any order within ten, some twice; timestamps harmed by loss."""
    sizes = draw(st.lists(st.integers(1, 60), min_size=1, max_size=15))
    units = [
        AccessUnit(CodecName.VP8, bytes([1]) * size, 3000 * index, False)
        for index, size in enumerate(sizes)
    ]
    packetizer = Vp8Packetizer(20)
    packets = rtp_packets([(one.timestamp, packetizer.packetize(one)) for one in units])
    first, rest = packets[0], packets[1:]
    fates = [draw(st.integers(-1, 9)) for _ in rest]
    harmed = {one.timestamp for one, fate in zip(rest, fates, strict=True) if fate == -1}
    placed = [
        (index + fate, one)
        for index, (one, fate) in enumerate(zip(rest, fates, strict=True))
        if fate >= 0
    ]
    placed += [(index + 5, one) for index, one in placed if index % 7 == 0]
    order = [one for _, one in sorted(placed, key=lambda pair: pair[0])]
    return units, [first, *order], harmed


@given(arrivals())
def test_reordering_and_duplicates_harm_no_frame_and_loss_only_its_own(
    stream: tuple[list[AccessUnit], list[RtpPacket], set[int]],
) -> None:
    units, packets, harmed = stream
    jitter = JitterBuffer(Vp8Depacketizer(), max_wait=1.0)
    for one in packets:
        jitter.push(one, 0.0)
    jitter.handle_timeout(1.0)

    received = []
    while (unit := jitter.pop()) is not None:
        received.append(unit)

    assert received == [one for one in units if one.timestamp not in harmed]


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.floats(0.0, 0.2)), max_size=60))
def test_any_sequence_numbers_come_out_once_and_in_order_until_a_restart(
    steps: list[tuple[int, float]],
) -> None:
    jitter = buffer(max_wait=0.1)
    now = 0.0
    for number, pause in steps:
        now += pause
        jitter.handle_timeout(now)
        deadline = jitter.next_timeout()
        assert deadline is None or deadline > now
        jitter.push(packet(number), now)
    if jitter.stats.restarts == 0:
        numbers = popped(jitter)
        steps_between = [(after - before) & 0xFFFF for before, after in itertools.pairwise(numbers)]
        assert all(0 < step < 0x8000 for step in steps_between)
