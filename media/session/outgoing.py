"""What leaves a session: media at the pacer's pace, RTCP at once, all of it protected."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Sequence

from media.fanout import PacketizedUnit
from media.pacer import Pacer
from media.srtp import SrtpSender

from .rate import MIN_TARGET_BPS
from .rtp_sender import PacedRun, RtpSender, SendDrop, join_runs

MAX_RUN_PACKETS = 48
"""In one system call, where the pacer lets so many go: within the 64 segments and the
65,535 bytes that the kernel takes."""


@dataclasses.dataclass(slots=True)
class Traffic:
    """SRTP and SRTCP of a session, in datagrams and their bytes."""

    packets_sent: int = 0
    bytes_sent: int = 0
    packets_received: int = 0
    bytes_received: int = 0


class Outgoing:
    """The queue of one peer: a viewer that is slow, or joins, holds up nobody else."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._pacer: Pacer[PacedRun | bytes] = Pacer(target_bps=MIN_TARGET_BPS)
        self._srtp: SrtpSender | None = None
        self._runs: deque[Sequence[bytes]] = deque()

    @property
    def is_secured(self) -> bool:
        return self._srtp is not None

    def secure(self, srtp: SrtpSender | None) -> None:
        """Protect RTCP with this context; None: send nothing more."""
        self._srtp = srtp

    def set_target(self, target_bps: float) -> None:
        """Follow the bitrate of the media."""
        self._pacer.set_target(target_bps)

    def enqueue(
        self, sender: RtpSender, unit: PacketizedUnit, timestamp: int, now: float
    ) -> SendDrop | None:
        """Queue a unit; returns why not, if it was dropped."""
        return sender.enqueue(unit, timestamp, self._pacer, now)

    def discard_waiting(self, sender: RtpSender) -> None:
        """Do not send the units of this sender's video that wait; one that has begun to
        leave leaves whole. No packet is missed: they get their numbers as they leave."""

        def is_obsolete(item: PacedRun | bytes) -> bool:
            if isinstance(item, bytes):
                return False
            paced, _ = item
            return paced.sender is sender and paced is not sender.begun

        self._pacer.discard(is_obsolete)

    def resend(self, datagrams: Iterable[bytes]) -> None:
        """Queue retransmissions ahead of all video: the peer's decoder waits for them."""
        for datagram in datagrams:
            self._pacer.push_audio(datagram, len(datagram))

    def send_rtcp(self, data: bytes) -> None:
        if self._srtp is not None:
            self._runs.append((self._srtp.protect_rtcp(data),))

    def send_paced(self, now: float) -> list[RtpSender]:
        """Make datagrams of what may leave now; returns who sent media."""
        active: list[RtpSender] = []
        for run in join_runs(self._pacer.pop(now), MAX_RUN_PACKETS):
            if isinstance(run, bytes):
                self._runs.append((run,))
            elif datagrams := run.paced.sender.protect(run, now):
                self._runs.append(datagrams)
                active.append(run.paced.sender)
        return active

    def clear(self) -> None:
        """Forget the media that waits."""
        self._pacer.clear()

    def next_timeout(self) -> float | None:
        return self._pacer.next_timeout()

    @property
    def has_run(self) -> bool:
        return bool(self._runs)

    def poll_run(self) -> Sequence[bytes] | None:
        """The next datagrams to go out, of one size but for the last."""
        if not self._runs:
            return None
        run = self._runs.popleft()
        self._traffic.packets_sent += len(run)
        self._traffic.bytes_sent += sum(map(len, run))
        return run
