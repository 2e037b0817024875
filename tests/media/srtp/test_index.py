from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import pack_header
from media.srtp import SrtpError, SrtpFailure
from media.srtp.index import (
    MAX_RTP_INDEX,
    REPLAY_WINDOW,
    ReplayWindow,
    check_run,
    estimate_index,
    next_index,
)


def rfc3711_appendix_a(sequence_number: int, highest: int) -> int | None:
    """The pseudocode, word for word; None where it leaves the range of the counter."""
    roc, s_l = highest >> 16, highest & 0xFFFF
    if s_l < 32768:
        v = roc - 1 if sequence_number - s_l > 32768 else roc
    else:
        v = roc + 1 if s_l - 32768 > sequence_number else roc
    return None if v < 0 else v << 16 | sequence_number


@pytest.mark.requirement("sdp-media:SEC05")
@given(st.integers(0, 0xFFFF), st.integers(0, MAX_RTP_INDEX - 0x10000))
def test_the_index_is_the_one_of_rfc_3711_appendix_a(sequence_number: int, highest: int) -> None:
    expected = rfc3711_appendix_a(sequence_number, highest)

    assert estimate_index(sequence_number, highest) == (
        sequence_number if expected is None else expected
    )


@pytest.mark.requirement("sdp-media:SEC05")
@pytest.mark.parametrize(
    ("sequence_number", "highest", "index"),
    [
        pytest.param(0, 0xFFFF, 0x10000, id="rollover"),
        pytest.param(0xFFFF, 0x10000, 0xFFFF, id="late-over-a-rollover"),
        pytest.param(0xFFFF, 5, 0xFFFF, id="nothing-below-0"),
        pytest.param(0x8000, 0x10000, 0x18000, id="half-way-up"),
        pytest.param(0, 0x18000, 0x10000, id="half-way-down"),
    ],
)
def test_index_at_the_edges(sequence_number: int, highest: int, index: int) -> None:
    assert estimate_index(sequence_number, highest) == index


def verdict(window: ReplayWindow, index: int) -> SrtpFailure | None:
    try:
        window.check(index)
    except SrtpError as error:
        return error.reason
    return None


@pytest.mark.requirement("sdp-media:SEC06")
@given(st.lists(st.integers(0, 3 * REPLAY_WINDOW), max_size=100))
def test_the_window_is_a_set_of_what_was_accepted(indexes: list[int]) -> None:
    window = ReplayWindow()
    seen: set[int] = set()
    for index in indexes:
        oldest = max(seen, default=-1) - REPLAY_WINDOW
        expected = (
            SrtpFailure.TOO_OLD
            if index <= oldest
            else SrtpFailure.REPLAYED
            if index in seen
            else None
        )
        assert verdict(window, index) is expected
        if expected is None:
            window.accept(index)
            seen.add(index)


@pytest.mark.requirement("sdp-media:SEC06")
def test_a_packet_may_be_as_late_as_the_window_is_long() -> None:
    window = ReplayWindow()
    window.accept(5000)

    window.check(5000 - REPLAY_WINDOW + 1)
    with pytest.raises(SrtpError) as caught:
        window.check(5000 - REPLAY_WINDOW)

    assert caught.value.reason is SrtpFailure.TOO_OLD


LAST = MAX_RTP_INDEX


@pytest.mark.requirement("sdp-media:SEC08")
@pytest.mark.parametrize(
    ("sequence_number", "last", "expected"),
    [
        pytest.param(1, 0, 1, id="next"),
        pytest.param(0, 0xFFFF, 0x10000, id="rollover"),
        pytest.param(0x7FFF, 0, 0x7FFF, id="furthest"),
        pytest.param(0x8000, 0, SrtpFailure.INDEX_REUSED, id="too-far"),
        pytest.param(0, 0, SrtpFailure.INDEX_REUSED, id="again"),
        pytest.param(0xFFFF, LAST - 1, LAST, id="last-of-the-key"),
        pytest.param(0, LAST, SrtpFailure.KEY_EXHAUSTED, id="beyond-the-key"),
    ],
)
def test_an_index_is_used_once_and_the_key_ends(
    sequence_number: int, last: int, expected: int | SrtpFailure
) -> None:
    if isinstance(expected, int):
        assert next_index(sequence_number, last) == expected
        return
    with pytest.raises(SrtpError) as caught:
        next_index(sequence_number, last)
    assert caught.value.reason is expected


@pytest.mark.requirement("sdp-media:SEC08")
def test_a_run_must_fit_into_what_is_left_of_the_key() -> None:
    assert next_index(0xFFFE, LAST - 2, count=2) == LAST - 1
    with pytest.raises(SrtpError) as caught:
        next_index(0xFFFE, LAST - 2, count=3)
    assert caught.value.reason is SrtpFailure.KEY_EXHAUSTED


def test_nothing_is_received_beyond_the_last_index() -> None:
    assert estimate_index(0xFFFF, LAST) == LAST
    with pytest.raises(SrtpError) as caught:
        estimate_index(0, LAST)
    assert caught.value.reason is SrtpFailure.KEY_EXHAUSTED


def header(number: int, ssrc: int = 1) -> bytes:
    return pack_header(96, number & 0xFFFF, 0, ssrc)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="empty"),
        pytest.param([header(7)], id="one"),
        pytest.param([header(0xFFFF), header(0)], id="across-a-wrap"),
    ],
)
def test_consecutive_headers_are_a_run(headers: list[bytes]) -> None:
    check_run(headers, [b""] * len(headers))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([header(1), header(3)], id="gap"),
        pytest.param([header(1), header(1)], id="repeated"),
        pytest.param([header(1), header(2, ssrc=2)], id="two-sources"),
    ],
)
def test_other_headers_are_no_run(headers: list[bytes]) -> None:
    with pytest.raises(ValueError, match="run"):
        check_run(headers, [b""] * len(headers))
