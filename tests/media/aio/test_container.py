"""What is found out about a source when it is opened."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import pytest

from media.aio.demand import Demand, SourceUnit
from media.aio.feed import SourceFeed
from media.aio.libav import LibavInput, Picture
from media.source import MediaSourceError, Origin, VideoTrack
from media.units import MediaKind
from tests.media import clips


def opened(path: Path) -> VideoTrack:
    source = LibavInput(str(path))
    source.close()
    assert source.description.video is not None
    return source.description.video


def first_picture(path: Path) -> Picture:
    source = LibavInput(str(path))
    decoder = source.video_decoder()
    pictures = [one for packet in source.packets() for one in decoder.decode(packet)]
    source.close()
    return pictures[0]


def brightness(picture: Picture, x: int, y: int) -> int:
    plane = picture.frame.planes[0]
    return bytes(plane)[y * plane.line_size + x]


@pytest.mark.parametrize(
    ("degrees", "size", "dark", "bright"),
    [
        pytest.param(90, (48, 64), (24, 60), (24, 4), id="left"),
        pytest.param(-90, (48, 64), (24, 4), (24, 60), id="right"),
        pytest.param(180, (64, 48), (60, 24), (4, 24), id="upside-down"),
    ],
)
def test_pictures_of_a_phone_are_turned_and_encoded(
    tmp_path: Path,
    degrees: int,
    size: tuple[int, int],
    dark: tuple[int, int],
    bright: tuple[int, int],
) -> None:
    clip = clips.phone_mp4(tmp_path / "clip.mp4", degrees=degrees)

    video, picture = opened(clip), first_picture(clip)

    assert video.obstacle == f"it is to be turned by {abs(degrees)} degrees"
    assert (video.width, video.height) == size == (picture.frame.width, picture.frame.height)
    assert brightness(picture, *dark) < 50
    assert brightness(picture, *bright) > 200


def test_pictures_that_are_turned_keep_their_times(tmp_path: Path) -> None:
    source = LibavInput(str(clips.phone_mp4(tmp_path / "clip.mp4", degrees=90)))
    demand = Demand()
    demand.use(source.description.streams[0])

    feed = SourceFeed(source, demand, loop=False, wait=lambda seconds: False)
    units = [one.unit for one in feed.units() if isinstance(one, SourceUnit)]
    feed.close()

    assert [unit.timestamp for unit in units] == [3600 * index for index in range(10)]


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    video = opened(clips.anamorphic_mp4(tmp_path / "clip.mp4"))

    assert video.obstacle == "its pixels are not square"
    assert (video.width, video.height) == (128, 48)


def test_a_long_group_of_pictures_behind_what_was_probed_is_found_in_the_index(
    tmp_path: Path,
) -> None:
    clip = clips.h264_mp4(tmp_path / "clip.mp4", frames=80, gop=5, audio=False, rate=4)
    assert opened(clip).obstacle is None

    late = clips.h264_mp4_with_late_group(tmp_path / "late.mp4")

    assert opened(late).obstacle == "its key frames are more than 12 seconds apart"


@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_containers_that_list_no_samples_are_probed_alone(tmp_path: Path, suffix: str) -> None:
    clip = clips.h264_mp4(tmp_path / f"clip.{suffix}", frames=20, gop=10, audio=False)

    video = opened(clip)

    assert video.obstacle is None
    assert video.keyframe_interval == pytest.approx(0.4)


def test_what_is_given_first_after_probing_is_the_beginning(tmp_path: Path) -> None:
    clip = clips.vp8_webm(tmp_path / "clip.webm")
    source = LibavInput(str(clip))

    first = next(packet for packet in source.packets() if packet.kind is MediaKind.VIDEO)
    source.close()

    assert first.keyframe
    assert first.time == pytest.approx(0.0, abs=0.01)


def test_a_name_with_a_colon_is_a_file(tmp_path: Path) -> None:
    clip = clips.h264_mp4(tmp_path / "tcp:clip.mp4", frames=5, audio=False)

    assert opened(clip).frame_rate == Fraction(25)


@pytest.mark.parametrize("codec", ["libx265", "mpeg2video", "mjpeg", "msmpeg4v2"])
def test_other_codecs_are_decoded(tmp_path: Path, codec: str) -> None:
    suffix = "mkv" if codec != "msmpeg4v2" else "avi"
    clip = clips.coded(tmp_path / f"clip.{suffix}", codec)

    video, picture = opened(clip), first_picture(clip)

    assert video.obstacle is not None
    assert video.obstacle.startswith("browsers take no ")
    assert (picture.frame.width, picture.frame.height) == (64, 48)


def test_a_file_that_ends_too_early_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = clips.h264_mp4(tmp_path / "whole.mkv", frames=20, gop=5, audio=False)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    source = LibavInput(str(cut))

    feed = SourceFeed(source, Demand(), loop=True, wait=lambda seconds: False)
    units = [one for one in itertools.islice(feed.units(), 40) if isinstance(one, SourceUnit)]
    feed.close()

    assert source.description.streams[0].origin is Origin.PASSTHROUGH
    assert [one.unit.keyframe for one in units].count(True) >= 2
    times = [one.time for one in units]
    assert times == sorted(times)


@pytest.mark.parametrize("kept", [0.2, 0.5])
def test_an_mp4_that_lost_its_end_is_no_video(tmp_path: Path, kept: float) -> None:
    whole = clips.h264_mp4(tmp_path / "whole.mp4", frames=20, audio=False)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * kept)])

    with pytest.raises(MediaSourceError) as error:
        LibavInput(str(cut))

    assert str(error.value) == f"{cut}: it is no audio or video that can be read"


def test_key_frames_that_no_decoder_can_begin_with_do_not_count(tmp_path: Path) -> None:
    """Recovery points, which Matroska marks like IDR pictures."""
    clip = clips.recovery_points_mkv(tmp_path / "clip.mkv")
    with av.open(str(clip)) as container:
        marked = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]

    assert marked.count(True) > 1
    assert opened(clip).obstacle == "its key frames are more than 12 seconds apart"
