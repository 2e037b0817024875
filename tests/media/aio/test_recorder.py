"""Files that are written, and read again by FFmpeg."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest
from av.video.stream import VideoStream

from media.aio.libav import LibavInput
from media.aio.recorder import FileRecorder
from media.recorder import RecorderError
from media.session import UnitReceived
from media.units import AccessUnit, CodecName, MediaKind
from tests.media.clips import h264_mp4, picture, vp8_webm
from tests.media.encoded import audio_packets, decoded_frames, picture_hashes
from tests.media.session.material import opus_unit, video_unit

BOTH = (MediaKind.VIDEO, MediaKind.AUDIO)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is complete when its recorder is closed, however slow the machine is."""
    monkeypatch.setattr("media.aio.recorder.CLOSE_TIMEOUT", 50.0)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[CodecName, Path]:
    folder = tmp_path_factory.mktemp("clips")
    return {
        CodecName.H264: h264_mp4(folder / "h264.mp4", frames=30),
        CodecName.VP8: vp8_webm(folder / "vp8.webm", frames=30),
    }


def units_of(path: Path, repeat: int = 1) -> list[UnitReceived]:
    """A file as a peer would send it: every packet of Opus beside its picture."""
    source = LibavInput(str(path))
    passthrough = source.passthrough()
    codec = CodecName.VP8 if path.suffix == ".webm" else CodecName.H264
    pictures = [p.data for p in source.packets() if p.kind is MediaKind.VIDEO]
    source.close()
    received = []
    for index, data in enumerate(pictures * repeat):
        unit = passthrough.unit(data, index * 3600)
        assert unit is not None
        assert unit.codec is codec
        received.append(UnitReceived("0", unit, 100 + index * 0.04))
        for half in (2 * index, 2 * index + 1):
            opus = AccessUnit(CodecName.OPUS, b"\xfc\xff\xfe", half * 960, True)
            received.append(UnitReceived("1", opus, 100 + half * 0.02))
    return received


def larger_clip(path: Path) -> Path:
    """Ten pictures of 128x96."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"tune": "zerolatency"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.profile = 128, 96, "Baseline"
        for index in range(10):
            container.mux(stream.encode(picture(index, 128, 96)))
        container.mux(stream.encode(None))
    return path


async def record(path: Path, received: list[UnitReceived]) -> FileRecorder:
    async with FileRecorder(path) as recorder:
        recorder.begin(BOTH)
        for each in received:
            recorder.push(each)
    return recorder


@pytest.mark.parametrize(
    ("codec", "ending"),
    [
        (CodecName.H264, ".mp4"),
        (CodecName.H264, ".mkv"),
        (CodecName.VP8, ".webm"),
        (CodecName.VP8, ".mkv"),
    ],
)
async def test_a_file_holds_what_was_received_and_plays(
    clips: dict[CodecName, Path], tmp_path: Path, codec: CodecName, ending: str
) -> None:
    path = tmp_path / f"out{ending}"
    recorder = await record(path, units_of(clips[codec]))

    assert picture_hashes(path) == picture_hashes(clips[codec])
    assert audio_packets(path) == [b"\xfc\xff\xfe"] * 60
    assert decoded_frames(path)[0] == 30
    with av.open(str(path)) as container:
        (video, audio) = container.streams
        assert isinstance(video, VideoStream)
        assert (video.width, video.height) == (64, 48)
        assert (video.start_time, (audio.start_time or 0) <= 7) == (0, True)
        assert container.duration == pytest.approx(1_200_000, abs=45_000)
        container.seek(400_000)
        found = next(container.demux(video))
        assert float((found.pts or 0) * found.time_base) == 0.4
    assert (recorder.stats.video, recorder.stats.audio, recorder.error) == (30, 60, None)


@pytest.mark.parametrize(("codec", "ending"), [(CodecName.H264, ".mp4"), (CodecName.VP8, ".webm")])
async def test_gaps_are_gaps_in_the_file(
    clips: dict[CodecName, Path], tmp_path: Path, codec: CodecName, ending: str
) -> None:
    path = tmp_path / f"out{ending}"
    received = [
        each
        for each in units_of(clips[codec])
        if not 0.4 <= each.unit.timestamp / each.unit.codec.clock_rate < 0.8
    ]
    await record(path, received)

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = [float(p.pts * p.time_base) for p in container.demux(stream) if p.pts is not None]
    assert times == pytest.approx([n * 0.04 for n in (*range(10), *range(20, 30))], abs=0.001)


@pytest.mark.parametrize(("codec", "ending"), [(CodecName.H264, ".mp4"), (CodecName.VP8, ".webm")])
async def test_audio_that_begins_later_than_video_does_so_in_the_file(
    clips: dict[CodecName, Path], tmp_path: Path, codec: CodecName, ending: str
) -> None:
    path = tmp_path / f"out{ending}"
    units = units_of(clips[codec])
    await record(
        path, [each for each in units if each.mid == "0" or (each.captured_at or 0) > 100.5]
    )

    with av.open(str(path)) as container:
        (stream,) = container.streams.audio
        times = [float(p.pts * p.time_base) for p in container.demux(stream) if p.pts is not None]
    assert times[:3] == pytest.approx([0.52, 0.54, 0.56], abs=0.008)


async def test_parameter_sets_that_change_are_kept_in_the_file(
    clips: dict[CodecName, Path], tmp_path: Path
) -> None:
    larger = larger_clip(tmp_path / "larger.mp4")
    shift = 30 * 3600
    received = [each for each in units_of(clips[CodecName.H264]) if each.mid == "0"]
    for each in units_of(larger):
        if each.mid == "0":
            unit = AccessUnit(
                each.unit.codec, each.unit.data, each.unit.timestamp + shift, each.unit.keyframe
            )
            received.append(UnitReceived("0", unit))
    async with FileRecorder(tmp_path / "out.mp4") as recorder:
        recorder.begin([MediaKind.VIDEO])
        for each in received:
            recorder.push(each)

    with av.open(str(tmp_path / "out.mp4")) as container:
        sizes = [(frame.width, frame.height) for frame in container.decode(video=0)]
    assert sizes == [(64, 48)] * 30 + [(128, 96)] * 10
    assert recorder.stats.parameter_changes == 1


KILLED = """
import asyncio, sys
from pathlib import Path
from media.aio.recorder import FileRecorder
from tests.media.aio.test_recorder import BOTH, units_of

