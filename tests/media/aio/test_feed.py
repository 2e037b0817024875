"""The samples of real clips through the feed, without thread and without clock."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.video.codeccontext import VideoCodecContext

from media.aio.demand import Demand, SourceUnit
from media.aio.feed import SourceFeed
from media.aio.libav import LibavInput, Picture, VideoEncoder
from media.bitstream import OpusPacketHead, SequenceParameterSet, nal_type, split_annex_b
from media.source import MediaSourceError, Origin, SourceStream, encode_settings
from media.units import AccessUnit, CodecName
from tests.media import clips


def in_no_time(seconds: float) -> bool:
    """Nothing here waits."""
    return False


def stream_of(source: LibavInput, codec: CodecName, origin: Origin) -> SourceStream:
    (found,) = (
        stream
        for stream in source.description.streams
        if stream.codec is codec and stream.origin is origin
    )
    return found


def play(
    path: Path, *wanted: tuple[CodecName, Origin], loop: bool = False, count: int = 100_000
) -> list[SourceUnit]:
    """The first units of a clip with these streams in use."""
    source = LibavInput(str(path))
    demand = Demand()
    for codec, origin in wanted:
        demand.use(stream_of(source, codec, origin))
    units = (
        unit
        for unit in SourceFeed(source, demand, loop=loop, wait=in_no_time).units()
        if isinstance(unit, SourceUnit)
    )
    found = list(itertools.islice(units, count))
    source.close()
    return found


def of(units: list[SourceUnit], codec: CodecName, origin: Origin) -> list[AccessUnit]:
    return [one.unit for one in units if one.stream.codec is codec and one.stream.origin is origin]


def decoded(codec: str, units: list[AccessUnit]) -> list[bytes]:
    """The brightness of each picture, as a decoder of its own makes it."""
    context = av.CodecContext.create(codec, "r")
    assert isinstance(context, VideoCodecContext)
    pictures = [p for one in units for p in context.decode(av.Packet(one.data))]
    pictures += context.decode(None)
    return [bytes(picture.planes[0]) for picture in pictures]


@pytest.mark.requirement("sdp-media:SYS02")
def test_h264_is_passed_through_so_that_a_decoder_sees_the_frames_of_the_file(
    tmp_path: Path,
) -> None:
    clip = clips.h264_mp4(tmp_path / "clip.mp4", frames=20, gop=10)

    units = of(play(clip), CodecName.H264, Origin.PASSTHROUGH)

    with av.open(str(clip)) as container:
        expected = [bytes(frame.planes[0]) for frame in container.decode(video=0)]
    assert decoded("h264", units) == expected
    assert [one.timestamp for one in units] == [3600 * index for index in range(20)]


@pytest.mark.requirement("sdp-media:PAY05")
def test_parameter_sets_go_before_every_idr_of_a_file_that_has_them_out_of_band(
    tmp_path: Path,
) -> None:
    clip = clips.h264_mp4(tmp_path / "clip.mp4", frames=20, gop=10)

    keyframes = [one for one in of(play(clip), CodecName.H264, Origin.PASSTHROUGH) if one.keyframe]

    assert len(keyframes) == 2
    for one in keyframes:
        assert [nal_type(nal) for nal in split_annex_b(one.data)][:2] == [7, 8]


@pytest.mark.requirement("sdp-media:SYS02")
def test_vp8_and_opus_are_passed_through_byte_for_byte(tmp_path: Path) -> None:
    clip = clips.vp8_webm(tmp_path / "clip.webm")

    units = play(clip, (CodecName.OPUS, Origin.PASSTHROUGH))

    with av.open(str(clip)) as container:
        packets = [packet for packet in container.demux() if packet.size]
        video = [bytes(one) for one in packets if one.stream.type == "video"]
        audio = [bytes(one) for one in packets if one.stream.type == "audio"]
    assert [one.data for one in of(units, CodecName.VP8, Origin.PASSTHROUGH)] == video
    assert [one.data for one in of(units, CodecName.OPUS, Origin.PASSTHROUGH)] == audio


def test_aac_becomes_opus_of_20_ms_without_gaps(tmp_path: Path) -> None:
    clip = clips.h264_mp4(tmp_path / "clip.mp4")

    units = of(play(clip, (CodecName.OPUS, Origin.ENCODED)), CodecName.OPUS, Origin.ENCODED)

    assert [one.timestamp for one in units] == [960 * index for index in range(40)]
    assert all(OpusPacketHead.decode(one.data).samples == 960 for one in units)


def test_b_frames_are_decoded_and_encoded_in_display_order(tmp_path: Path) -> None:
    clip = clips.h264_mp4_with_b_frames(tmp_path / "clip.mp4", frames=20)
    source = LibavInput(str(clip))
    video = source.description.video
    source.close()

    units = play(clip, (CodecName.H264, Origin.ENCODED))

    assert video is not None
    assert video.obstacle == "its frames are not in display order (B frames)"
    assert [one.unit.timestamp for one in units] == [3600 * index for index in range(20)]
    assert len(decoded("h264", [one.unit for one in units])) == 20


@pytest.mark.parametrize(("codec", "decoder"), [(CodecName.H264, "h264"), (CodecName.VP8, "vp8")])
def test_another_codec_is_encoded_for_those_who_use_it(
    tmp_path: Path, codec: CodecName, decoder: str
) -> None:
    clip = clips.mpeg4_avi(tmp_path / "clip.avi", frames=10)

    units = of(play(clip, (codec, Origin.ENCODED)), codec, Origin.ENCODED)

    assert [one.keyframe for one in units] == [True] + [False] * 9
    assert len(decoded(decoder, units)) == 10


def test_raw_pictures_are_encoded(tmp_path: Path) -> None:
    units = of(
        play(clips.raw_avi(tmp_path / "raw.avi"), (CodecName.VP8, Origin.ENCODED)),
        CodecName.VP8,
        Origin.ENCODED,
    )

    assert len(decoded("vp8", units)) == 4


def test_the_encoded_h264_keeps_to_the_profile_and_level_it_is_offered_with(
    tmp_path: Path,
) -> None:
    clip = clips.mpeg4_avi(tmp_path / "clip.avi", frames=2)

    first = play(clip, (CodecName.H264, Origin.ENCODED))[0].unit

    found = SequenceParameterSet.decode(split_annex_b(first.data)[0])
    assert (found.profile_idc, found.constraint_flags & 0x40) == (66, 0x40)
    assert found.level_idc <= 31
    assert found.max_reorder_frames == 0


@pytest.mark.requirement("sdp-media:SYS01")
def test_a_stream_is_encoded_once_however_many_use_it_and_not_at_all_for_nobody(
    tmp_path: Path,
) -> None:
    clip = clips.mpeg4_avi(tmp_path / "clip.avi", frames=10)

    for_ten = play(clip, *[(CodecName.VP8, Origin.ENCODED)] * 10)

    assert len(for_ten) == 10
    assert play(clip) == []


def test_a_looped_source_runs_on_without_a_jump(tmp_path: Path) -> None:
    clip = clips.h264_mp4(tmp_path / "clip.mp4", frames=10, gop=10)

    units = play(clip, (CodecName.OPUS, Origin.ENCODED), loop=True, count=100)

    video = [one.timestamp for one in of(units, CodecName.H264, Origin.PASSTHROUGH)]
    audio = [one.timestamp for one in of(units, CodecName.OPUS, Origin.ENCODED)]
    assert len(video) > 30
    assert {after - before for before, after in itertools.pairwise(video)} <= set(range(3599, 5600))
    assert all(960 <= after - before < 2880 for before, after in itertools.pairwise(audio))
    times = [one.time for one in units]
    assert all(after >= before - 0.05 for before, after in itertools.pairwise(times))


def test_a_keyframe_is_encoded_when_it_is_asked_for(tmp_path: Path) -> None:
    source = LibavInput(str(clips.mpeg4_avi(tmp_path / "clip.avi", frames=10)))
    demand = Demand()
    streams = [
        stream_of(source, codec, Origin.ENCODED) for codec in (CodecName.H264, CodecName.VP8)
    ]
    for stream in streams:
        demand.use(stream)
    keyframes: dict[SourceStream, list[bool]] = {stream: [] for stream in streams}

    for one in SourceFeed(source, demand, loop=False, wait=in_no_time).units():
        if isinstance(one, SourceUnit):
            keyframes[one.stream].append(one.unit.keyframe)
            if len(keyframes[one.stream]) == 4:
                demand.request_keyframe(one.stream)
    source.close()

    expected = [index in (0, 4) for index in range(10)]
    assert list(keyframes.values()) == [expected, expected]


def test_an_encoder_used_in_the_middle_of_a_group_begins_there_with_a_keyframe(
    tmp_path: Path,
) -> None:
    clip = clips.h264_mp4(tmp_path / "clip.mp4", frames=20, gop=20, audio=False)
    source = LibavInput(str(clip))
    demand = Demand()
    encoded = stream_of(source, CodecName.VP8, Origin.ENCODED)

    seen = 0
    units = []
    for one in SourceFeed(source, demand, loop=False, wait=in_no_time).units():
        assert isinstance(one, SourceUnit)
        if one.stream == encoded:
            units.append(one.unit)
            continue
        seen += 1
        if seen == 12:
            demand.use(encoded)
    source.close()

    assert units[0].keyframe
    assert [unit.timestamp for unit in units] == [3600 * index for index in range(11, 20)]
    shown = [picture[0] for picture in decoded("vp8", units)]
    expected = [bytes(clips.picture(index).planes[0])[0] for index in (7, *range(12, 20))]
    assert all(abs(a - b) < 12 for a, b in zip(shown, expected, strict=True))


def test_an_encoder_used_in_a_group_too_long_to_be_kept_begins_at_once(tmp_path: Path) -> None:
    clip = clips.h264_mp4(tmp_path / "clip.mp4", frames=80, gop=1000, audio=False, rate=5)
    source = LibavInput(str(clip))
    video = source.description.video
    demand = Demand()
    encoded = stream_of(source, CodecName.VP8, Origin.ENCODED)

    units = []
    for one in SourceFeed(source, demand, loop=False, wait=in_no_time).units():
        if isinstance(one, SourceUnit):
            units.append(one.unit)
        elif one.time >= 15.0:
            demand.use(encoded)
    source.close()

    assert video is not None
    assert video.obstacle == "its key frames are more than 12 seconds apart"
    assert units[0].keyframe
    assert 15.0 <= units[0].timestamp / 90_000 <= 15.4


def test_an_encoder_stops_when_the_last_user_is_gone(tmp_path: Path) -> None:
    source = LibavInput(str(clips.mpeg4_avi(tmp_path / "clip.avi", frames=10)))
    demand = Demand()
    stream = stream_of(source, CodecName.H264, Origin.ENCODED)
    demand.use(stream)
    demand.use(stream)
    count = 0

    for one in SourceFeed(source, demand, loop=False, wait=in_no_time).units():
        count += isinstance(one, SourceUnit)
        if count in (3, 6):
            demand.release(stream)
            count += 100 if count == 6 else 0
    source.close()

    assert count < 110
    assert demand.streams == frozenset()


def test_a_bitrate_reaches_the_encoder(tmp_path: Path) -> None:
    clip = clips.mpeg4_avi(tmp_path / "clip.avi", frames=10)
    source = LibavInput(str(clip))
    demand = Demand()
    sizes = []
    for bitrate in (40_000, 4_000_000):
        stream = stream_of(source, CodecName.H264, Origin.ENCODED)
        demand.use(stream)
        demand.bitrates[stream] = bitrate
        units = SourceFeed(source, demand, loop=False, wait=in_no_time).units()
        sizes.append(sum(len(one.unit.data) for one in units if isinstance(one, SourceUnit)))
        source.rewind()
    source.close()

    assert sizes[0] < sizes[1]


def test_audio_alone_is_played(tmp_path: Path) -> None:
    clip = clips.wav(tmp_path / "tone.wav", seconds=0.4)

    units = play(clip, (CodecName.OPUS, Origin.ENCODED))

    assert len(units) == 20


def test_video_of_which_nothing_can_be_decoded_ends_in_an_error(tmp_path: Path) -> None:
    clip = clips.h264_mp4(tmp_path / "clip.mp4", frames=200, audio=False)
    content = clip.read_bytes()
    start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    clip.write_bytes(content[:start] + bytes(end - start) + content[end:])

    with pytest.raises(MediaSourceError, match="its video cannot be decoded"):
        play(clip, (CodecName.VP8, Origin.ENCODED), loop=True)


def test_60_frames_per_second_are_encoded_as_30(tmp_path: Path) -> None:
    clip = clips.mpeg4_avi(tmp_path / "clip.avi", frames=12, rate=60)

    units = play(clip, (CodecName.H264, Origin.ENCODED))

    assert [one.unit.timestamp for one in units] == [3000 * index for index in range(6)]


def test_vp8_takes_a_new_bitrate_with_a_keyframe_after_five_seconds_at_the_soonest() -> None:
    encoder = VideoEncoder(CodecName.VP8, encode_settings(64, 48, Fraction(1)))
    units = []

    for second in range(8):
        units += encoder.encode(Picture(second, clips.picture(second)), second * 90_000)
        encoder.set_bitrate(200_000)

    keyframes = [unit.timestamp // 90_000 for unit in units if unit.keyframe]
    assert keyframes == [0, 4, 5]  # its own after four seconds, and the one of the new bitrate


@pytest.mark.requirement("sdp-media:PAY06")
def test_an_elementary_stream_without_times_is_played_at_its_frame_rate(tmp_path: Path) -> None:
    clip = clips.h264_mp4(tmp_path / "clip.mp4", frames=10, gop=10, audio=False)
    stream = tmp_path / "clip.h264"
    stream.write_bytes(b"".join(one.unit.data for one in play(clip)))

    units = play(stream, loop=True, count=20)

    spacing = {b.unit.timestamp - a.unit.timestamp for a, b in itertools.pairwise(units)}
    assert spacing == {3600}
    assert [one.unit.keyframe for one in units] == [index % 10 == 0 for index in range(20)]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("missing.mp4", None, "there is no such file"),
        ("text.mp4", b"this is no video", "it is no audio or video that can be read"),
        ("empty.mp4", b"", "it is no audio or video that can be read"),
    ],
)
def test_what_cannot_be_opened_is_one_clear_line(
    tmp_path: Path, name: str, content: bytes | None, problem: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(MediaSourceError) as error:
        LibavInput(str(path))

    assert str(error.value) == f"{path}: {problem}"


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(MediaSourceError, match="it is a folder"):
        LibavInput(str(tmp_path))


def test_a_file_with_subtitles_alone_holds_nothing_to_play(tmp_path: Path) -> None:
    path = tmp_path / "text.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")

    with pytest.raises(MediaSourceError, match="neither video nor audio"):
        LibavInput(str(path))
