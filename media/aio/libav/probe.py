"""Finding out how a video track is coded: what decides whether it can be passed through."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.source import (
    GroupProbe,
    H264Passthrough,
    OrderProbe,
    Passthrough,
    VideoFindings,
    Vp8Passthrough,
)

from .packets import DemuxedPacket, demuxed, seconds
from .rotation import rotation_of
from .video import VideoDecoder

HEAD_SAMPLES = 32
"""Samples that are looked into, not only at: parameter sets, and one picture, are in them."""


def passthrough_of(stream: VideoStream) -> Passthrough:
    """What makes access units of the samples of H.264 or VP8."""
    if stream.codec_context.name == "vp8":
        return Vp8Passthrough()
    return H264Passthrough(stream.codec_context.extradata or b"")


def look_at_stream(stream: VideoStream) -> VideoFindings:
    """What can be told of a live source before it has begun."""
    context = stream.codec_context
    found = None
    in_order = not context.has_b_frames
    if context.name == "h264":
        found = H264Passthrough(context.extradata or b"").parameter_set()
        in_order = in_order and (found is None or not found.max_reorder_frames)
    return VideoFindings(
        context.name, in_order, parameter_set=found, pixel_aspect=_pixel_aspect(stream)
    )


def look_at_file(container: InputContainer, stream: VideoStream) -> VideoFindings:
    """Look at the first seconds of the video, and at the index if the file has one.

    Afterwards the container has to be rewound.
    """
    name = stream.codec_context.name
    is_passable = name in ("h264", "vp8")
    order, groups = OrderProbe(), GroupProbe()
    passthrough = passthrough_of(stream)
    head: list[DemuxedPacket] = []
    for sample in _samples(container, stream):
        if len(head) < HEAD_SAMPLES:
            head.append(sample)
        elif not is_passable:
            break
        # Containers mark pictures as key frames that no decoder can begin with.
        unit = passthrough.unit(sample.data, 0) if is_passable else None
        keyframe = sample.keyframe if unit is None else unit.keyframe
        order.push(sample.time)
        groups.push(sample.decode_time, sample.size_bytes, keyframe=keyframe)
        if order.is_done:
            break
    _read_index(stream, groups)
    in_order, found = order.in_order, None
    if isinstance(passthrough, H264Passthrough) and name == "h264":
        found = passthrough.parameter_set()
        in_order = in_order and (found is None or not found.max_reorder_frames)
    picture = _first_picture(stream, head)
    return VideoFindings(
        name,
        in_order,
        groups.seconds,
        found,
        group_bytes=groups.size_bytes,
        rotation=0 if picture is None else rotation_of(picture),
        pixel_aspect=_pixel_aspect(stream),
    )


def _samples(container: InputContainer, stream: VideoStream) -> Iterator[DemuxedPacket]:
    followed: dict[int, float] = {}
    with contextlib.suppress(av.FFmpegError):  # what is wrong shows again in playing
        for packet in container.demux(stream):
            if packet.size:
                yield demuxed(packet, followed)


def _read_index(stream: VideoStream, groups: GroupProbe) -> None:
    """All samples of a file that lists them all, as mp4 does; others list key frames alone."""
    entries = getattr(stream, "index_entries", ())  # PyAV 17
    if len(entries) < 2 or all(entry.is_keyframe for entry in entries):
        return
    groups.restart()
    for entry in entries:
        time = seconds(entry.timestamp, stream.time_base, 0.0)
        groups.push(time, entry.size, keyframe=entry.is_keyframe)


def _first_picture(stream: VideoStream, head: list[DemuxedPacket]) -> VideoFrame | None:
    decoder = VideoDecoder(stream)
    for sample in head:
        if pictures := decoder.decode_as_coded(sample):
            return pictures[0]
    return None


def _pixel_aspect(stream: VideoStream) -> Fraction:
    return stream.sample_aspect_ratio or Fraction(1)