async def main() -> None:
    async with FileRecorder(sys.argv[2]) as recorder:
        recorder.begin(BOTH)
        for each in units_of(Path(sys.argv[1]), repeat=5):
            recorder.push(each)
        sys.stdin.read()

asyncio.run(main())
"""


def frames_so_far(path: Path) -> int:
    """What a player would get of a file that is being written."""
    with contextlib.suppress(av.FFmpegError):
        return decoded_frames(path)[0]
    return 0


@pytest.mark.long  # a process of its own, which is killed
@pytest.mark.parametrize(("codec", "ending"), [(CodecName.H264, ".mp4"), (CodecName.VP8, ".webm")])
def test_a_process_that_is_killed_leaves_all_but_the_last_second(
    clips: dict[CodecName, Path], tmp_path: Path, codec: CodecName, ending: str
) -> None:
    path = tmp_path / f"out{ending}"
    command = [sys.executable, "-c", KILLED, str(clips[codec]), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        while frames_so_far(path) < 125 and process.poll() is None:
            time.sleep(0.01)
        process.kill()

    assert process.returncode == -9
    assert picture_hashes(path)[:125] == (picture_hashes(clips[codec]) * 5)[:125]
    assert decoded_frames(path)[0] >= 125


async def test_a_file_that_is_there_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "out.webm"
    path.write_bytes(b"precious")

    with pytest.raises(RecorderError, match="is there already"):
        async with FileRecorder(path):
            pass
    async with FileRecorder(path, overwrite=True):
        pass
    assert path.read_bytes() == b"precious"
    async with FileRecorder(path, overwrite=True) as recorder:
        recorder.begin([MediaKind.AUDIO])
        recorder.push(UnitReceived("1", opus_unit(0)))
    assert len(audio_packets(path)) == 1


async def test_a_file_that_nothing_came_for_is_taken_away(tmp_path: Path) -> None:
    async with FileRecorder(tmp_path / "out.mp4") as recorder:
        recorder.begin(BOTH)
        assert (tmp_path / "out.mp4").exists()

    assert not (tmp_path / "out.mp4").exists()
    assert not recorder.has_begun


async def test_a_folder_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(RecorderError, match="cannot be written: No such file or directory"):
        async with FileRecorder(tmp_path / "none" / "out.mp4"):
            pass


async def test_a_disk_that_is_full_fails_the_recording(tmp_path: Path) -> None:
    (tmp_path / "out.mkv").symlink_to("/dev/full")
    async with FileRecorder(tmp_path / "out.mkv", overwrite=True) as recorder:
        recorder.begin([MediaKind.VIDEO])
        recorder.push(UnitReceived("0", video_unit(CodecName.VP8, 0, keyframe=True)))
        index = 1
        while not recorder.failed.done():
            recorder.push(UnitReceived("0", video_unit(CodecName.VP8, index)))
            await asyncio.sleep(0)
            index += 1
        with pytest.raises(RecorderError, match="No space left"):
            await recorder.failed

    assert recorder.error is not None


async def test_the_wrong_codec_keeps_what_came_before(tmp_path: Path) -> None:
    async with FileRecorder(tmp_path / "out.mkv") as recorder:
        recorder.begin([MediaKind.VIDEO])
        recorder.push(UnitReceived("0", video_unit(CodecName.VP8, 0, keyframe=True)))
        recorder.push(UnitReceived("0", video_unit(CodecName.H264, 1, keyframe=True)))
        recorder.push(UnitReceived("0", video_unit(CodecName.VP8, 2)))

    assert "turned from VP8" in str(recorder.error)
    assert len(picture_hashes(tmp_path / "out.mkv")) == 1
