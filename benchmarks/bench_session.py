"""What one viewer, and one received stream, cost a process: the whole session, no sockets.

    pytest benchmarks/bench_session.py -o python_files='bench_*.py' -o python_functions='bench_*'

A row is one frame of ten packets, and the timers of a frame's time: the pacer, history,
header extensions, SRTP, reports and ICE are in it.
"""

from __future__ import annotations

import itertools

from pytest_benchmark.fixture import BenchmarkFixture

from media.fanout import KeyframeSource, PacketizedUnit, Rendition
from media.session import InboundRtpStats, OutboundRtpStats, PeerSession
from media.units import CodecName, MediaKind
from sdp import Direction
from tests.media.session.material import vp8_unit
from tests.media.session.peer_pair import PeerPair
from transport import Path, Transmit

VIEWERS = 10
FRAME_BYTES = 11_400
FRAME_TIME = 1 / 30


def connected() -> PeerPair:
    pair = PeerPair()
    pair.alice.machine.add_transceiver(MediaKind.VIDEO, direction=Direction.SENDONLY)
    pair.connect()
    return pair


class Viewer:
    """A sink that lets its session send, and keeps what it sent last."""

    def __init__(self, session: PeerSession) -> None:
        self.session = session
        self.sent: list[Transmit] = []

    def discard_waiting(self) -> None: ...

    def send_unit(self, unit: PacketizedUnit, timestamp: int, now: float) -> None:
        self.session.send_unit("0", unit, timestamp, now)

    def drain(self, now: float) -> None:
        self.session.handle_timeout(now)
        self.sent.clear()
        while (transmit := self.session.poll_transmit()) is not None:
            self.sent.append(transmit)


def bench_fan_out_of_a_frame_to_ten_viewers(benchmark: BenchmarkFixture) -> None:
    pairs = [connected() for _ in range(VIEWERS)]
    viewers = [Viewer(pair.alice.machine) for pair in pairs]
    rendition = Rendition(CodecName.VP8, keyframes=KeyframeSource.CACHE)
    start = max(pair.now for pair in pairs)
    for viewer in viewers:
        rendition.attach(viewer, start)
    frames = itertools.count()

    def frame() -> None:
        index = next(frames)
        unit = vp8_unit(index, keyframe=index % 300 == 0, size=FRAME_BYTES)
        rendition.push(unit, start + index * FRAME_TIME)
        for step in range(1, 4):
            for viewer in viewers:
                viewer.drain(start + (index + step / 4) * FRAME_TIME)

    benchmark(frame)
    pushed = next(frames)
    for pair in pairs:
        stats = pair.alice.machine.stats(start).values()
        (sent,) = (record for record in stats if isinstance(record, OutboundRtpStats))
        assert sent.frames_sent == pushed


def bench_receive_a_frame(benchmark: BenchmarkFixture) -> None:
    pair = connected()
    viewer, bob = Viewer(pair.alice.machine), pair.bob.machine
    rendition = Rendition(CodecName.VP8, keyframes=KeyframeSource.CACHE)
    rendition.attach(viewer, pair.now)
    start, frames = pair.now, itertools.count()

    def datagrams() -> tuple[tuple[list[tuple[bytes, Path]], float], dict[str, object]]:
        index = next(frames)
        now = start + index * FRAME_TIME
        rendition.push(vp8_unit(index, keyframe=index == 0, size=FRAME_BYTES), now)
        made: list[tuple[bytes, Path]] = []
        for step in range(1, 4):
            viewer.drain(now + step / 4 * FRAME_TIME)
            for transmit in viewer.sent:
                path = Path(transmit.path.transport, transmit.path.remote, transmit.path.local)
                made.extend((segment, path) for segment in transmit.segments)
        return (made, now), {}

    def receive(batch: list[tuple[bytes, Path]], now: float) -> None:
        for data, path in batch:
            bob.receive(data, path, now)
        while bob.poll_transmit() is not None:
            pass
        while bob.poll_event() is not None:
            pass

    benchmark.pedantic(receive, setup=datagrams, rounds=500)  # type: ignore[no-untyped-call]  # not typed
    stats = bob.stats(start).values()
    (got,) = (record for record in stats if isinstance(record, InboundRtpStats))
    assert (got.frames_received, got.packets_lost) == (500, 0)
