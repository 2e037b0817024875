from __future__ import annotations

import pytest

from media.fanout import PacketizedUnit
from media.pacer import MAX_QUEUED_BYTES, Pacer
from media.payload import Fragment
from media.session.header_extensions import TransportSequence
from media.session.rtp_sender import (
    KEYFRAME_SPACING,
    LeavingRun,
    PacedRun,
    PacedUnit,
    RtpSender,
    SendDrop,
    join_runs,
)
from media.srtp import SrtpProfile, SrtpSender
from media.units import CodecName, MediaKind
from netsim import Network

from .rtp_pair import Options, described

RATE = 2_000_000.0


def unit(
    index: int = 0,
    *,
    codec: CodecName = CodecName.VP8,
    keyframe: bool = True,
    sizes: tuple[int, ...] = (100,),
) -> PacketizedUnit:
    fragments = tuple(Fragment(bytes(size), size == sizes[-1]) for size in sizes)
    return PacketizedUnit(codec, index * 3000, keyframe, fragments, sum(sizes))


class Sending:
    """A sender of video with its pacer."""

    def __init__(self, *, is_secured: bool = True) -> None:
        self.pacer: Pacer[PacedRun | bytes] = Pacer(target_bps=RATE)
        self.sender = RtpSender(
            "1", MediaKind.VIDEO, ssrc=7, rtx_ssrc=8, random_bytes=Network().random_bytes("x")
        )
        self.sender.configure(described(Options(), sends=True)[0][1], TransportSequence())
        if is_secured:
            profile = SrtpProfile.AEAD_AES_128_GCM
            self.sender.secure(SrtpSender(profile, bytes(16), bytes(12)))

    def enqueue(self, item: PacketizedUnit) -> SendDrop | None:
        return self.sender.enqueue(item, item.timestamp, self.pacer, 0.0)


def test_before_the_keys_nothing_is_queued() -> None:
    sending = Sending(is_secured=False)

    assert sending.enqueue(unit()) is SendDrop.NOT_READY
    paced = PacedUnit(sending.sender, unit(), 0, 96)
    assert sending.sender.protect(LeavingRun(paced, 0, 1, 100), 0.0) == []
    assert sending.sender.counters.dropped == {SendDrop.NOT_READY: 1}


def test_a_codec_that_was_not_negotiated_is_not_sent() -> None:
    assert Sending().enqueue(unit(codec=CodecName.H264)) is SendDrop.NOT_NEGOTIATED


def test_a_backlog_drops_up_to_the_next_keyframe() -> None:
    sending = Sending()
    sending.pacer.push(b"", MAX_QUEUED_BYTES)

    assert sending.enqueue(unit(0, keyframe=False)) is SendDrop.BACKLOG
    sending.pacer.clear()
    assert sending.enqueue(unit(1, keyframe=False)) is SendDrop.WAITS_FOR_KEYFRAME
    assert sending.enqueue(unit(2)) is None
    assert sending.enqueue(unit(3, keyframe=False)) is None


def test_a_stopped_sender_sends_nothing() -> None:
    sending = Sending()
    sending.sender.stop()

    assert sending.enqueue(unit()) is SendDrop.NOT_READY


@pytest.mark.requirement("sdp-media:RTCP06")
def test_picture_loss_indications_are_rate_limited() -> None:
    sender = Sending().sender

    assert sender.take_keyframe_request(1.0)
    assert not sender.take_keyframe_request(1.0 + KEYFRAME_SPACING / 2)
    assert sender.take_keyframe_request(1.0 + KEYFRAME_SPACING)
    assert sender.counters.plis == 3


@pytest.mark.requirement("sdp-media:RTCP07")
def test_a_repeated_fir_asks_for_nothing_new() -> None:
    sender = Sending().sender

    assert sender.take_keyframe_request(1.0, fir=5)
    assert not sender.take_keyframe_request(2.0, fir=5)
    assert sender.take_keyframe_request(3.0, fir=6)
    assert sender.counters.firs == 3


@pytest.mark.requirement("sdp-media:RTCP07")
def test_a_pli_and_a_fir_at_once_make_one_keyframe() -> None:
    sender = Sending().sender

    assert sender.take_keyframe_request(1.0)
    assert not sender.take_keyframe_request(1.1, fir=1)


def test_the_clock_of_a_stream_runs_on_between_units() -> None:
    sending = Sending()
    assert sending.sender.rtp_time(0.0) == 0
    sending.enqueue(unit())
    start = sending.sender.rtp_time(0.0)

    assert sending.sender.rtp_time(0.5) - start & 0xFFFF_FFFF == 45_000


@pytest.mark.parametrize(
    ("sizes", "lengths"),
    [
        pytest.param((9, 9, 9), [3], id="equal"),
        pytest.param((9, 9, 5), [3], id="the-last-may-be-shorter"),
        pytest.param((9, 5, 9), [2, 1], id="not-in-the-middle"),
        pytest.param((5, 9), [1, 1], id="none-longer-than-the-first"),
        pytest.param((9,) * 6, [6], id="longer-than-a-burst"),
        pytest.param((9,) * 5 + (5, 9), [6, 1], id="a-shorter-one-ends-it"),
        pytest.param((9,) * 4 + (5, 5), [5, 1], id="a-shorter-one-ends-it-as-the-next"),
        pytest.param((9,) * 17, [12, 5], id="no-longer-than-asked"),
        pytest.param((), [], id="nothing"),
    ],
)
def test_runs_are_of_one_size(sizes: tuple[int, ...], lengths: list[int]) -> None:
    paced = PacedUnit(Sending().sender, unit(sizes=sizes), 0, 96)

    joined = list(join_runs([(paced, run) for run in paced.unit.runs], 12))

    assert [run.stop - run.start for run in joined if isinstance(run, LeavingRun)] == lengths
    assert sum(run.payload_bytes for run in joined if isinstance(run, LeavingRun)) == sum(sizes)


def test_runs_are_of_one_unit_and_datagrams_stand_alone() -> None:
    sender = Sending().sender
    one, other = (PacedUnit(sender, unit(index, sizes=(9,) * 8), 0, 96) for index in range(2))
    first, second = one.unit.runs

    assert list(
        join_runs([(one, first), (one, second), (other, first), b"made", (other, second)], 48)
    ) == [
        LeavingRun(one, 0, 8, 72),
        LeavingRun(other, 0, 4, 36),
        b"made",
        LeavingRun(other, 4, 8, 36),
    ]
