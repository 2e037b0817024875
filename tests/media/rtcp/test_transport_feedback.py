from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtcp import ArrivalRecorder, TransportFeedback, decode_compound
from media.rtcp.arrivals import MAX_GAP, MAX_PACKETS
from transport import DecodeError

from .strategies import transport_feedback

HEAD = "00000001 00000002 "


def feedback(*deltas: int | None, base: int = 10, reference: int = 3) -> TransportFeedback:
    return TransportFeedback(
        sender_ssrc=1,
        media_ssrc=2,
        base_sequence_number=base,
        reference_time=reference,
        feedback_count=7,
        deltas=deltas,
    )


# Status chunks as the draft draws them in sections 3.1.3 and 3.1.4.
DECODED = [
    pytest.param("000a00dd 00000307 00dd 0000", feedback(*[None] * 221), id="run-of-221-lost"),
    pytest.param(
        "000a000e 00000307 9f1c 0102030405060708",
        feedback(None, 1, 2, 3, 4, 5, None, None, None, 6, 7, 8, None, None),
        id="one-bit-vector",
    ),
    pytest.param(
        "000a0007 00000307 c260 8000 01 7fff 00",
        feedback(None, None, -32768, 1, 32767, None, None),
        id="two-bit-vector",
    ),
    pytest.param("000a0003 00000307 2003 010203 00", feedback(1, 2, 3), id="run-of-small"),
    pytest.param("000a0002 00000307 3fff 0102 0000", feedback(1, 2), id="run-beyond-the-count"),
    pytest.param("000a0001 00000307 bfff 01 00", feedback(1), id="vector-beyond-the-count"),
    pytest.param("000a0001 ffffff07 2001 01 00", feedback(1, reference=-1), id="negative-time"),
]

MALFORMED = [
    pytest.param("", id="nothing"),
    pytest.param("000a0000 00000307", id="on-no-packet"),
    pytest.param("000a0001 00000307", id="no-chunk"),
    pytest.param("000a0001 00000307 2001", id="no-delta"),
    pytest.param("000a0001 00000307 4001 01", id="delta-cut-off"),
    pytest.param("000a0001 00000307 6001", id="reserved-status"),
    pytest.param("000a0001 00000307 2000 01", id="run-of-none"),
    pytest.param("000a0001 00000307 2001 01 00000000", id="four-bytes-too-many"),
]


@pytest.mark.requirement("sdp-media:RTCP09")
@pytest.mark.parametrize(("body", "expected"), DECODED)
def test_chunks_are_read(body: str, expected: TransportFeedback) -> None:
    assert TransportFeedback.decode(bytes.fromhex(HEAD + body)) == expected


@pytest.mark.requirement("sdp-media:RTCP09")
@pytest.mark.parametrize("body", MALFORMED)
def test_malformed_feedback_is_refused(body: str) -> None:
    with pytest.raises(DecodeError):
        TransportFeedback.decode(bytes.fromhex(HEAD + body))


@pytest.mark.requirement("sdp-media:RTCP09")
@given(transport_feedback)
def test_what_is_encoded_decodes_to_itself(packet: TransportFeedback) -> None:
    assert decode_compound(packet.encode()) == [packet]


