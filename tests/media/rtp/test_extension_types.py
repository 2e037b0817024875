from __future__ import annotations

import array
import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import (
    AbsoluteSendTime,
    AudioLevel,
    SdesMid,
    SdesRepairedRtpStreamId,
    SdesRtpStreamId,
    TransportSequenceNumber,
    audio_level,
)
from transport import DecodeError

Extension = (
    SdesMid
    | SdesRtpStreamId
    | SdesRepairedRtpStreamId
    | AbsoluteSendTime
    | AudioLevel
    | TransportSequenceNumber
)
KINDS: list[type[Extension]] = [
    SdesMid,
    SdesRtpStreamId,
    SdesRepairedRtpStreamId,
    AbsoluteSendTime,
    AudioLevel,
    TransportSequenceNumber,
]

VECTORS = [
    pytest.param(SdesMid("0"), "30", id="mid"),
    pytest.param(SdesRtpStreamId("hi"), "6869", id="rid"),
    pytest.param(SdesRepairedRtpStreamId("hi"), "6869", id="repaired-rid"),
    pytest.param(AbsoluteSendTime(0.0), "000000", id="send-time-0"),
    pytest.param(AbsoluteSendTime(1.0), "040000", id="send-time-1s"),
    pytest.param(AbsoluteSendTime(63.5), "fe0000", id="send-time-63.5s"),
    pytest.param(AudioLevel(0, is_voice=True), "80", id="loudest-voice"),
    pytest.param(AudioLevel(127), "7f", id="silence"),
    pytest.param(TransportSequenceNumber(0xABCD), "abcd", id="transport-sequence-number"),
]

MALFORMED = [
    pytest.param(SdesMid, "", id="mid-empty"),
    pytest.param(SdesMid, "ff", id="mid-not-utf8"),
    pytest.param(AbsoluteSendTime, "0000", id="send-time-short"),
    pytest.param(AudioLevel, "", id="level-empty"),
    pytest.param(TransportSequenceNumber, "000000", id="sequence-number-long"),
]


@pytest.mark.requirement("sdp-media:RTP08")
@pytest.mark.requirement("sdp-media:RTP10")
@pytest.mark.parametrize(("extension", "data"), VECTORS)
def test_vector(extension: Extension, data: str) -> None:
    assert extension.encode() == bytes.fromhex(data)
    assert type(extension).decode(bytes.fromhex(data)) == extension


@pytest.mark.parametrize(("kind", "data"), MALFORMED)
def test_malformed_data_is_refused(kind: type[Extension], data: str) -> None:
    with pytest.raises(DecodeError):
        kind.decode(bytes.fromhex(data))


@given(st.sampled_from(KINDS), st.binary(max_size=20))
def test_any_data_gives_a_value_that_encodes_back_or_decode_error(
    kind: type[Extension], data: bytes
) -> None:
    with contextlib.suppress(DecodeError):
        assert kind.decode(data).encode() == data


@pytest.mark.requirement("sdp-media:RTP10")
def test_send_time_wraps_after_64_seconds() -> None:
    assert AbsoluteSendTime(64.0 + 1.0).encode() == AbsoluteSendTime(1.0).encode()
    assert AbsoluteSendTime(64.0 - 1e-9).encode() == AbsoluteSendTime(0.0).encode()


@pytest.mark.parametrize(
    "make",
    [
        lambda: SdesMid(""),
        lambda: SdesMid("x" * 256),
        lambda: AudioLevel(128),
        lambda: TransportSequenceNumber(0x10000),
    ],
)
def test_what_cannot_be_encoded_is_refused(make: type[object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the kind of error is the point
        make()


def frame(samples: list[int]) -> memoryview:
    return memoryview(array.array("h", samples))


@pytest.mark.requirement("sdp-media:RTP08")
@pytest.mark.parametrize(
    ("samples", "level"),
    [
        pytest.param([32767, -32767] * 480, 0, id="full-scale-square-wave"),
        pytest.param([-32768] * 960, 0, id="beyond-full-scale"),
        pytest.param([3277, -3277] * 480, 20, id="a-tenth"),
        pytest.param([1] * 960, 90, id="one-step"),
        pytest.param([0] * 960, 127, id="silence"),
        pytest.param([], 127, id="nothing"),
        pytest.param(
            [round(32767 * math.sin(i * 2 * math.pi * 440 / 48000)) for i in range(960)],
            3,
            id="full-scale-sine",
        ),
    ],
)
def test_the_level_is_the_mean_power_against_full_scale(samples: list[int], level: int) -> None:
    assert audio_level(frame(samples)) == level


@pytest.mark.requirement("sdp-media:RTP08")
@given(st.lists(st.integers(-32768, 32767), max_size=480))
def test_the_level_agrees_with_a_sum_over_samples(samples: list[int]) -> None:
    power = sum(sample * sample for sample in samples) / max(len(samples), 1) / 32767**2
    expected = min(max(-10 * math.log10(power), 0), 127) if power else 127

    assert abs(audio_level(frame(samples)) - expected) <= 0.5001
