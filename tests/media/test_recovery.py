"""Sender's history, receiver's NACK schedule and jitter buffer against a lossy path."""

from __future__ import annotations

import heapq
import itertools
import random

import pytest

from media.history import ResendRefusal, SendHistory
from media.jitter import JitterBuffer, PacketsSkipped
from media.loss import KeyframeRequested, LossRecovery, NackRequested
from media.payload import Vp8Depacketizer, Vp8Packetizer
from media.rtp import RtpPacket
from media.units import AccessUnit, CodecName

ONE_WAY = 0.025
FRAMES = 300
FRAME_BYTES = 6000


class LossyCall:
    """A second-by-second video from one side to the other, on a clock of its own."""

    def __init__(self, *, loss: float, seed: int, target_bps: float = 2_500_000) -> None:
        self._random = random.Random(seed)
        self._loss = loss
        self._agenda: list[tuple[float, int, RtpPacket | NackRequested]] = []
        self._serial = itertools.count()
        self.history: SendHistory[RtpPacket] = SendHistory(target_bps=target_bps, rtt=2 * ONE_WAY)
        self.recovery = LossRecovery(rtt=2 * ONE_WAY)
        self.jitter = JitterBuffer(Vp8Depacketizer())
        self.received: list[AccessUnit] = []
        self.keyframes_wanted = 0

    def run(self, units: list[AccessUnit]) -> None:
        packetizer = Vp8Packetizer(1200)
        numbers = itertools.count()
        for index, unit in enumerate(units):
            for fragment in packetizer.packetize(unit):
                packet = RtpPacket(
                    payload_type=96,
                    sequence_number=next(numbers) & 0xFFFF,
                    timestamp=unit.timestamp,
                    ssrc=1,
                    payload=fragment.payload,
                    marker=fragment.marker,
                )
                self.history.store(packet.sequence_number, packet, 1200, now=index / 30)
                self._send(packet, index / 30, is_first=packet.sequence_number == 0)
            self._until((index + 1) / 30)
        self._until(len(units) / 30 + 1.0)

    def _send(self, what: RtpPacket | NackRequested, now: float, *, is_first: bool = False) -> None:
        if is_first or self._random.random() >= self._loss:
            delay = ONE_WAY + self._random.random() * 0.004
            heapq.heappush(self._agenda, (now + delay, next(self._serial), what))

    def _until(self, end: float) -> None:
        while True:
            deadlines = [self.recovery.next_timeout(), self.jitter.next_timeout()]
            deadlines += [self._agenda[0][0]] if self._agenda else []
            now = min((one for one in deadlines if one is not None), default=end)
            if now >= end:
                return
            self.recovery.handle_timeout(now)
            self.jitter.handle_timeout(now)
            while self._agenda and self._agenda[0][0] <= now:
                self._arrive(heapq.heappop(self._agenda)[2], now)
            self._drain(now)

    def _arrive(self, what: RtpPacket | NackRequested, now: float) -> None:
        if isinstance(what, RtpPacket):
            self.recovery.received(what.sequence_number, now)
            self.jitter.push(what, now)
            return
        for number in what.sequence_numbers:
            packet = self.history.take_for_resend(number, now)
            if not isinstance(packet, ResendRefusal):
                self._send(packet, now)

    def _drain(self, now: float) -> None:
        while (skipped := self.jitter.poll_event()) is not None:
            assert isinstance(skipped, PacketsSkipped)
            self.recovery.skipped(skipped.next_sequence_number, now)
        while (event := self.recovery.poll_event()) is not None:
            if isinstance(event, NackRequested):
                self._send(event, now)
            self.keyframes_wanted += isinstance(event, KeyframeRequested)
        while (unit := self.jitter.pop()) is not None:
            self.received.append(unit)


def frames() -> list[AccessUnit]:
    return [
        AccessUnit(CodecName.VP8, bytes([index & 1]) * FRAME_BYTES, 3000 * index, index % 2 == 0)
        for index in range(FRAMES)
    ]


@pytest.mark.requirement("sdp-media:REC04")
@pytest.mark.parametrize(("loss", "share"), [(0.0, 1.0), (0.01, 1.0), (0.05, 1.0), (0.1, 0.99)])
def test_frames_arrive_whole_in_spite_of_loss(loss: float, share: float) -> None:
    call = LossyCall(loss=loss, seed=1)

    call.run(frames())

    assert len(call.received) >= share * FRAMES
    assert [one.timestamp for one in call.received] == sorted(
        one.timestamp for one in call.received
    )


@pytest.mark.requirement("sdp-media:REC04")
def test_at_20_percent_loss_the_budget_bounds_what_is_repaired_and_keyframes_are_wanted() -> None:
    call = LossyCall(loss=0.2, seed=2, target_bps=1_500_000)

    call.run(frames())

    seconds = FRAMES / 30 + 1.0
    assert call.history.refused[ResendRefusal.OVER_BUDGET] > 0
    assert call.history.resent_bytes <= 0.2 * 1_500_000 / 8 * (seconds + 0.5)
    assert call.keyframes_wanted > 0
    assert len(call.received) >= 0.5 * FRAMES
    sent_units = {one.timestamp: one for one in frames()}
    assert all(sent_units[one.timestamp] == one for one in call.received)


def test_a_dead_path_ends_in_wanting_keyframes_at_a_bounded_rate() -> None:
    call = LossyCall(loss=0.0, seed=3)
    call.run(frames()[:1])
    call.recovery.received(100, 10.0)
    now = 10.0
    requests = []
    while now < 13.0 and (deadline := call.recovery.next_timeout()) is not None:
        now = deadline
        call.recovery.handle_timeout(now)
        while (event := call.recovery.poll_event()) is not None:
            if isinstance(event, KeyframeRequested):
                requests.append(round(now, 3))

    assert requests == [10.5, 11.0, 11.5, 12.0, 12.5, 13.0]