@pytest.mark.requirement("sdp-media:RTCP09")
@given(st.binary(max_size=40))
def test_no_bytes_raise_anything_but_decode_error(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        TransportFeedback.decode(bytes.fromhex(HEAD) + data)


@pytest.mark.requirement("sdp-media:RTCP09")
def test_runs_take_one_chunk() -> None:
    lost = feedback(*[None] * 5000)
    received = feedback(*[4] * 100)

    assert len(lost.encode()) == 4 + 16 + 2 + 2  # the last two fill the word
    assert len(received.encode()) == 4 + 16 + 2 + 100 + 2


def test_arrivals_are_summed_from_the_reference_time() -> None:
    packet = feedback(4, None, -8, base=0xFFFF, reference=2)

    assert list(packet.arrivals()) == [
        (0xFFFF, pytest.approx(0.129)),
        (0, None),
        (1, pytest.approx(0.127)),
    ]


@pytest.mark.parametrize(
    ("deltas", "reference"), [((), 0), ((1,) * 0x10000, 0), ((1,), 1 << 23), ((1,), -(1 << 24))]
)
def test_feedback_that_cannot_be_encoded_is_refused(
    deltas: tuple[int, ...], reference: int
) -> None:
    with pytest.raises(ValueError, match=r"feedback is on|reference time"):
        feedback(*deltas, reference=reference)


def test_a_delta_of_more_than_16_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bits"):
        feedback(1 << 15).encode()


def take(recorder: ArrivalRecorder) -> list[TransportFeedback]:
    return recorder.take(sender_ssrc=1, media_ssrc=2)


@pytest.mark.requirement("sdp-media:RTCP09")
@given(
    st.integers(0, 0xFFFF),
    st.lists(
        st.tuples(st.integers(1, 5), st.floats(0, 30, allow_nan=False)), min_size=1, max_size=60
    ),
)
def test_feedback_says_when_each_packet_came(start: int, steps: list[tuple[int, float]]) -> None:
    recorder = ArrivalRecorder()
    arrivals: dict[int, float] = {}
    number, now = start, 1000.0
    for step, wait in steps:
        arrivals[number] = now
        recorder.received(number, now)
        number, now = number + step, now + wait

    reported: dict[int, float | None] = {}
    for message in take(recorder):
        reported |= dict(decode_one(message).arrivals())

    assert {n for n, at in reported.items() if at is not None} == {n & 0xFFFF for n in arrivals}
    for n, at in arrivals.items():
        assert reported[n & 0xFFFF] == pytest.approx(at, abs=0.000_126)
    assert take(recorder) == []


def decode_one(message: TransportFeedback) -> TransportFeedback:
    (decoded,) = decode_compound(message.encode())
    assert isinstance(decoded, TransportFeedback)
    return decoded


def test_what_was_missing_at_the_end_is_reported_with_what_follows() -> None:
    recorder = ArrivalRecorder()
    recorder.received(1, 1.0)
    (first,) = take(recorder)
    recorder.received(4, 1.0)
    (second,) = take(recorder)

    assert (first.base_sequence_number, len(first.deltas)) == (1, 1)
    assert (second.base_sequence_number, second.deltas[:2]) == (2, (None, None))
    assert (first.feedback_count, second.feedback_count) == (0, 1)


def test_duplicates_and_packets_already_reported_lost_change_nothing() -> None:
    recorder = ArrivalRecorder()
    recorder.received(1, 1.0)
    recorder.received(3, 1.0)
    take(recorder)

    recorder.received(2, 1.1)
    recorder.received(3, 1.1)
    recorder.received(4, 1.1)
    recorder.received(4, 9.0)
    (message,) = take(recorder)

    assert dict(message.arrivals()) == {4: pytest.approx(1.1)}


def test_the_count_of_messages_wraps_at_8_bits() -> None:
    recorder = ArrivalRecorder()
    counts = []
    for number in range(257):
        recorder.received(number, 1.0)
        counts += [message.feedback_count for message in take(recorder)]

    assert counts == [*range(256), 0]


def test_many_packets_take_several_messages() -> None:
    recorder = ArrivalRecorder()
    for number in range(MAX_PACKETS + 1):
        recorder.received(number, number / 1000)

    assert [len(message.deltas) for message in take(recorder)] == [MAX_PACKETS, 1]


def test_a_jump_of_numbers_starts_afresh() -> None:
    recorder = ArrivalRecorder()
    recorder.received(1, 1.0)
    recorder.received(2 + MAX_GAP, 1.0)

    (message,) = take(recorder)

    assert (message.base_sequence_number, len(message.deltas)) == (2 + MAX_GAP, 1)


def test_a_long_loss_is_not_spelled_out() -> None:
    recorder = ArrivalRecorder()
    recorder.received(1, 1.0)
    take(recorder)
    recorder.received(2 + MAX_PACKETS, 1.0)

    (message,) = take(recorder)

    assert len(message.deltas) == 1
