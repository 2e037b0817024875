"""Ten viewers of raw video, 640x360 at 30 frames per second: the share of a core it takes.

A clip of raw pictures is played in real time and encoded in VP8, by hairpin once, by
aiortc for each viewer. All threads of the sending process count, the encoders' too. The
viewers are hairpin's for both sides, and only count packets.

Playing takes seconds, so that one round is for three of the other scripts.

    python -m benchmarks.media.raw_viewers [--rounds 3]
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from benchmarks.table import Row, print_rows
from transport.dtls import SrtpProfile

from .process import Link, Load, link

WIDTH, HEIGHT, FRAME_RATE = 640, 360, 30
FRAMES = 60
VIEWERS = 10
SECONDS = 4.0
STARTING = 2.0
"""Until encoders and pacing have settled."""

LEAST_FRAME_RATE = {"hairpin": FRAME_RATE, "aiortc": 1}
"""A frame is a packet at least. On two cores aiortc cannot keep up with ten encoders, and
its share is less than what it needs."""

MUST_HOLD, AIM = 0.25, 0.12


def write_clip(path: Path) -> None:
    """Two seconds of a grey ramp that moves: easy content, for both sides."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("rawvideo", rate=FRAME_RATE)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(FRAMES):
            frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
            luma, *chroma = frame.planes
            row = bytes((column + 4 * index) & 0xFF for column in range(luma.line_size))
            luma.update(row * HEIGHT)
            for plane in chroma:
                plane.update(bytes([128]) * plane.buffer_size)
            frame.pts, frame.time_base = index, Fraction(1, FRAME_RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def share_of_a_core(each: Link, least_packets_per_second: float) -> float:
    arrived, before = each.receiver.arrived(), each.sender.all_cpu_seconds()
    start = time.perf_counter()
    time.sleep(SECONDS)
    used = each.sender.all_cpu_seconds() - before
    seconds = time.perf_counter() - start
    assert each.receiver.arrived() - arrived > least_packets_per_second * seconds
    return used / seconds


def measure(side: str, clip: Path) -> float:
    """One side alone, as playing goes on whether it is measured or not."""
    load = Load(connections=VIEWERS, frames=0, packets=1, is_counted=True)
    profile = SrtpProfile.AEAD_AES_128_GCM
    with link(side, "hairpin", profile, load, source=str(clip)) as each:
        time.sleep(STARTING)
        return share_of_a_core(each, LEAST_FRAME_RATE[side] * VIEWERS)


def rows(rounds: int) -> Iterator[Row]:
    with contextlib.ExitStack() as stack:
        clip = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "raw.nut"
        write_clip(clip)
        shares = [
            (measure("hairpin", clip), measure("aiortc", clip)) for _ in range(-(-rounds // 3))
        ]
    ours, theirs = (statistics.median(column) for column in zip(*shares, strict=True))
    yield Row(
        "10 raw 640x360 viewers, share of one core",
        f"{ours:.1%} of a core",
        f"aiortc {theirs:.0%}",
        ours,
        must_hold=MUST_HOLD,
        aim=AIM,
        lower_is_better=True,
    )


if __name__ == "__main__":
    print_rows(__doc__, rows)
