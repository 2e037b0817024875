"""What ten viewers cost a master beside one, when it encodes a raw picture of 640x360.

The service, the master and the viewers are processes of their own; what is measured is
the time on the CPU of all threads of the master, the encoder's too. Windows with one
viewer and with ten alternate, so that what else the machine does falls on both.

    python -m benchmarks.media.ten_viewers [--rounds 2] [--seconds 20] [--silent]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import pathlib
import random
import statistics
import sys
import tempfile
import time
from array import array
from collections.abc import AsyncIterator, Iterator
from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from benchmarks.table import Row
from tests.interop.process import Command, hairpin
from tests.interop.service import Service, serving
from tests.interop.viewers import ViewerProcess, viewer_process

WIDTH, HEIGHT, FRAME_RATE = 640, 360, 30
FRAMES = 60
SAMPLE_RATE, AUDIO_SAMPLES = 48_000, 960
RAMP = bytes(range(200)) * 5
GRAIN = bytes(value // 16 for value in range(256))

CHANNEL = "ten"
FEW, MANY = 1, 10
SECONDS = 20.0
SETTLING = 3.0
"""Seconds until the cached pictures are out and pacing is steady."""

LEAST_SHARE = 0.8
"""Of the pictures, that each viewer has to receive: else the figure says nothing."""

MUST_HOLD, AIM = 2.0, 1.5


def write_clip(path: pathlib.Path, *, sound: bool) -> None:
    """Two seconds of a raw ramp that moves, and of a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("rawvideo", rate=FRAME_RATE)
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = _add_sound(container) if sound else None
        noise = random.Random(0)
        for index in range(FRAMES):
            container.mux(video.encode(_picture(index, noise)))
        if audio is not None:
            for start in range(0, FRAMES * SAMPLE_RATE // FRAME_RATE, AUDIO_SAMPLES):
                container.mux(audio.encode(_tone(start)))


def _add_sound(container: OutputContainer) -> AudioStream:
    stream = container.add_stream("pcm_s16le", rate=SAMPLE_RATE)
    assert isinstance(stream, AudioStream)
    stream.layout = "stereo"
    return stream


def _picture(index: int, noise: random.Random) -> VideoFrame:
    """As a camera sees it: noisy enough that the encoder uses the bit rate that it has."""
    frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
    luma, *chroma = frame.planes
    rows = [RAMP[(row + 4 * index) % 200 :][: luma.line_size] for row in range(HEIGHT)]
    grain = noise.randbytes(luma.buffer_size).translate(GRAIN)
    total = int.from_bytes(b"".join(rows)) + int.from_bytes(grain)  # no byte is over 215
    luma.update(total.to_bytes(luma.buffer_size))
    for plane in chroma:
        plane.update(bytes([128]) * plane.buffer_size)
    frame.pts, frame.time_base = index, Fraction(1, FRAME_RATE)
    return frame


def _tone(start: int) -> AudioFrame:
    """A saw-tooth of 500 Hz."""
    wave = array("h")
    for index in range(start, start + AUDIO_SAMPLES):
        wave.extend((index % 96 * 100,) * 2)
    frame = AudioFrame(format="s16", layout="stereo", samples=AUDIO_SAMPLES)
    frame.planes[0].update(wave.tobytes())
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
    return frame


def cpu_seconds(pid: int) -> float:
    """What all threads of a process have spent: /proc/PID/schedstat has the first one's alone."""
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


@dataclasses.dataclass(frozen=True)
class Window:
    """The master's share of a core, the least frame rate among its viewers, and what a
    viewer receives in a second.

    On a machine that is too busy to play every picture, the share is what all would take.
    """

    share: float
    frame_rate: float
    kilobits: float
    packets: float
    lost: int

    def __str__(self) -> str:
        return (
            f"{100 * self.share:5.1f} % of a core, at least {self.frame_rate:.1f} frames a second "
            f"each, about {self.packets:.0f} packets, {self.kilobits:.0f} kbit/s, {self.lost} lost"
        )


@dataclasses.dataclass(frozen=True)
class Bench:
    """A service with a channel and a master that streams to it."""

    service: Service
    master: Command
    frame_rate: float

    async def measure(self, viewers: int, seconds: float) -> Window:
        names = [f"viewer-{number}" for number in range(viewers)]
        environment = self.service.environment
        async with viewer_process(CHANNEL, *names, environment=environment) as watching:
            await asyncio.wait_for(watching.playing(), 30)
            await asyncio.sleep(SETTLING)
            window = await self._window(watching, seconds)
        assert window.frame_rate >= LEAST_SHARE * self.frame_rate, window
        return window

    async def _window(self, watching: ViewerProcess, seconds: float) -> Window:
        pid = self.master.process.pid
        first, begun = await watching.next_report(), watching.at
        start, before = time.monotonic(), cpu_seconds(pid)
        await asyncio.sleep(seconds)
        share = (cpu_seconds(pid) - before) / (time.monotonic() - start)
        last, elapsed = await watching.next_report(), watching.at - begun
        received = [last[name].since(first[name]) for name in last]
        frame_rate = statistics.mean(each.video for each in received) / elapsed
        return Window(
            share * self.frame_rate / frame_rate,
            min(each.video for each in received) / elapsed,
            statistics.mean(each.bytes for each in received) * 8 / 1000 / elapsed,
            statistics.mean(each.packets for each in received) / elapsed,
            sum(each.lost for each in received),
        )


@contextlib.asynccontextmanager
async def bench(source: str, frame_rate: float) -> AsyncIterator[Bench]:
    with tempfile.TemporaryDirectory() as folder:
        async with serving(pathlib.Path(folder), "http") as service:
            async with service.access.client() as client:
                await client.create_channel(CHANNEL)
            arguments = ("--channel", CHANNEL, "--source", source, "--loopback")
            async with hairpin("master", *arguments, environment=service.environment) as master:
                yield Bench(service, master, frame_rate)


async def compare(source: str, frame_rate: float, *, rounds: int, seconds: float) -> Row:
    few: list[Window] = []
    many: list[Window] = []
    async with bench(source, frame_rate) as each:
        for _ in range(rounds):
            few.append(await each.measure(FEW, seconds))
            many.append(await each.measure(MANY, seconds))
            for count, window in ((FEW, few[-1]), (MANY, many[-1])):
                print(f"{count:3} viewers: {window}", file=sys.stderr, flush=True)
    one, ten = (statistics.mean(window.share for window in column) for column in (few, many))
    return Row(
        "media: master that encodes, 10 viewers beside 1",
        f"{100 * ten:.1f} % of a core",
        f"1 viewer {100 * one:.1f} %",
        statistics.median(b.share / a.share for a, b in zip(few, many, strict=True)),
        must_hold=MUST_HOLD,
        aim=AIM,
        lower_is_better=True,
    )


def rows(rounds: int) -> Iterator[Row]:
    """A round takes as long as three of other scripts."""
    with tempfile.TemporaryDirectory() as folder:
        clip = pathlib.Path(folder, "raw.mkv")
        write_clip(clip, sound=True)
        count = max(1, rounds // 3)
        yield asyncio.run(compare(str(clip), FRAME_RATE, rounds=count, seconds=SECONDS))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--silent", action="store_true", help="no sound beside the raw video")
    parser.add_argument("--source", help="what the master streams, instead of the raw clip")
    parser.add_argument("--frame-rate", type=float, default=FRAME_RATE, help="of that source")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = options.source
        if source is None:
            source = str(pathlib.Path(folder, "raw.mkv"))
            write_clip(pathlib.Path(source), sound=not options.silent)
        comparing = compare(
            source, options.frame_rate, rounds=options.rounds, seconds=options.seconds
        )
        print(asyncio.run(comparing))


if __name__ == "__main__":
    main()
